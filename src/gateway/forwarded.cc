#include "gateway/forwarded.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <span>

#include "gateway/field_names.h"
#include "gateway/forwarded_client_certificate.h"
#include "http/client_address.h"
#include "http/url.h"

namespace gatehouse::gateway {
namespace {

constexpr std::size_t kRequestIdLimit = 128;      // longer ones are not for a log line
constexpr std::size_t kForwardedForLimit = 2048;  // some fifty hops

constexpr std::string_view kFor = "x-forwarded-for";
constexpr std::string_view kProto = "x-forwarded-proto";
constexpr std::string_view kHost = "x-forwarded-host";
constexpr std::string_view kRequestId = "x-request-id";
constexpr std::string_view kClientCertificate = "x-forwarded-client-cert";

// By these proxies tell upstreams where a request came from or what it was before.
constexpr std::array<std::string_view, 6> kPrefixes = {
    "x-forwarded-", "x-envoy-", "x-original-", "x-real-ip", "x-rewrite-url", "x-request-id"};

// Believed from a trusted proxy only as one well-formed value, then written anew.
constexpr std::array<std::string_view, 4> kSetHere = {kFor, kProto, kHost, kRequestId};

bool tells_of_client(std::string_view name) {
  const char first = name.front();
  if (first == 'f' || first == 'F') return folds_to(name, "forwarded");
  if (first != 'x' && first != 'X') return false;
  return std::ranges::any_of(
      kPrefixes, [name](std::string_view prefix) { return fold_begins_with(name, prefix); });
}

/// Removed even when a trusted proxy sent it: what is set here, what is told in a second form, and
/// what is no honest spelling.
bool is_never_kept(std::string_view name) {
  if (folds_to(name, "forwarded")) return true;
  if (name.find_first_of("!#$%&'*+.^_`|~") != std::string_view::npos) return true;
  return std::ranges::any_of(kSetHere,
                             [name](std::string_view own) { return folds_to(name, own); });
}

bool is_plain_id(std::string_view id) {
  return !id.empty() && id.size() <= kRequestIdLimit && std::ranges::all_of(id, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '_' || c == '.' || c == ':';
  });
}

/// All X-Forwarded-For fields joined, as RFC 9110 §5.3 reads them, and the peer.
std::string extended_for(const http::Headers& headers, std::string_view peer) {
  std::string out;
  for (const http::Field field : headers) {
    if (!http::equal_ignoring_case(field.name, kFor) || field.value.empty()) continue;
    if (out.size() + field.value.size() > kForwardedForLimit) return std::string(peer);
    out.append(field.value).append(", ");
  }
  return out.append(peer);
}

std::string_view address_of(const http::Request& request) {
  return request.peer ? std::string_view(request.peer->address) : std::string_view();
}

/// What a trusted proxy says that its client asked for.
std::optional<std::string> told_host(const http::Headers& headers) {
  const std::optional<std::string_view> host = headers.only(kHost);
  return host ? http::parse_authority(*host) : std::nullopt;
}

/// What the listener's own certificate or that of a Host says.
std::vector<std::string> client_details(const config::Listen& listener,
                                        const std::vector<config::Host>& hosts) {
  if (!listener.tls.forward_client.empty()) return listener.tls.forward_client;
  for (const config::Host& host : hosts) {
    if (!host.tls.forward_client.empty()) return host.tls.forward_client;
  }
  return {};
}

std::vector<ListenerTrust> trust_of(const config::Gateway& settings) {
  std::vector<ListenerTrust> out;
  for (const config::Listen& listener : settings.listen) {
    out.push_back({.hops = listener.trusted_hops,
                   .secure_by = listener.secure_by == "always"  ? SecureBy::kAlways
                                : listener.secure_by == "never" ? SecureBy::kNever
                                                                : SecureBy::kForwarded,
                   .forward_client = client_details(listener, settings.hosts)});
  }
  return out;
}

}  // namespace

RequestIds::RequestIds(Entropy& entropy) : state_(0) {
  std::array<std::uint8_t, sizeof state_> bytes{};
  entropy.fill(bytes);
  std::memcpy(&state_, bytes.data(), sizeof state_);
}

std::string RequestIds::next() {
  // A permutation of a counter (splitmix64): no id comes twice, and none tells how many there were.
  state_ += 0x9e3779b97f4a7c15U;
  std::uint64_t mixed = state_;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9U;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebU;
  mixed ^= mixed >> 31;
  constexpr std::string_view kDigits = "0123456789abcdefghjkmnpqrstvwxyz";
  std::string id(13, '0');
  for (char& c : id) {
    c = kDigits[mixed & 31];
    mixed >>= 5;
  }
  return id;
}

Result<Forwarded> Forwarded::make(const config::Gateway& settings) {
  Result<http::TrustedProxies> trusted = http::TrustedProxies::parse(settings.trusted_proxies);
  if (!trusted) return fail(std::move(trusted));
  return Forwarded(std::move(*trusted), {.listeners = trust_of(settings),
                                         .keep_request_id = settings.keep_request_id,
                                         .keep_any_request_id = settings.keep_any_request_id});
}

const ListenerTrust& Forwarded::listener_of(const http::Request& request) const {
  if (!request.peer || request.peer->listener >= options_.listeners.size()) return plain_;
  return options_.listeners[request.peer->listener];
}

bool Forwarded::trusts(const http::Request& request) const {
  if (!request.peer) return false;
  return listener_of(request).hops > 0 || trusted_.contains(request.peer->address);
}

bool Forwarded::secure(const http::Request& request, bool trusted) const {
  const SecureBy by = listener_of(request).secure_by;
  if (by != SecureBy::kForwarded) return by == SecureBy::kAlways;
  if (trusted) {
    const std::optional<std::string_view> proto = request.headers.only(kProto);
    // RFC 3986 §3.1: schemes have no case.
    if (proto && http::equal_ignoring_case(*proto, "https")) return true;
    if (proto && http::equal_ignoring_case(*proto, "http")) return false;
  }
  return request.peer && request.peer->tls;
}

Client Forwarded::client(const http::Request& request) const {
  const bool trusted = trusts(request);
  Client out{.address = std::string(address_of(request)), .secure = secure(request, trusted)};
  if (!trusted) return out;
  const std::size_t hops = listener_of(request).hops;
  out.address =
      hops > 0 ? http::client_address(request, hops) : http::client_address(request, trusted_);
  return out;
}

std::string_view Forwarded::request_id(const http::Request& request) const {
  const bool kept = options_.keep_any_request_id || (options_.keep_request_id && trusts(request));
  if (!kept) return "";
  const std::optional<std::string_view> id = request.headers.only(kRequestId);
  return id && is_plain_id(*id) ? *id : std::string_view();
}

void Forwarded::apply(const http::Request& request, http::Headers& headers) const {
  const bool trusted = trusts(request);
  const bool is_secure = secure(request, trusted);
  const std::string chain = trusted ? extended_for(headers, address_of(request)) : std::string();
  const std::optional<std::string> told = trusted ? told_host(headers) : std::nullopt;
  headers.remove_if([trusted](http::Field field) {
    if (!tells_of_client(field.name)) return false;
    return !trusted || is_never_kept(field.name);
  });
  const std::string_view forwarded_for = trusted ? chain : address_of(request);
  const std::string_view host = told ? *told : request.authority;
  if (!forwarded_for.empty()) headers.add(kFor, forwarded_for);
  headers.add(kProto, is_secure ? "https" : "http");
  if (!host.empty()) headers.add(kHost, host);
  if (!request.trace.request_id.empty()) headers.add(kRequestId, request.trace.request_id);
  add_client_certificate(request, headers);
}

/// The client's own takes the place of what a proxy in front may have told.
void Forwarded::add_client_certificate(const http::Request& request, http::Headers& headers) const {
  if (!request.peer || !request.peer->certificate) return;
  const std::vector<std::string>& details = listener_of(request).forward_client;
  if (details.empty()) return;
  headers.set(kClientCertificate,
              forwarded_client_certificate(*request.peer->certificate, details));
}

void Forwarded::strip_untrusted(const http::Request& request, http::Headers& headers) const {
  if (trusts(request)) return;
  headers.remove_if([](http::Field field) { return tells_of_client(field.name); });
}

}  // namespace gatehouse::gateway
