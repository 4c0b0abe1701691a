#include "identity/passwords/password_rules.h"

#include <algorithm>

#include "http/headers.h"

namespace gatehouse::identity {

std::size_t count_characters(std::string_view utf8) {
  return static_cast<std::size_t>(std::ranges::count_if(
      utf8, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

Result<void> check_password(const Secret& password, std::string_view email) {
  const std::size_t length = count_characters(password.reveal());
  if (length < kPasswordMinimum) {
    return fail(ErrorCode::kInvalid, "the password is too short: at least " +
                                         std::to_string(kPasswordMinimum) + " characters");
  }
  if (length > kPasswordMaximum) {
    return fail(ErrorCode::kInvalid, "the password is too long: at most " +
                                         std::to_string(kPasswordMaximum) + " characters");
  }
  if (is_common_password(password.reveal())) {
    return fail(ErrorCode::kInvalid,
                "the password is one of the most common ones, which are tried first");
  }
  const std::string_view local_part = email.substr(0, email.find('@'));
  if (http::equal_ignoring_case(password.reveal(), email) ||
      http::equal_ignoring_case(password.reveal(), local_part)) {
    return fail(ErrorCode::kInvalid, "the password is the user's own name");
  }
  return {};
}

}  // namespace gatehouse::identity
