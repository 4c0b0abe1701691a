#include "gateway/routing/host_policy.h"

#include <utility>

namespace gatehouse::gateway {
namespace {

constexpr std::uint16_t kHttpsPort = 443;

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
    std::optional<Insecure>& action = out.actions_[*pattern];
    if (action) {
      wrong("another host has the same hostname; that one holds");
      continue;
    }
    action = parse_insecure(hosts[i].insecure);
    if (!action) {
      wrong("insecure must be redirect, route or reject; its insecure requests are rejected");
      action = Insecure::kReject;
    }
  }
  return out;
}

HostPolicy::Insecure HostPolicy::insecure_action(std::string_view authority) const {
  std::optional<Insecure> found;
  const auto take = [&found](const std::optional<Insecure>& action) {
    found = action;
    return true;
  };
  if (!actions_.visit(host_of(authority), take)) found = actions_.any();
  return found.value_or(Insecure::kRoute);
}

std::optional<std::string> https_location(const http::Request& request, std::uint16_t https_port) {
  const std::string_view host = host_of(request.authority);
  if (host.empty()) return std::nullopt;
  std::string out = "https://";
  out.append(host);
  const bool had_port = host.size() != request.authority.size();
  if (had_port && https_port != kHttpsPort) out += ":" + std::to_string(https_port);
  return out + request.target.str();
}

}  // namespace gatehouse::gateway
