// How a route is called in logs and metrics.
#pragma once

#include <string>

#include "config/settings.h"

namespace gatehouse::gateway {

inline const std::string& route_name(const config::Route& route) {
  return route.name.empty() ? route.prefix : route.name;
}

}  // namespace gatehouse::gateway
