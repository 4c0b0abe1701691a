// Reads Ambassador's manifests (getambassador.io, v0 to v3alpha1) into the gateway's settings.
//
// Works on files alone: no Kubernetes API, no conversion webhook. Reads Mapping, Host, TLSContext,
// Listener, Module, AuthService, TCPMapping and TracingService, the Secrets that they name, and the
// annotation getambassador.io/config of Services. Objects of other API groups are passed over,
// those of Ingress and the Gateway API that Ambassador would serve with a warning.
//
// Nothing fails as a whole. An object that is wrong is named with its reason, and keeps its last
// good version; without one it is left out. The rest is read. Whatever is left out leaves the
// gateway as strict as it was, or stricter: a broken AuthService denies instead of leaving the door
// open. Stateless: the caller hands on what was good before.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/config.h"
#include "config/gateway_settings.h"

namespace gatehouse::config::ambassador {

/// 10,000 Mappings have a tenth of these.
inline constexpr std::size_t kMaxManifestFileBytes = std::size_t{16} * 1024 * 1024;
inline constexpr std::size_t kMaxFolderBytes = std::size_t{64} * 1024 * 1024;
inline constexpr std::size_t kMaxManifestFiles = 10'000;
inline constexpr std::size_t kMaxFolderDepth = 8;
/// In one file.
inline constexpr std::size_t kMaxDocuments = 50'000;
/// In all files together.
inline constexpr std::size_t kMaxManifestValues = 2'000'000;
/// A CustomResourceDefinition, which is passed over, reaches 20.
inline constexpr int kMaxManifestDepth = 64;
/// Of each kind; one more entry counts the rest.
inline constexpr std::size_t kMostFindings = 1'000;

struct ManifestFile {
  std::string name;  // for messages
  std::string text;
};

struct ManifestOptions {
  /// Objects count that name this in ambassador_id, or that name none if this is "default".
  std::string ambassador_id = "default";
  /// Objects without a namespace belong to this one. A service without a dot belongs to its
  /// Mapping's namespace, unless that is this one.
  std::string gateway_namespace = "default";
  /// Prefixes match as text, as Ambassador has it: /notebook/a matches /notebook/ab.
  /// `gatehouse_string_prefix: true` in the Module says the same.
  bool string_prefix = false;
  /// Listeners open nothing: the addresses of base.listen stay, as --listen gives them. What the
  /// Module says of listeners holds for them.
  bool keep_listen = false;
  /// Ambassador's own routes for probes are added.
  bool probe_routes = false;
  /// What Listeners show that speak TLS, while no Host has a certificate. Empty: they are problems
  /// then, and are not opened.
  Tls self_signed;
  /// Whether the certificate, key and authorities of a Host or a TLSContext are ones and fit, which
  /// is more than this reader knows of TLS. Empty: they are taken as they are.
  std::function<Result<void>(const Tls&)> check_tls;
  std::function<Result<void>(const UpstreamTls&)> check_upstream_tls;
};

/// What each object said when it was last right.
struct LastGood;

struct Manifests {
  Gateway gateway;
  std::vector<Problem> problems;  // what is wrong, and left out or kept as it was
  std::vector<Problem> warnings;  // what is accepted and has no effect, and odd values
  /// Never null: for the next reading, once this one is in force.
  std::shared_ptr<LastGood> good;
};

/// Adds what the files say to `base`. Files in the order given; of several objects where one is
/// meant, the first counts. Routes are added in the order in which they stand. `before`: of the
/// state in force; null at the start. An object that is wrong keeps its version in there, as does
/// one that cannot be found in a file of which something cannot be read; one that is gone goes.
Manifests read_manifests(const std::vector<ManifestFile>& files, const Gateway& base,
                         const ManifestOptions& options = {}, const LastGood* before = nullptr);

/// For the Mapping of a route that turns out to be wrong when it is compiled: its version in
/// `before`, which then is its good one too, or null, if it was never right. Good as long as
/// `before` is.
const Route* keep_last_good(const Route& wrong, const LastGood* before, LastGood& good);
/// The same for a TCPMapping. Null too if it says now what it said then.
const TcpRoute* keep_last_good(const TcpRoute& wrong, const LastGood* before, LastGood& good);

/// The *.yaml, *.yml and *.json files below `path`, sorted by name; names are relative to `path`.
/// Hidden files and folders are passed over: a mounted ConfigMap keeps its versions there.
/// kNotFound, kInvalid if the folder or a file cannot be read, kExhausted over a limit.
Result<std::vector<ManifestFile>> read_folder(const std::string& path);

}  // namespace gatehouse::config::ambassador
