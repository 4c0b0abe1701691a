#include "gateway/routing/host_policy.h"

#include <utility>

namespace gatehouse::gateway {
namespace {

std::optional<HostPolicy::Insecure> parse_insecure(std::string_view text) {
  if (text == "route") return HostPolicy::Insecure::kRoute;
  if (text == "redirect") return HostPolicy::Insecure::kRedirect;
  if (text == "reject") return HostPolicy::Insecure::kReject;
  return std::nullopt;
}

}  // namespace

HostPolicy HostPolicy::make(const std::vector<config::Host>& hosts,
                            std::vector<Problem>& problems) {
  HostPolicy out;
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
      rules.insecure = Insecure::kReject;
    }
  }
  return out;
}

bool HostPolicy::knows(std::string_view authority) const {
  return rules_.any().insecure.has_value() ||
         rules_.visit(host_of(authority), [](const Rules& /*rules*/) { return true; });
}

HostPolicy::Insecure HostPolicy::insecure_action(std::string_view authority) const {
  std::optional<Insecure> found;
  const auto take = [&found](const Rules& rules) {
    found = rules.insecure;
    return true;
  };
  if (!rules_.visit(host_of(authority), take)) found = rules_.any().insecure;
  return found.value_or(Insecure::kRoute);
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
