#include "gateway/routing/host_policy.h"

#include <utility>

namespace gatehouse::gateway {
namespace {

constexpr std::string_view kAcmePath = "/.well-known/acme-challenge/";
constexpr std::string_view kProbePaths = "/ambassador/v0/check_";

std::optional<HostPolicy::Outcome> parse_insecure(std::string_view text) {
  if (text == "route") return HostPolicy::Outcome::kRoute;
  if (text == "redirect") return HostPolicy::Outcome::kRedirect;
  if (text == "reject") return HostPolicy::Outcome::kReject;
  return std::nullopt;
}

}  // namespace

HostPolicy HostPolicy::make(const std::vector<config::Host>& hosts, Unknown unknown,
                            std::vector<Problem>& problems) {
  HostPolicy out;
  out.unknown_ = unknown;
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    const auto wrong = [&](std::string reason) {
      problems.push_back({Problem::Of::kHost, i, std::move(reason)});
    };
    const std::optional<HostPattern> pattern = HostPattern::parse(hosts[i].hostname);
    if (!pattern) {
      wrong("hostname must be a name without port, \"*.\" and a name, or \"*\"");
      continue;
    }
    Rules& rules = out.rules_[*pattern];
    if (rules.insecure) {
      wrong("another host has the same hostname; that one holds");
      continue;
    }
    const config::Tls& tls = hosts[i].tls;
    if (!tls.certificate.empty() || !tls.certificate_pem.empty()) {
      rules.asks_for_certificates = !tls.client_ca.empty() || !tls.client_ca_pem.empty();
    }
    rules.insecure = parse_insecure(hosts[i].insecure);
    if (!rules.insecure) {
      wrong("insecure must be redirect, route or reject; its insecure requests are rejected");
      rules.insecure = Outcome::kReject;
    }
  }
  return out;
}

HostPolicy::Outcome HostPolicy::outcome(const http::Request& request, bool secure) const {
  if (secure && unknown_ == Unknown::kRoute) return Outcome::kRoute;
  const std::string_view path = request.target.path();
  if (path.starts_with(kAcmePath) || path.starts_with(kProbePaths)) return Outcome::kRoute;
  const std::optional<Outcome> found = insecure(request.authority);
  if (!found) return unknown_ == Unknown::kReject ? Outcome::kUnknown : Outcome::kRoute;
  return secure ? Outcome::kRoute : *found;
}

/// What the most particular Host says of insecure requests; nullopt if none matches.
std::optional<HostPolicy::Outcome> HostPolicy::insecure(std::string_view authority) const {
  std::optional<Outcome> found;
  const auto take = [&found](const Rules& rules) {
    found = rules.insecure;
    return true;
  };
  if (!rules_.visit(host_of(authority), take)) found = rules_.any().insecure;
  return found;
}

bool HostPolicy::asks_for_certificates(std::string_view authority) const {
  bool asks = false;
  rules_.visit(host_of(authority), [&asks](const Rules& rules) {
    asks = rules.asks_for_certificates.value_or(false);
    return rules.asks_for_certificates.has_value();
  });
  return asks;
}

std::optional<std::string> https_location(const http::Request& request, HttpsPort port) {
  const std::string_view host = host_of(request.authority);
  if (host.empty()) return std::nullopt;
  std::string out = "https://";
  out.append(port == HttpsPort::kSame ? std::string_view(request.authority) : host);
  return out + request.target.str();
}

}  // namespace gatehouse::gateway
