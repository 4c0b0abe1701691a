#include "net/http1/framing_fields.h"

#include <charconv>

#include "http/field_names.h"
#include "net/http1/syntax.h"

namespace gatehouse::net::http1 {
namespace {

using http::equal_ignoring_case;

enum class Name {
  kOther,
  kHost,
  kLength,
  kCoding,
  kConnection,
  kTe,
  kUpgrade,
  kDropped  // say nothing that is heeded: Keep-Alive, Proxy-Connection, HTTP2-Settings, and aliases
};

/// By length first: most names are none of these. An alias of a framing name, as Transfer_Encoding
/// is to CGI and its heirs, frames nothing here and must not do so at a later reader.
Name classify(std::string_view name) {
  const auto is = [name](std::string_view other) { return equal_ignoring_case(name, other); };
  const auto is_alias = [name](std::string_view other) { return http::folds_to(name, other); };
  switch (name.size()) {
    case 2:
      return is("te") ? Name::kTe : Name::kOther;
    case 4:
      return is("host") ? Name::kHost : Name::kOther;
    case 7:
      return is("upgrade") ? Name::kUpgrade : Name::kOther;
    case 10:
      if (is("connection")) return Name::kConnection;
      return is("keep-alive") ? Name::kDropped : Name::kOther;
    case 14:
      if (is("content-length")) return Name::kLength;
      if (is_alias("content-length")) return Name::kDropped;
      return is("http2-settings") ? Name::kDropped : Name::kOther;
    case 16:
      return is("proxy-connection") ? Name::kDropped : Name::kOther;
    case 17:
      if (is("transfer-encoding")) return Name::kCoding;
      return is_alias("transfer-encoding") ? Name::kDropped : Name::kOther;
    default:
      return Name::kOther;
  }
}

/// RFC 9112 §6.1, §6.3: chunked must be the last; what is before it, nobody here can undo.
std::optional<Refusal> refuse_coding(std::string_view value) {
  if (equal_ignoring_case(value, "chunked")) return std::nullopt;
  std::string_view rest = value, member;
  std::size_t chunked = 0;
  while (next_member(rest, member)) chunked += equal_ignoring_case(member, "chunked") ? 1 : 0;
  if (chunked == 1 && equal_ignoring_case(member, "chunked") && value.find(',') != value.npos) {
    return Refusal{501, "a transfer coding other than chunked"};
  }
  return Refusal{400, "a Transfer-Encoding that is not chunked, once and last"};
}

}  // namespace

bool is_framing_name(std::string_view name) {
  return classify(name) != Name::kOther;
}

bool FramingFields::take(http::Field field) {
  switch (classify(field.name)) {
    case Name::kOther:
    case Name::kHost:
      return false;
    case Name::kLength:
      take_length(field.value);
      return true;
    case Name::kCoding:
      take_coding(field.value);
      return true;
    case Name::kConnection:
      take_connection(field.value);
      return true;
    case Name::kUpgrade:
      upgrade_to_ = field.value;
      return true;
    case Name::kTe: {
      std::string_view rest = field.value, member;
      while (next_member(rest, member)) trailers_ |= equal_ignoring_case(member, "trailers");
      return true;
    }
    case Name::kDropped:
      return true;
  }
  return false;
}

void FramingFields::take_length(std::string_view value) {
  // Equal ones too: whoever sends two is confused or confuses on purpose.
  if (lengths_++ != 0) fault_ = "more than one Content-Length";
  lengths_ |= 1;  // never wraps to "none"
  length_ = value;
}

void FramingFields::take_coding(std::string_view value) {
  if (codings_++ != 0) fault_ = "more than one Transfer-Encoding";
  codings_ |= 1;
  coding_ = value;
}

void FramingFields::take_connection(std::string_view value) {
  std::string_view option;
  while (next_member(value, option)) {
    if (!option.empty()) take_option(option);
  }
}

void FramingFields::take_option(std::string_view option) {
  if (equal_ignoring_case(option, "close")) {
    close_ = true;
  } else if (equal_ignoring_case(option, "keep-alive")) {
    keep_alive_ = true;
  } else if (equal_ignoring_case(option, "upgrade")) {
    upgrade_ = true;
  } else if (!http::is_token(option)) {
    fault_ = "a member of Connection that is no token";
  } else if (is_framing_name(option)) {
    return;  // these never stand in the headers; and nobody may have Host removed
  } else if (named_ == names_.size()) {
    fault_ = "too many names in Connection";
  } else {
    names_[named_++] = option;
  }
}

std::optional<std::uint64_t> FramingFields::length() const {
  // 18 digits cannot overflow; no body is longer.
  if (length_.empty() || length_.size() > 18) return std::nullopt;
  for (const char c : length_) {
    if (c < '0' || c > '9') return std::nullopt;
  }
  std::uint64_t value = 0;
  std::from_chars(length_.data(), length_.data() + length_.size(), value);
  return value;
}

std::optional<Refusal> FramingFields::refusal(http::Version version) const {
  if (!fault_.empty()) return Refusal{400, fault_};
  if (has_length() && has_coding()) {
    return Refusal{400, "Content-Length together with Transfer-Encoding"};
  }
  if (has_length() && !length()) return Refusal{400, "a Content-Length that is not one number"};
  if (!has_coding()) return std::nullopt;
  if (version == http::Version::kHttp10) return Refusal{400, "Transfer-Encoding on HTTP/1.0"};
  return refuse_coding(coding_);
}

bool FramingFields::keep_alive(http::Version version) const {
  if (close_) return false;
  return version != http::Version::kHttp10 || keep_alive_;
}

/// A client that may say which fields end here must not hide from a trusted proxy's word who it is.
void FramingFields::remove_named(http::Headers& headers) const {
  for (std::size_t i = 0; i < named_; ++i) {
    if (!http::starts_with_ignoring_case(names_[i], "x-forwarded-")) headers.remove(names_[i]);
  }
}

}  // namespace gatehouse::net::http1
