#include <optional>

#include "net/http1/codec.h"
#include "net/http1/framing_fields.h"
#include "net/http1/read_head.h"
#include "net/http1/syntax.h"

namespace gatehouse::net::http1 {
namespace {

using http::equal_ignoring_case;

// Statuses above are nobody's, and those who read "HTTP/1.1 0200" differ.
constexpr int kStatusFrom = 100, kStatusTo = 599;

/// RFC 9112 §6.3: answers that end with their head, whatever their fields say.
bool is_without_body(int status, std::string_view method) {
  const bool tunnels = method == "CONNECT" && status < 300;
  return method == "HEAD" || tunnels || status < 200 || status == 204 || status == 304;
}

class ResponseHeadReader {
 public:
  ResponseHeadReader(std::string_view text, std::string_view method, const Limits& limits,
                     ResponseHead& out)
      : text_(text), method_(method), limits_(limits), out_(out) {}

  Progress read();
  std::size_t position() const { return position_; }
  /// Of kRefused. An upstream's fault is a 502 to the client.
  Refusal refusal() const { return {502, reason_}; }

 private:
  Progress refuse(std::string_view reason) {
    reason_ = reason;
    return Progress::kRefused;
  }
  Progress read_status_line();
  Progress read_version();
  Progress read_status();
  Progress read_reason();
  Progress read_fields();
  Progress interpret();
  void interpret_framing();

  std::string_view text_;
  std::string_view method_;
  const Limits& limits_;
  ResponseHead& out_;
  std::string_view reason_;
  std::size_t position_ = 0;
  std::size_t fields_ = 0;
  FramingFields framing_;
};

Progress ResponseHeadReader::read() {
  Progress progress = read_status_line();
  if (progress == Progress::kDone) progress = read_fields();
  if (progress == Progress::kRefused) return progress;
  const std::size_t seen = progress == Progress::kDone ? position_ : text_.size();
  if (seen > limits_.head_bytes) return refuse("the answer's head is too long");
  return progress == Progress::kDone ? interpret() : progress;
}

Progress ResponseHeadReader::read_status_line() {
  Progress progress = read_version();
  if (progress == Progress::kDone) progress = read_status();
  if (progress == Progress::kDone) progress = read_reason();
  return progress;
}

Progress ResponseHeadReader::read_version() {
  constexpr std::string_view kPrefix = "HTTP/1.";
  constexpr std::size_t kLength = kPrefix.size() + 2;  // minor version and space
  const std::string_view given = text_.substr(0, kLength);
  if (!kPrefix.starts_with(given.substr(0, kPrefix.size()))) {
    return refuse("the answer is not HTTP/1");
  }
  if (given.size() < kLength) return Progress::kIncomplete;
  const char minor = given[kPrefix.size()];
  if ((minor != '0' && minor != '1') || given.back() != ' ') {
    return refuse("the answer is neither HTTP/1.0 nor HTTP/1.1");
  }
  out_.version = minor == '0' ? http::Version::kHttp10 : http::Version::kHttp11;
  position_ = kLength;
  return Progress::kDone;
}

Progress ResponseHeadReader::read_status() {
  constexpr std::size_t kDigits = 3;
  const std::string_view digits = text_.substr(position_, kDigits);
  int status = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return refuse("the answer's status is no number of three digits");
    status = status * 10 + (c - '0');
  }
  if (digits.size() < kDigits) return Progress::kIncomplete;
  if (status < kStatusFrom || status > kStatusTo) return refuse("the answer's status is unknown");
  out_.response.status = status;
  position_ += kDigits;
  return Progress::kDone;
}

Progress ResponseHeadReader::read_reason() {
  std::size_t end = position_;
  // The space is due even before an empty reason, but widely left out.
  if (end < text_.size() && text_[end] == ' ') {
    end = skip(text_, end, kValueByte);
  }
  switch (read_line_end(text_, end)) {
    case LineEnd::kIncomplete:
      return Progress::kIncomplete;
    case LineEnd::kBad:
      return refuse("the answer's status line is not one");
    case LineEnd::kRead:
      break;
  }
  position_ = end;
  return Progress::kDone;
}

Progress ResponseHeadReader::read_fields() {
  for (;;) {
    const FieldLine line = read_field_line(text_, position_);
    switch (line.kind) {
      case FieldLine::Kind::kIncomplete:
        return Progress::kIncomplete;
      case FieldLine::Kind::kBad:
        return refuse(line.reason);
      case FieldLine::Kind::kLast:
        return Progress::kDone;
      case FieldLine::Kind::kField:
        break;
    }
    if (++fields_ > limits_.fields) return refuse("the answer has too many header fields");
    if (!framing_.take(line.field)) out_.response.headers.add(line.field.name, line.field.value);
  }
}

Progress ResponseHeadReader::interpret() {
  if (const std::optional<Refusal> refusal = framing_.refusal(out_.version)) {
    return refuse(refusal->reason);
  }
  framing_.remove_named(out_.response.headers);
  out_.keep_alive = framing_.keep_alive(out_.version);
  interpret_framing();
  if (out_.response.status == 101 && framing_.lists_upgrade()) {
    out_.upgrade = http::lower_case(framing_.upgrade());
  }
  return Progress::kDone;
}

void ResponseHeadReader::interpret_framing() {
  const std::optional<std::uint64_t> length = framing_.length();
  const int status = out_.response.status;
  if (is_without_body(status, method_)) {
    // A length tells what a GET would have given. Where no GET would give any, it is a fault, and
    // what follows may be a body after all.
    if (method_ == "HEAD" || status == 304) {
      if (length) out_.response.headers.add("Content-Length", std::to_string(*length));
    } else if (framing_.has_coding() || length.value_or(0) != 0) {
      out_.keep_alive = false;
    }
  } else if (framing_.has_coding()) {
    out_.framing = {Framing::Kind::kChunked, 0};
  } else if (length) {
    out_.framing = {Framing::Kind::kLength, *length};
  } else {
    out_.framing = {Framing::Kind::kUntilClose, 0};
    out_.keep_alive = false;
  }
}

void clear(ResponseHead& head) {
  head.response.status = 0;
  head.response.headers.clear();
  head.response.body = {};
  head.response.upgrade.reset();
  head.response.close = false;
  head.framing = {};
  head.keep_alive = true;
  head.version = http::Version::kHttp11;
  head.upgrade.clear();
}

}  // namespace

std::optional<Result<void, Refusal>> parse_response_head(std::string_view buffer,
                                                         std::string_view method,
                                                         const Limits& limits, ResponseHead& out,
                                                         std::size_t& consumed) {
  clear(out);
  return read_head(ResponseHeadReader(buffer, method, limits, out), consumed);
}

}  // namespace gatehouse::net::http1
