#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "gateway/field_names.h"
#include "gateway/filters/format.h"
#include "gateway/filters/format_time.h"

namespace gatehouse::gateway {
namespace {

// Enough of an ill-formed operator to find it by.
constexpr std::size_t kQuoted = 40;

bool is_operator_name(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

std::unexpected<Error> bad(std::string_view quoted, std::string_view why) {
  return fail(ErrorCode::kInvalid,
              "\"" + std::string(quoted.substr(0, kQuoted)) + "\" " + std::string(why));
}

bool is_field_name(std::string_view name) {
  if (name.starts_with(':')) name.remove_prefix(1);
  return http::is_token(name);
}

bool is_cookie_field(std::string_view name) {
  return folds_to(name, "cookie") || folds_to(name, "set-cookie");
}

}  // namespace

const Format::Spelling* Format::find_operator(std::string_view name) {
  static constexpr std::array<Spelling, 24> kSpellings = {{
      {"REQ", Operator::kRequestHeader, true},
      {"RESP", Operator::kResponseHeader, true},
      {"TRAILER", Operator::kTrailer, true},
      {"DOWNSTREAM_REMOTE_ADDRESS", Operator::kRemoteAddress, false},
      {"DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT", Operator::kRemoteAddressWithoutPort, false},
      {"DOWNSTREAM_DIRECT_REMOTE_ADDRESS", Operator::kDirectRemoteAddress, false},
      {"DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT", Operator::kDirectRemoteAddressWithoutPort,
       false},
      {"DOWNSTREAM_LOCAL_PORT", Operator::kLocalPort, false},
      {"PROTOCOL", Operator::kProtocol, false},
      {"RESPONSE_CODE", Operator::kResponseCode, false},
      {"RESPONSE_CODE_DETAILS", Operator::kResponseCodeDetails, false},
      {"RESPONSE_FLAGS", Operator::kResponseFlags, false},
      {"BYTES_RECEIVED", Operator::kBytesReceived, false},
      {"BYTES_SENT", Operator::kBytesSent, false},
      {"DURATION", Operator::kDuration, false},
      {"RESPONSE_DURATION", Operator::kResponseDuration, false},
      {"UPSTREAM_HOST", Operator::kUpstreamHost, false},
      {"UPSTREAM_CLUSTER", Operator::kUpstreamCluster, false},
      {"ROUTE_NAME", Operator::kRouteName, false},
      {"REQUESTED_SERVER_NAME", Operator::kServerName, false},
      {"START_TIME", Operator::kStartTime, true},
      {"HOSTNAME", Operator::kHostname, false},
      {"DOWNSTREAM_TLS_VERSION", Operator::kTlsVersion, false},
      {"DOWNSTREAM_PEER_SUBJECT", Operator::kPeerSubject, false},
  }};
  const auto* const found = std::ranges::find(kSpellings, name, &Spelling::name);
  return found == kSpellings.end() ? nullptr : found;
}

/// Reads one template from left to right.
class FormatParser {
 public:
  FormatParser(std::string_view text, const Format::Options& options)
      : rest_(text), options_(options) {
    format_.use_ = options.use;
    format_.hostname_ = options.hostname;
  }

  Result<Format> parse() {
    while (!rest_.empty()) {
      const std::size_t percent = std::min(rest_.find('%'), rest_.size());
      literal().append(rest_.substr(0, percent));
      rest_.remove_prefix(percent);
      if (rest_.empty()) break;
      const Result<void> read = read_percent();
      if (!read) return std::unexpected(read.error());
    }
    return std::move(format_);
  }

 private:
  /// What is between two percent signs, or what looks like it.
  struct Pieces {
    std::string_view whole, name, argument, limit;
    bool has_argument = false, has_limit = false;
  };

  std::string& literal() {
    return format_.parts_.empty() ? format_.head_ : format_.parts_.back().behind;
  }

  Result<void> read_percent() {
    if (rest_.starts_with("%%")) {
      literal().push_back('%');
      rest_.remove_prefix(2);
      return {};
    }
    const std::optional<Pieces> pieces = split();
    if (!pieces && !options_.lone_percent) {
      return bad(rest_, "begins no operator such as %REQ(NAME)%; a percent sign is written %%");
    }
    if (!pieces) {
      literal().push_back('%');
      rest_.remove_prefix(1);
      return {};
    }
    return read_operator(*pieces);
  }

  /// %NAME%, %NAME(argument)%, %NAME(argument):limit%. nullopt if it has not that form.
  std::optional<Pieces> split() const {
    Pieces pieces;
    std::size_t at = 1;
    while (at < rest_.size() && is_operator_name(rest_[at])) ++at;
    pieces.name = rest_.substr(1, at - 1);
    if (pieces.name.empty()) return std::nullopt;
    if (at < rest_.size() && rest_[at] == '(') {
      const std::size_t close = rest_.find(')', at);
      if (close == std::string_view::npos) return std::nullopt;
      pieces.has_argument = true;
      pieces.argument = rest_.substr(at + 1, close - at - 1);
      at = close + 1;
    }
    if (at < rest_.size() && rest_[at] == ':') {
      const std::size_t start = ++at;
      while (at < rest_.size() && rest_[at] >= '0' && rest_[at] <= '9') ++at;
      pieces.has_limit = true;
      pieces.limit = rest_.substr(start, at - start);
    }
    if (at >= rest_.size() || rest_[at] != '%') return std::nullopt;
    pieces.whole = rest_.substr(0, at + 1);
    return pieces;
  }

  Result<void> read_operator(const Pieces& pieces) {
    const Format::Spelling* const spelling = Format::find_operator(pieces.name);
    if (spelling == nullptr) return bad(pieces.whole, "is not an operator that is known here");
    if (pieces.has_argument && !spelling->takes_argument) {
      return bad(pieces.whole, "takes nothing in parentheses");
    }
    if (format_.parts_.size() >= Format::kOperatorLimit) {
      return bad(pieces.whole, "is one operator too many; a template may have 256");
    }
    Format::Part part{.what = spelling->what};
    Result<void> read = read_limit(pieces, part);
    if (read && spelling->takes_argument) read = read_argument(pieces, part);
    if (!read) return read;
    format_.parts_.push_back(std::move(part));
    rest_.remove_prefix(pieces.whole.size());
    return {};
  }

  static Result<void> read_limit(const Pieces& pieces, Format::Part& part) {
    if (!pieces.has_limit) return {};
    std::size_t limit = 0;
    const char* const end = pieces.limit.data() + pieces.limit.size();
    const auto [stop, error] = std::from_chars(pieces.limit.data(), end, limit);
    if (error != std::errc() || limit == 0) {
      return bad(pieces.whole, "has no length of at least 1 behind its colon");
    }
    part.limit = std::min(limit, Format::kValueLimit);
    return {};
  }

  Result<void> read_argument(const Pieces& pieces, Format::Part& part) const {
    if (part.what == Format::Operator::kStartTime) {
      part.name = pieces.argument.empty() ? kDefaultTimeFormat : pieces.argument;
      const Result<void> good = check_time_format(part.name);
      return good ? good : bad(pieces.whole, "cannot be used: " + good.error().message);
    }
    const std::size_t mark = pieces.argument.find('?');
    part.name = http::lower_case(pieces.argument.substr(0, mark));
    const bool two = mark != std::string_view::npos;
    if (two) part.alternative = http::lower_case(pieces.argument.substr(mark + 1));
    if (!is_field_name(part.name) || (two && !is_field_name(part.alternative))) {
      return bad(pieces.whole, "names no header; it is written %REQ(NAME)% or %REQ(NAME?OTHER)%");
    }
    part.hidden = is_hidden(part.name);
    part.alternative_hidden = two && is_hidden(part.alternative);
    const bool into_field =
        options_.use == Format::Use::kRequestField || options_.use == Format::Use::kResponseField;
    if (into_field && (part.hidden || part.alternative_hidden)) {
      return bad(pieces.whole, "would copy a cookie or a credential to where it must not go");
    }
    return {};
  }

  /// A credential may be copied within a request; a cookie not even there: the session's must not
  /// reach an upstream.
  bool is_hidden(std::string_view name) const {
    if (options_.use == Format::Use::kRequestField) return is_cookie_field(name);
    return is_secret_field(name) ||
           std::ranges::any_of(options_.private_fields, [name](const std::string& other) {
             return folds_to(name, folded(other));
           });
  }

  std::string_view rest_;
  const Format::Options& options_;
  Format format_;
};

Result<Format> Format::parse(std::string_view text, const Options& options) {
  if (text.size() > kTemplateLimit) {
    return fail(ErrorCode::kInvalid, "the text is longer than 256 KiB");
  }
  const bool field = options.use == Use::kRequestField || options.use == Use::kResponseField;
  if (field && !http::is_field_value(text)) {
    return bad(text,
               "is no header value: it may hold no control character and no space at either end");
  }
  return FormatParser(text, options).parse();
}

}  // namespace gatehouse::gateway
