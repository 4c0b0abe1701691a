#include "gateway/upstream/clusters.h"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "gateway/upstream/origin.h"
#include "gateway/upstream/service_cluster.h"

namespace gatehouse::gateway::upstream {
namespace {

/// Changes when one of the files does: certificates are renewed under the name they have.
std::string state_of_files(const config::UpstreamTls& settings) {
  std::string state;
  for (const std::string& file : {settings.ca_file, settings.certificate, settings.key}) {
    struct stat found{};
    if (file.empty() || ::stat(file.c_str(), &found) != 0) continue;
    state += file + " " + std::to_string(found.st_ino) + " " + std::to_string(found.st_size) + " " +
             std::to_string(found.st_mtim.tv_sec) + "." + std::to_string(found.st_mtim.tv_nsec) +
             "\n";
  }
  return state;
}

}  // namespace

Clusters::Clusters(Parts parts) : parts_(parts), sweeper_(parts.loop, [this] { sweep(); }) {}

Result<std::shared_ptr<Cluster>> Clusters::get(const config::Upstream& settings) {
  const std::string files = state_of_files(settings.tls);
  const auto [begin, end] = entries_.equal_range(settings.service);
  for (auto known = begin; known != end; ++known) {
    Entry& entry = known->second;
    if (entry.files != files || entry.settings != settings) continue;
    entry.unused_since.reset();
    return entry.cluster;
  }
  Result<http::Url> url = check(settings);
  if (!url) return fail(std::move(url));
  ServiceCluster::Parts parts{.loop = parts_.loop,
                              .resolver = parts_.resolver,
                              .board = parts_.board,
                              .entropy = parts_.entropy,
                              .tls = nullptr};
  if (url->scheme == "https") {
    Result<std::shared_ptr<const net::ClientTls>> tls = tls_for(settings.tls, files);
    if (!tls) return fail(std::move(tls));
    parts.tls = *std::move(tls);
  }
  auto cluster = std::make_shared<ServiceCluster>(settings, *std::move(url), std::move(parts));
  entries_.emplace(settings.service, Entry{settings, files, cluster, std::nullopt});
  if (!sweeper_.armed()) sweeper_.set_after(kSweepInterval);
  return cluster;
}

Result<std::shared_ptr<const net::ClientTls>> Clusters::tls_for(const config::UpstreamTls& settings,
                                                                const std::string& files) {
  config::UpstreamTls wanted = settings;
  wanted.server_name.clear();  // is said of each connection
  std::erase_if(tls_, [](const LoadedTls& loaded) { return loaded.tls.expired(); });
  for (const LoadedTls& loaded : tls_) {
    if (loaded.settings != wanted || loaded.files != files) continue;
    if (std::shared_ptr<const net::ClientTls> tls = loaded.tls.lock()) return tls;
  }
  Result<std::shared_ptr<const net::ClientTls>> tls = load_tls(wanted);
  if (tls) tls_.push_back({std::move(wanted), files, *tls});
  return tls;
}

void Clusters::sweep() {
  const MonotonicTime now = parts_.loop.now();
  for (auto known = entries_.begin(); known != entries_.end();) {
    Entry& entry = known->second;
    if (entry.cluster.use_count() > 1) {
      entry.unused_since.reset();
    } else if (!entry.unused_since) {
      entry.unused_since = now;
    }
    const bool over = entry.unused_since && now - *entry.unused_since >= kGrace;
    known = over ? entries_.erase(known) : std::next(known);
  }
  if (!entries_.empty()) sweeper_.set_after(kSweepInterval);
}

std::vector<ClusterStatus> Clusters::status() const {
  std::vector<ClusterStatus> out;
  out.reserve(entries_.size());
  for (const auto& [service, entry] : entries_) out.push_back(entry.cluster->status());
  std::ranges::sort(out, {}, &ClusterStatus::service);
  return out;
}

std::size_t Clusters::size() const {
  return entries_.size();
}

}  // namespace gatehouse::gateway::upstream
