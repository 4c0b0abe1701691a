// What the gateway is told: the configuration file's part, and the manifests of the folder that it
// names, as one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/ambassador/manifests.h"
#include "config/gateway_settings.h"

namespace gatehouse::app {

struct GatewaySources {
  config::Gateway gateway;
  std::vector<std::string> problems;  // what is wrong, and why; a line each
  std::vector<std::string> warnings;
  /// Of the manifests; null if there is no folder.
  std::shared_ptr<config::ambassador::LastGood> good;
};

/// The same for as long as a process lives.
struct SourceOptions {
  bool keep_listen = false;  // manifests open no addresses: those of the settings stay
  /// What Listeners show that speak TLS, while no Host has a certificate: listener_tls.h.
  config::Tls self_signed;
};

/// Reads the folder, if `base` names one, and the certificates that are in it or that it names, so
/// that one that cannot be used is its object's fault and no other's. `before`: of the sources in
/// force, whose good versions stay of what is wrong now; null: none. An error if the folder cannot
/// be read.
Result<GatewaySources> gather(const config::Gateway& base, const SourceOptions& options,
                              const config::ambassador::LastGood* before = nullptr);

}  // namespace gatehouse::app
