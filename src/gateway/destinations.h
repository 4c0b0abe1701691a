// Where each route leads: to a part of this process, or to the cluster of its service.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/settings.h"
#include "gateway/proxy.h"
#include "gateway/upstream/clusters.h"
#include "http/message.h"

namespace gatehouse::gateway {

/// Of the routes, in their order. kInvalid names the route whose service is neither an origin nor
/// one of `local`, or whose other settings for it cannot be.
Result<std::vector<Destination>> destinations(const std::vector<config::Route>& routes,
                                              const std::map<std::string, http::Handler*>& local,
                                              upstream::Clusters& clusters);

}  // namespace gatehouse::gateway
