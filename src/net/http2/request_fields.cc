#include "net/http2/request_fields.h"

#include <charconv>
#include <utility>

#include "http/target.h"
#include "http/url.h"
#include "net/http1/syntax.h"

namespace gatehouse::net::http2 {
namespace {

using http::equal_ignoring_case;

// As HTTP/1.1's: a method that is longer than any we serve.
constexpr std::size_t kMethodLimit = 32;
// RFC 9113 §6.5.2: what each field counts for besides its bytes.
constexpr std::size_t kFieldOverhead = 32;
constexpr std::size_t kLengthDigits = 18;  // cannot overflow; no body is longer

}  // namespace

std::optional<std::uint64_t> parse_length(std::string_view value) {
  if (value.empty() || value.size() > kLengthDigits) return std::nullopt;
  std::uint64_t length = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), length);
  if (error != std::errc() || end != value.data() + value.size()) return std::nullopt;
  return length;
}

void RequestFields::begin(http::Request& request, const http1::Limits& limits) {
  request_ = &request;
  limits_ = limits;
  request.method.clear();
  request.target = {};
  request.version = http::Version::kHttp2;
  request.authority.clear();
  request.headers.clear();
  request.body = {};
  request.upgrade.clear();
  request.may_pause = false;
  for (std::string* const text : {&path_, &scheme_, &authority_, &host_, &protocol_, &cookie_}) {
    text->clear();
  }
  length_.reset();
  refusal_.reset();
  bytes_ = fields_ = 0;
  has_authority_ = has_host_ = has_cookie_ = expects_continue_ = false;
}

void RequestFields::refuse(int status, std::string_view reason) {
  if (!refusal_) refusal_ = http1::Refusal{status, reason};
}

void RequestFields::take(std::string_view name, std::string_view value) {
  bytes_ += name.size() + value.size() + kFieldOverhead;
  if (bytes_ > limits_.head_bytes) return refuse(431, "the request's head is too long");
  const bool is_pseudo = name.starts_with(':');
  const bool sound = is_pseudo ? http::is_ascii_field_value(value) : http::is_field_value(value);
  if (!sound) return refuse(400, "a byte that its field may not have");
  if (is_pseudo) return take_pseudo(name, value);
  const bool is_crumb = has_cookie_ && name == "cookie";
  if (!is_crumb && ++fields_ > limits_.fields) return refuse(431, http1::kTooManyFields);
  take_regular(name, value);
}

void RequestFields::take_pseudo(std::string_view name, std::string_view value) {
  if (name == ":method") {
    request_->method.assign(value);
  } else if (name == ":path") {
    if (value.size() > limits_.target_bytes) return refuse(414, "the request target is too long");
    path_.assign(value);
  } else if (name == ":scheme") {
    scheme_.assign(value);
  } else if (name == ":authority") {
    has_authority_ = true;
    authority_.assign(value);
  } else if (name == ":protocol") {
    protocol_.assign(value);
  } else {
    refuse(400, "an unknown pseudo-field");
  }
}

void RequestFields::take_regular(std::string_view name, std::string_view value) {
  switch (name.size()) {
    case 2:
      // Anything else than "trailers" is malformed, and was refused.
      if (name == "te") return request_->headers.add(name, "trailers");
      break;
    case 4:
      if (name == "host") {
        has_host_ = true;
        host_.assign(value);
        return;
      }
      break;
    case 6:
      if (name == "cookie") return take_cookie(value);
      if (name == "expect") {
        expects_continue_ = equal_ignoring_case(value, "100-continue");
        if (!expects_continue_) refuse(417, "an expectation other than 100-continue");
        return;
      }
      break;
    case 14:
      if (name == "content-length") return take_length(value);
      if (name == "http2-settings") return;  // RFC 7540 §3.2.1: of the connection
      break;
    default:
      break;
  }
  request_->headers.add(name, value);
}

void RequestFields::take_length(std::string_view value) {
  length_ = parse_length(value);
  if (!length_) refuse(400, "a Content-Length that is not one number");
}

/// RFC 9113 §8.2.3: crumbs are joined before anything that knows no HTTP/2 sees them.
void RequestFields::take_cookie(std::string_view value) {
  if (std::exchange(has_cookie_, true)) cookie_.append("; ");
  cookie_.append(value);
}

std::optional<http1::Refusal> RequestFields::finish() {
  if (refusal_) return refusal_;
  interpret_method();
  interpret_authority();
  if (request_->method != "CONNECT") interpret_target();
  if (has_cookie_) request_->headers.add("cookie", cookie_);
  return refusal_;
}

/// An extended CONNECT becomes the GET that it would have been in HTTP/1.1.
void RequestFields::interpret_method() {
  if (request_->method.size() > kMethodLimit) return refuse(501, "the method is not known");
  const bool tunnels = request_->method == "CONNECT" && protocol_.empty();
  if (tunnels && limits_.connect) request_->upgrade = http::kConnect;
  if (protocol_.empty()) return;
  if (request_->method != "CONNECT") return refuse(400, "a :protocol without CONNECT");
  if (protocol_ != "websocket") return refuse(501, "the protocol of CONNECT is not served");
  request_->method = "GET";
  request_->upgrade = "websocket";
}

void RequestFields::interpret_authority() {
  if (!has_authority_ && !has_host_) return refuse(400, "no :authority");
  const std::string* const authority = last_authority_.parse(has_authority_ ? authority_ : host_);
  if (authority == nullptr) return refuse(400, "an :authority that is not one host");
  if (has_authority_ && has_host_) {
    const std::optional<std::string> host = http::parse_authority(host_);
    if (!host || *host != *authority) return refuse(400, ":authority is not Host");
  }
  request_->authority = *authority;
  if (request_->upgrade != http::kConnect) return;
  // RFC 9113 §8.5: there is no path.
  request_->target = *http::parse_target("/");
  if (!http::has_port(request_->authority)) refuse(400, "the :authority of CONNECT has no port");
}

void RequestFields::interpret_target() {
  if (!equal_ignoring_case(scheme_, "https") && !equal_ignoring_case(scheme_, "http")) {
    return refuse(400, "a :scheme that is neither http nor https");
  }
  if (!path_.starts_with('/')) return refuse(400, "a :path that is no path");
  Result<http::Target, http::TargetError> target = http::parse_target(path_);
  if (!target) {
    const int status = target.error() == http::TargetError::kTooLong ? 414 : 400;
    return refuse(status, http::to_string(target.error()));
  }
  request_->target = std::move(*target);
}

}  // namespace gatehouse::net::http2
