#include <optional>

#include "http/target.h"
#include "http/url.h"
#include "net/http1/codec.h"
#include "net/http1/framing_fields.h"
#include "net/http1/read_head.h"
#include "net/http1/syntax.h"

namespace gatehouse::net::http1 {
namespace {

using http::equal_ignoring_case;

// RFC 9112 §3: a method longer than any we serve is answered with 501. The longest registered has
// 17 letters.
constexpr std::size_t kMethodLimit = 32;
constexpr std::string_view kVersionPrefix = "HTTP/1.";

/// Reads one head, front to back, in one pass.
class RequestHeadReader {
 public:
  RequestHeadReader(std::string_view text, bool secure, const Limits& limits, RequestHead& out)
      : text_(text), secure_(secure), limits_(limits), out_(out) {}

  Progress read();
  std::size_t position() const { return position_; }
  /// Of kRefused.
  const Refusal& refusal() const { return refusal_; }

 private:
  Progress refuse(int status, std::string_view reason) {
    refusal_ = {status, reason};
    return Progress::kRefused;
  }
  Progress read_request_line();
  Progress read_method();
  Progress read_target();
  Progress read_version();
  Progress read_fields();
  Progress take_field(http::Field field);
  Progress interpret();
  Progress interpret_target();
  Progress interpret_host();
  Progress interpret_connect();
  Progress check_absolute_form();
  Progress interpret_framing();
  void interpret_upgrade();

  std::string_view text_;
  bool secure_;
  const Limits& limits_;
  RequestHead& out_;
  Refusal refusal_;
  std::size_t position_ = 0;
  std::string_view target_, host_, expect_;
  std::size_t hosts_ = 0;
  std::size_t fields_ = 0;
  FramingFields framing_;
};

Progress RequestHeadReader::read() {
  Progress progress = read_request_line();
  if (progress == Progress::kDone) progress = read_fields();
  if (progress == Progress::kRefused) return progress;
  const std::size_t seen = progress == Progress::kDone ? position_ : text_.size();
  if (seen > limits_.head_bytes) return refuse(431, "the request's head is too long");
  return progress == Progress::kDone ? interpret() : progress;
}

Progress RequestHeadReader::read_request_line() {
  // RFC 9112 §2.2: some clients send one empty line too many after a body.
  if (text_.starts_with("\r\n")) position_ = 2;
  Progress progress = read_method();
  if (progress == Progress::kDone) progress = read_target();
  if (progress == Progress::kDone) progress = read_version();
  return progress;
}

Progress RequestHeadReader::read_method() {
  const std::size_t end = http::skip_token_bytes(text_, position_);
  const std::string_view method = text_.substr(position_, end - position_);
  if (method.size() > kMethodLimit) return refuse(501, "the method is not known");
  if (end == text_.size()) return Progress::kIncomplete;
  // A CR alone may be the first half of the one empty line that is passed over.
  if (position_ == 0 && text_ == "\r") return Progress::kIncomplete;
  if (text_[end] != ' ' || method.empty()) return refuse(400, "no method at the start");
  out_.request.method.assign(method);
  position_ = end + 1;
  return Progress::kDone;
}

Progress RequestHeadReader::read_target() {
  const std::size_t end = skip(text_, position_, kTargetByte);
  target_ = text_.substr(position_, end - position_);
  if (target_.size() > limits_.target_bytes) return refuse(414, "the request target is too long");
  if (end == text_.size()) return Progress::kIncomplete;
  if (text_[end] != ' ' || target_.empty()) {
    return refuse(400, "the request line is not method, target and version");
  }
  position_ = end + 1;
  return Progress::kDone;
}

Progress RequestHeadReader::read_version() {
  constexpr std::size_t kLength = kVersionPrefix.size() + 1;
  const std::string_view given = text_.substr(position_, kLength);
  const std::string_view name = given.substr(0, kVersionPrefix.size() - 2);
  if (!kVersionPrefix.starts_with(name)) {
    const bool is_target = target_.find_first_of("/:*") != std::string_view::npos;
    return refuse(is_target ? 400 : kNotHttp, "the version is not HTTP");
  }
  if (given.size() < kLength) return Progress::kIncomplete;
  const char minor = given.back();
  if (!given.starts_with(kVersionPrefix) || (minor != '0' && minor != '1')) {
    return refuse(505, "only HTTP/1.0 and HTTP/1.1 are served here");
  }
  std::size_t after = position_ + kLength;
  switch (read_line_end(text_, after)) {
    case LineEnd::kIncomplete:
      return Progress::kIncomplete;
    case LineEnd::kBad:
      return refuse(400, "the request line does not end behind the version");
    case LineEnd::kRead:
      break;
  }
  out_.request.version = minor == '0' ? http::Version::kHttp10 : http::Version::kHttp11;
  position_ = after;
  return Progress::kDone;
}

Progress RequestHeadReader::read_fields() {
  for (;;) {
    const FieldLine line = read_field_line(text_, position_);
    switch (line.kind) {
      case FieldLine::Kind::kIncomplete:
        return Progress::kIncomplete;
      case FieldLine::Kind::kBad:
        return refuse(400, line.reason);
      case FieldLine::Kind::kLast:
        return Progress::kDone;
      case FieldLine::Kind::kField:
        break;
    }
    const Progress progress = take_field(line.field);
    if (progress != Progress::kDone) return progress;
  }
}

Progress RequestHeadReader::take_field(http::Field field) {
  if (++fields_ > limits_.fields) return refuse(431, kTooManyFields);
  if (framing_.take(field)) return Progress::kDone;
  if (equal_ignoring_case(field.name, "host")) {
    if (++hosts_ > 1) return refuse(400, "more than one Host");
    host_ = field.value;
  } else if (equal_ignoring_case(field.name, "expect")) {
    if (!equal_ignoring_case(field.value, "100-continue")) {
      return refuse(417, "an expectation other than 100-continue");
    }
    expect_ = field.value;
  } else {
    out_.request.headers.add(field.name, field.value);
  }
  return Progress::kDone;
}

Progress RequestHeadReader::interpret() {
  Progress progress = interpret_framing();
  if (progress == Progress::kDone) progress = interpret_host();
  if (progress == Progress::kDone) progress = interpret_target();
  if (progress != Progress::kDone) return progress;
  framing_.remove_named(out_.request.headers);
  if (framing_.accepts_trailers()) out_.request.headers.add("TE", "trailers");
  interpret_upgrade();
  return Progress::kDone;
}

Progress RequestHeadReader::interpret_framing() {
  const http::Version version = out_.request.version;
  if (const std::optional<Refusal> refusal = framing_.refusal(version)) {
    return refuse(refusal->status, refusal->reason);
  }
  if (framing_.has_coding()) {
    out_.framing = {Framing::Kind::kChunked, 0};
  } else if (framing_.has_length()) {
    out_.framing = {Framing::Kind::kLength, *framing_.length()};
  }
  out_.keep_alive = framing_.keep_alive(version);
  const bool has_body = framing_.has_coding() || out_.framing.length > 0;
  out_.expects_continue = !expect_.empty() && has_body && version != http::Version::kHttp10;
  return Progress::kDone;
}

Progress RequestHeadReader::interpret_host() {
  if (hosts_ == 0) {
    // RFC 9112 §3.2: HTTP/1.0 need not name one; its requests then belong to no host.
    if (out_.request.version == http::Version::kHttp10) return Progress::kDone;
    return refuse(400, "no Host");
  }
  const std::string* const authority = out_.last_authority.parse(host_);
  if (authority == nullptr) return refuse(400, "a Host that is not one host");
  out_.request.authority = *authority;
  return Progress::kDone;
}

Progress RequestHeadReader::interpret_target() {
  if (out_.request.method == "CONNECT") return interpret_connect();
  if (!target_.starts_with('/')) {
    const Progress progress = check_absolute_form();
    if (progress != Progress::kDone) return progress;
  }
  Result<http::Target, http::TargetError> target = http::parse_target(target_);
  if (!target) {
    const int status = target.error() == http::TargetError::kTooLong ? 414 : 400;
    return refuse(status, http::to_string(target.error()));
  }
  out_.request.target = std::move(*target);
  return Progress::kDone;
}

/// The target is a host and its port (RFC 9112 §3.2.3). What a client sends behind the head is the
/// tunnel's if there is one and nobody's if not: no request is read behind it.
Progress RequestHeadReader::interpret_connect() {
  if (!limits_.connect) return refuse(501, "CONNECT is not served");
  http::Request& request = out_.request;
  if (request.version != http::Version::kHttp11) return refuse(501, "CONNECT needs HTTP/1.1");
  if (framing_.has_length() || framing_.has_coding()) return refuse(400, "CONNECT has no body");
  const std::optional<std::string> authority = http::parse_authority(target_);
  if (!authority || !http::has_port(*authority) || *authority != request.authority) {
    return refuse(400, "the target of CONNECT is not host and port, or is not Host");
  }
  request.target = *http::parse_target("/");
  request.upgrade = http::kConnect;
  out_.keep_alive = false;
  return Progress::kDone;
}

/// RFC 9112 §3.2.2 lets the target's host win over Host. Another reader may take the other, so both
/// must be the same.
Progress RequestHeadReader::check_absolute_form() {
  const std::string_view scheme = secure_ ? "https://" : "http://";
  if (!equal_ignoring_case(target_.substr(0, scheme.size()), scheme)) {
    return refuse(400, "the request target is neither a path nor a URL of this scheme");
  }
  const std::string_view rest = target_.substr(scheme.size());
  const std::string_view host = rest.substr(0, rest.find_first_of("/?"));
  const std::optional<std::string> authority = http::parse_authority(host);
  if (!authority || *authority != out_.request.authority) {
    return refuse(400, "the request target's host is not Host");
  }
  return Progress::kDone;
}

/// RFC 9110 §7.8. Only what a route can allow is passed on: WebSocket, and SPDY, for which kubectl
/// posts. Any other, h2c above all, would take the connection out of sight of whoever judges its
/// requests.
void RequestHeadReader::interpret_upgrade() {
  const http::Request& request = out_.request;
  const bool has_body = out_.framing.kind == Framing::Kind::kChunked || out_.framing.length != 0;
  if (!framing_.lists_upgrade() || request.version != http::Version::kHttp11 || has_body) return;
  const bool gets = request.method == "GET" && out_.framing.kind == Framing::Kind::kNone;
  const bool posts = request.method == "POST";
  if (gets && equal_ignoring_case(framing_.upgrade(), "websocket")) {
    out_.request.upgrade = "websocket";
  } else if ((gets || posts) && equal_ignoring_case(framing_.upgrade(), "spdy/3.1")) {
    out_.request.upgrade = "spdy/3.1";
  }
}

/// Ready for the next head, with the memory of the last one.
void clear(RequestHead& head) {
  head.request.method.clear();
  head.request.target = {};
  head.request.version = http::Version::kHttp11;
  head.request.authority.clear();
  head.request.headers.clear();
  head.request.body = {};
  head.request.upgrade.clear();
  head.request.may_pause = false;
  head.framing = {};
  head.keep_alive = true;
  head.expects_continue = false;
}

}  // namespace

std::optional<Result<void, Refusal>> parse_request_head(std::string_view buffer, bool secure,
                                                        const Limits& limits, RequestHead& out,
                                                        std::size_t& consumed) {
  clear(out);
  return read_head(RequestHeadReader(buffer, secure, limits, out), consumed);
}

}  // namespace gatehouse::net::http1
