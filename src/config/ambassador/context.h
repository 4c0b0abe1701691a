// What objects need to know of one another while they are read.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "config/ambassador/manifests.h"
#include "config/ambassador/objects.h"
#include "config/ambassador/secrets.h"
#include "config/ambassador/tls_contexts.h"

namespace gatehouse::config::ambassador {

/// What the Module says about Mappings. Nodes are null if it says nothing; they have been checked.
struct MappingDefaults {
  const YamlNode* of_mappings = nullptr;      // config.defaults.httpmapping
  const YamlNode* of_tcp_mappings = nullptr;  // config.defaults.tcpmapping
  const YamlNode* of_all = nullptr;           // config.defaults
  /// The few fields of config itself that Mappings take over: cors, retry_policy, …
  std::shared_ptr<const YamlNode> system_wide;
  std::chrono::milliseconds timeout{3'000};
  bool string_prefix = false;
  /// Services without a dot belong to the gateway's namespace, not to their Mapping's.
  bool services_in_gateway_namespace = false;
  /// The routes of probes, on every listener and for every host; "": none.
  std::string alive_path = "/ambassador/v0/check_alive";
  std::string ready_path = "/ambassador/v0/check_ready";
};

struct Versions;  // last_good.h

struct Context {
  const ManifestOptions& options;
  const Gateway& base;
  const Versions& versions;
  const Secrets& secrets;
  const TlsContexts& tls_contexts;
  MappingDefaults defaults;
  std::set<std::string> consul_resolvers;
};

}  // namespace gatehouse::config::ambassador
