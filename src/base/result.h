// What can fail returns Result<T>; nothing here throws.
//
// An Error carries a code, by which a caller may branch, and a message for the person who has to
// mend it: what was wrong, where, and what to do. A message never holds a secret. Pure parsers that
// fail often and need no message use Result<T, TheirEnum> with an enum of their own.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace gatehouse {

enum class ErrorCode {
  kInvalid,      // the input breaks a rule; the message names the rule
  kNotFound,     // what was asked for is not there
  kConflict,     // it exists already, or another change came first
  kDenied,       // the caller may not
  kExhausted,    // a limit is reached (queue, table, disk); try later
  kTimeout,      // a deadline passed
  kUnavailable,  // the other side is down or cannot be reached
  kCorrupt,      // stored or received data is not what was written
  kCancelled,    // nobody waits for the answer any more
  kInternal,     // a fault of our own
};

/// "invalid", "not found", …: for logs and metrics.
std::string_view to_string(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;

  /// The same error, told from further out: "prefix: message".
  Error in(std::string_view prefix) && {
    message.insert(0, std::string(prefix) + ": ");
    return std::move(*this);
  }
};

template <class T, class E = Error>
using Result = std::expected<T, E>;

/// `return fail(ErrorCode::kInvalid, "…");` in a function that returns Result<T>.
inline std::unexpected<Error> fail(ErrorCode code, std::string message) {
  return std::unexpected(Error{code, std::move(message)});
}

/// Passes a failed result's error on: `if (!x) return fail(std::move(x));`
template <class T>
std::unexpected<Error> fail(Result<T>&& failed) {
  return std::unexpected(std::move(failed).error());
}

}  // namespace gatehouse
