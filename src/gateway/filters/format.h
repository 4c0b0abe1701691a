// Templates with Envoy's command operators: "%REQ(X-A?X-B):8% took %DURATION% ms".
//
// Values of header edits, lines of the access log, bodies of error answers and tags of spans are
// such templates. Compiled once, by Format::parse(), which names each operator that it does not
// know; append() then only copies. What a value may hold depends on where it goes: it can neither
// split a header field, nor forge a line of a log, nor become markup of a page. Cookies and
// credentials come out of no template but that of a request header, and cookies not even of that.
//
// https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "http/message.h"

namespace gatehouse::gateway {

/// What a template is filled from. All views and pointers must outlive the call of append().
struct FormatContext {
  const http::Request& request;
  const http::Response* response = nullptr;  // null: there is none (yet)
  const http::Headers* trailers = nullptr;   // of the answer
  int status = 0;                            // 0: the response's
  /// The client's address behind trusted proxies; "": the peer's.
  std::string_view client_address;
  /// Envoy's short flags; "": those of request.trace.failure, see response_flags().
  std::string_view response_flags;
  std::uint64_t bytes_received = 0, bytes_sent = 0;  // of bodies
  WallTime started{};
  std::optional<std::chrono::microseconds> duration;           // to the end of the answer
  std::optional<std::chrono::microseconds> response_duration;  // to the answer's head
};

class Format {
 public:
  /// Where the text goes: decides what is escaped, what a missing value is, and what is secret.
  enum class Use : std::uint8_t {
    kRequestField,   // a header for an upstream: missing is ""
    kResponseField,  // a header for the client: missing is ""
    kLog,            // a line: missing is "-"; the query of :PATH is left out, it may hold codes
    kText,           // a plain body: missing is "-"
    kHtml,           // HTML or XML
    kJson,           // within a JSON string
  };
  struct Options {
    Use use = Use::kLog;
    /// Names of further headers that are treated like Authorization.
    std::vector<std::string> private_fields;
    std::string hostname;  // of %HOSTNAME%
    /// A '%' that begins no operator is itself: pages are full of "width: 100%".
    bool lone_percent = false;
  };

  static constexpr std::size_t kTemplateLimit = 256 * 1024;
  static constexpr std::size_t kOperatorLimit = 256;  // operators of one template
  /// A value of one operator is cut here, so that a line stays a line.
  static constexpr std::size_t kValueLimit = 8 * 1024;

  /// kInvalid quotes the operator that is unknown, ill-formed, or secret where that can only be a
  /// mistake (a header made of a cookie); and for header uses what no field value may hold.
  static Result<Format> parse(std::string_view text, const Options& options);

  /// An empty template.
  Format() = default;

  /// Adds the filled-in text to `out`.
  void append(std::string& out, const FormatContext& context) const;
  /// True if it is one operator alone whose value is a number.
  bool is_number() const;
  /// The text, if it is the same for every request.
  const std::string* constant() const { return parts_.empty() ? &head_ : nullptr; }

 private:
  friend class FormatParser;

  enum class Operator : std::uint8_t {
    kRequestHeader,
    kResponseHeader,
    kTrailer,
    kRemoteAddress,
    kRemoteAddressWithoutPort,
    kDirectRemoteAddress,
    kDirectRemoteAddressWithoutPort,
    kLocalPort,
    kProtocol,
    kResponseCode,
    kResponseCodeDetails,
    kResponseFlags,
    kBytesReceived,
    kBytesSent,
    kDuration,
    kResponseDuration,
    kUpstreamHost,
    kUpstreamCluster,
    kRouteName,
    kServerName,
    kStartTime,
    kHostname,
    kTlsVersion,
    kPeerSubject,
  };
  struct Part {
    Operator what;
    std::string name, alternative;  // of headers, lower case; of the time: its format
    bool hidden = false;            // name is secret here
    bool alternative_hidden = false;
    std::size_t limit = kValueLimit;
    std::string behind;  // literal text up to the next part
  };
  struct Spelling {
    std::string_view name;
    Operator what;
    bool takes_argument;
  };
  static const Spelling* find_operator(std::string_view name);

  std::string_view value(const Part& part, const FormatContext& context,
                         std::string& scratch) const;
  std::string_view header_value(const Part& part, const FormatContext& context) const;
  static std::string_view address_value(Operator what, const FormatContext& context,
                                        std::string& scratch);
  static std::string_view number_value(Operator what, const FormatContext& context,
                                       std::string& scratch);
  std::string_view missing() const;

  std::string head_;  // literal text before the first part
  std::vector<Part> parts_;
  std::string hostname_;
  Use use_ = Use::kLog;
};

/// Envoy's short flag for a failure that request.trace.failure names: "NR" for "no route"; "-" if
/// it has none.
std::string_view response_flags(std::string_view failure);

/// True for the fields whose values are credentials: Authorization, Proxy-Authorization, Cookie,
/// Set-Cookie, in any spelling that folds to them.
bool is_secret_field(std::string_view name);

/// The machine's name, for Format::Options; "-" if it cannot be told.
std::string system_hostname();

}  // namespace gatehouse::gateway
