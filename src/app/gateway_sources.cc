#include "app/gateway_sources.h"

#include <utility>

#include "gateway/tls_hosts.h"
#include "gateway/upstream/origin.h"
#include "net/tls.h"

namespace gatehouse::app {
namespace {

std::vector<std::string> lines(const std::vector<config::Problem>& problems) {
  std::vector<std::string> out;
  for (const config::Problem& problem : problems) out.push_back(problem.str());
  return out;
}

config::ambassador::ManifestOptions manifest_options(const config::Gateway& base,
                                                     const SourceOptions& options) {
  config::ambassador::ManifestOptions out{.ambassador_id = base.ambassador_id,
                                          .gateway_namespace = base.ambassador_namespace,
                                          .keep_listen = options.keep_listen,
                                          .probe_routes = true,
                                          .self_signed = options.self_signed};
  out.check_tls = [](const config::Tls& tls) -> Result<void> {
    const auto loaded = net::ServerTls::load({.hosts = {gateway::to_tls_host(tls, {})}});
    if (!loaded) return std::unexpected(loaded.error());
    return {};
  };
  out.check_upstream_tls = [](const config::UpstreamTls& tls) -> Result<void> {
    const auto loaded = gateway::upstream::load_tls(tls);
    if (!loaded) return std::unexpected(loaded.error());
    return {};
  };
  return out;
}

}  // namespace

Result<GatewaySources> gather(const config::Gateway& base, const SourceOptions& options,
                              const config::ambassador::LastGood* before) {
  GatewaySources out{.gateway = base, .problems = {}, .warnings = {}, .good = nullptr};
  if (base.manifests.empty()) return out;
  const Result<std::vector<config::ambassador::ManifestFile>> files =
      config::ambassador::read_folder(base.manifests);
  if (!files) return std::unexpected(files.error());
  config::ambassador::Manifests manifests =
      config::ambassador::read_manifests(*files, base, manifest_options(base, options), before);
  out.gateway = std::move(manifests.gateway);
  out.problems = lines(manifests.problems);
  out.warnings = lines(manifests.warnings);
  out.good = std::move(manifests.good);
  return out;
}

}  // namespace gatehouse::app
