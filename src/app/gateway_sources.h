// What the gateway is told: the configuration file's part, and the manifests of the folder that it
// names, as one.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "config/gateway_settings.h"

namespace gatehouse::app {

struct GatewaySources {
  config::Gateway gateway;
  std::vector<std::string> problems;  // what is left out, and why; a line each
  std::vector<std::string> warnings;
};

/// Reads the folder, if `base` names one. `keep_listen`: Listeners open nothing. An error if it
/// cannot be read.
Result<GatewaySources> gather(const config::Gateway& base, bool keep_listen);

}  // namespace gatehouse::app
