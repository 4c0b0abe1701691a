#include "app/gateway_sources.h"

#include <utility>

#include "config/ambassador/manifests.h"

namespace gatehouse::app {
namespace {

std::vector<std::string> lines(const std::vector<config::Problem>& problems) {
  std::vector<std::string> out;
  for (const config::Problem& problem : problems) out.push_back(problem.str());
  return out;
}

}  // namespace

Result<GatewaySources> gather(const config::Gateway& base, bool keep_listen) {
  GatewaySources out{.gateway = base, .problems = {}, .warnings = {}};
  if (base.manifests.empty()) return out;
  const Result<std::vector<config::ambassador::ManifestFile>> files =
      config::ambassador::read_folder(base.manifests);
  if (!files) return std::unexpected(files.error());
  config::ambassador::Manifests manifests =
      config::ambassador::read_manifests(*files, base, {.keep_listen = keep_listen});
  out.gateway = std::move(manifests.gateway);
  out.problems = lines(manifests.problems);
  out.warnings = lines(manifests.warnings);
  return out;
}

}  // namespace gatehouse::app
