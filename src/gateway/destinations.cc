#include "gateway/destinations.h"

#include <utility>

#include "gateway/route_name.h"

namespace gatehouse::gateway {

Result<std::vector<Destination>> destinations(const std::vector<config::Route>& routes,
                                              const std::map<std::string, http::Handler*>& local,
                                              upstream::Clusters& clusters) {
  std::vector<Destination> out;
  for (const config::Route& route : routes) {
    const std::string& service = route.upstream.service;
    const auto found = local.find(service);
    if (found != local.end()) {
      out.push_back(Destination{.local = found->second});
      continue;
    }
    const std::string at = "route \"" + route_name(route) + "\": service";
    if (!service.contains("://")) {
      return fail(ErrorCode::kInvalid, at + " \"" + service +
                                           "\" is neither an http(s) URL nor a role of this "
                                           "process");
    }
    Result<std::shared_ptr<upstream::Cluster>> cluster = clusters.get(route.upstream);
    if (!cluster) return std::unexpected(std::move(cluster).error().in(at));
    out.push_back(Destination{.cluster = *std::move(cluster)});
  }
  return out;
}

}  // namespace gatehouse::gateway
