// `gatehouse gateway serve`: the gateway by a configuration file, by a folder of Ambassador's
// manifests, or by both.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/process.h"
#include "config/settings.h"

namespace gatehouse::app {

struct GatewayArguments {
  std::string config;     // "": defaults and environment
  std::string manifests;  // folder
  std::string ambassador_id;
  std::vector<std::string> listen;
  std::string certificate, key;
  std::optional<std::string> operations;  // "": off
};

/// The settings that the arguments and the file they name give together; the arguments win, and
/// what is not given (empty) stays as it is. Without a file nobody is asked who they are, unless an
/// AuthService of the manifests says whom to ask. nullopt: told on stderr.
std::optional<config::Settings> gateway_settings(const GatewayArguments& arguments);

/// What serve() is to be given; `settings` are those of gateway_settings().
ServeOptions gateway_serve_options(const GatewayArguments& arguments, config::Settings settings);

}  // namespace gatehouse::app
