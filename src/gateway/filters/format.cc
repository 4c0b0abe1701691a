#include "gateway/filters/format.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "gateway/field_names.h"
#include "gateway/filters/format_escape.h"
#include "gateway/filters/format_time.h"

namespace gatehouse::gateway {
namespace {

constexpr std::array<std::string_view, 4> kSecretFields = {"authorization", "proxy-authorization",
                                                           "cookie", "set-cookie"};
// Whose values are addresses: their queries hold codes, states and tokens.
constexpr std::array<std::string_view, 5> kAddressFields = {
    ":path", "referer", "location", "x-envoy-original-path", "x-original-uri"};

struct FlagsOf {
  std::string_view failure, flags;
};
constexpr std::array<FlagsOf, 15> kFlags = {{{"no route", "NR"},
                                             {"upstream timeout", "UT"},
                                             {"upstream unavailable", "UF"},
                                             {"upstream unhealthy", "UH"},
                                             {"upstream exhausted", "UO"},
                                             {"upstream invalid", "UPE"},
                                             {"upstream reset", "UC"},
                                             {"cancelled", "DC"},
                                             {"denied", "UAEX"},
                                             {"authorizer", "UAEX"},
                                             {"address", "UAEX"},
                                             {"rate limit", "RL"},
                                             {"ambiguous path", "DPE"},
                                             {"misdirected", "DPE"},
                                             {"method", "DPE"}}};

std::string_view number(std::string& scratch, std::uint64_t value) {
  scratch.resize(20);
  const auto [end, error] = std::to_chars(scratch.data(), scratch.data() + scratch.size(), value);
  scratch.resize(static_cast<std::size_t>(end - scratch.data()));
  return scratch;
}

std::string_view milliseconds(std::string& scratch,
                              std::optional<std::chrono::microseconds> duration) {
  if (!duration) return "";
  return number(scratch,
                static_cast<std::uint64_t>(std::max<long long>(duration->count(), 0)) / 1000);
}

std::string_view with_port(std::string& scratch, std::string_view address, std::uint16_t port) {
  if (address.empty()) return "";
  const bool bare = address.contains(':');
  scratch.clear();
  if (bare) scratch.push_back('[');
  scratch.append(address);
  if (bare) scratch.push_back(']');
  scratch.push_back(':');
  scratch.append(std::to_string(port));
  return scratch;
}

std::string_view protocol(http::Version version) {
  switch (version) {
    case http::Version::kHttp10:
      return "HTTP/1.0";
    case http::Version::kHttp11:
      return "HTTP/1.1";
    case http::Version::kHttp2:
      return "HTTP/2";
  }
  return "";
}

std::string_view peer_address(const http::Request& request) {
  return request.peer ? std::string_view(request.peer->address) : std::string_view();
}

std::uint16_t local_port(const http::Request& request) {
  return request.peer ? request.peer->local_port : std::uint16_t{0};
}

std::string_view tls_version(const http::Request& request) {
  return request.peer ? request.peer->tls_version : std::string_view();
}

std::string_view peer_subject(const http::Request& request) {
  const bool shown = request.peer && request.peer->certificate;
  return shown ? std::string_view(request.peer->certificate->subject) : std::string_view();
}

int status_of(const FormatContext& context) {
  if (context.status != 0 || context.response == nullptr) return context.status;
  return context.response->status;
}

std::string_view request_field(const http::Request& request, std::string_view name) {
  if (name == ":method") return request.method;
  if (name == ":path") return request.target.str();
  if (name == ":authority" || name == "host") return request.authority;
  if (name == ":scheme") return request.peer && request.peer->tls ? "https" : "http";
  const bool ours = name == "x-request-id" && !request.trace.request_id.empty();
  return ours ? std::string_view(request.trace.request_id) : request.headers.get(name).value_or("");
}

}  // namespace

std::string_view response_flags(std::string_view failure) {
  const auto* const found = std::ranges::find(kFlags, failure, &FlagsOf::failure);
  return found == kFlags.end() ? std::string_view("-") : found->flags;
}

bool is_secret_field(std::string_view name) {
  return std::ranges::any_of(kSecretFields,
                             [name](std::string_view secret) { return folds_to(name, secret); });
}

std::string system_hostname() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data()) : "-";
}

bool Format::is_number() const {
  if (parts_.size() != 1 || !head_.empty() || !parts_[0].behind.empty()) return false;
  switch (parts_[0].what) {
    case Operator::kLocalPort:
    case Operator::kResponseCode:
    case Operator::kBytesReceived:
    case Operator::kBytesSent:
    case Operator::kDuration:
    case Operator::kResponseDuration:
      return true;
    default:
      return false;
  }
}

std::string_view Format::missing() const {
  return use_ == Use::kRequestField || use_ == Use::kResponseField ? "" : "-";
}

std::string_view Format::header_value(const Part& part, const FormatContext& context) const {
  const auto find = [&](std::string_view name, bool hidden) -> std::string_view {
    if (hidden || name.empty()) return "";
    std::string_view found;
    if (part.what == Operator::kRequestHeader) {
      found = request_field(context.request, name);
    } else if (part.what == Operator::kTrailer) {
      if (context.trailers != nullptr) found = context.trailers->get(name).value_or("");
    } else if (context.response != nullptr) {
      found = context.response->headers.get(name).value_or("");
    }
    const bool cut =
        use_ == Use::kLog && std::ranges::find(kAddressFields, name) != kAddressFields.end();
    return cut ? found.substr(0, found.find('?')) : found;
  };
  const std::string_view first = find(part.name, part.hidden);
  return first.empty() ? find(part.alternative, part.alternative_hidden) : first;
}

std::string_view Format::address_value(Operator what, const FormatContext& context,
                                       std::string& scratch) {
  const http::Peer* const peer = context.request.peer.get();
  const std::string_view direct = peer_address(context.request);
  const std::uint16_t port = peer != nullptr ? peer->port : std::uint16_t{0};
  const bool behind = !context.client_address.empty() && context.client_address != direct;
  const std::string_view client = behind ? context.client_address : direct;
  switch (what) {
    case Operator::kRemoteAddress:
      return with_port(scratch, client, behind ? 0 : port);
    case Operator::kRemoteAddressWithoutPort:
      return client;
    case Operator::kDirectRemoteAddress:
      return with_port(scratch, direct, port);
    default:
      return direct;
  }
}

std::string_view Format::number_value(Operator what, const FormatContext& context,
                                      std::string& scratch) {
  switch (what) {
    case Operator::kLocalPort:
      return local_port(context.request) == 0 ? "" : number(scratch, local_port(context.request));
    case Operator::kResponseCode:
      return number(scratch, static_cast<std::uint64_t>(std::max(status_of(context), 0)));
    case Operator::kBytesReceived:
      return number(scratch, context.bytes_received);
    case Operator::kBytesSent:
      return number(scratch, context.bytes_sent);
    case Operator::kDuration:
      return milliseconds(scratch, context.duration);
    default:
      return milliseconds(scratch, context.response_duration);
  }
}

std::string_view Format::value(const Part& part, const FormatContext& context,
                               std::string& scratch) const {
  const http::Request& request = context.request;
  switch (part.what) {
    case Operator::kRequestHeader:
    case Operator::kResponseHeader:
    case Operator::kTrailer:
      return header_value(part, context);
    case Operator::kRemoteAddress:
    case Operator::kRemoteAddressWithoutPort:
    case Operator::kDirectRemoteAddress:
    case Operator::kDirectRemoteAddressWithoutPort:
      return address_value(part.what, context, scratch);
    case Operator::kLocalPort:
    case Operator::kResponseCode:
    case Operator::kBytesReceived:
    case Operator::kBytesSent:
    case Operator::kDuration:
    case Operator::kResponseDuration:
      return number_value(part.what, context, scratch);
    case Operator::kProtocol:
      return protocol(request.version);
    case Operator::kResponseCodeDetails:
      return request.trace.failure;
    case Operator::kResponseFlags:
      return context.response_flags.empty() ? response_flags(request.trace.failure)
                                            : context.response_flags;
    case Operator::kUpstreamHost:
      return request.trace.upstream;
    case Operator::kUpstreamCluster:
      return request.trace.service ? std::string_view(*request.trace.service) : "";
    case Operator::kRouteName:
      return request.trace.route;
    case Operator::kServerName:
      return request.peer ? std::string_view(request.peer->server_name) : std::string_view();
    case Operator::kStartTime:
      scratch.clear();
      append_time(scratch, part.name, context.started);
      return scratch;
    case Operator::kHostname:
      return hostname_;
    case Operator::kTlsVersion:
      return tls_version(request);
    case Operator::kPeerSubject:
      return peer_subject(request);
  }
  return "";
}

void Format::append(std::string& out, const FormatContext& context) const {
  out.append(head_);
  std::string scratch;
  for (const Part& part : parts_) {
    const std::string_view found = value(part, context, scratch);
    if (found.empty()) {
      out.append(missing());
    } else {
      append_escaped(out, found.substr(0, part.limit), use_);
    }
    out.append(part.behind);
  }
}

}  // namespace gatehouse::gateway
