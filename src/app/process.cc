#include "app/process.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <malloc.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <future>
#include <iterator>
#include <latch>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "app/events.h"
#include "app/folder_watch.h"
#include "app/gateway_sources.h"
#include "app/listener_tls.h"
#include "app/plan.h"
#include "app/reload.h"
#include "app/sealing_key.h"
#include "app/serving.h"
#include "app/worker.h"
#include "config/restart.h"
#include "crypto/random.h"
#include "net/tcp.h"
#include "store/memory/memory_database.h"
#include "store/sqlite/sqlite_database.h"

namespace gatehouse::app {
namespace {

/// An error with the exit code that it deserves.
struct Failed {
  int exit_code = kFailed;
  std::string message;
};
template <class T>
using Opened = std::expected<T, Failed>;

std::unexpected<Failed> failed(int exit_code, const Error& error) {
  return std::unexpected(Failed{exit_code, error.message});
}

bool has_gateway(Role role) {
  return role == Role::kAll || role == Role::kGateway;
}

Result<SourceOptions> make_source_options(const ServeOptions& options) {
  SourceOptions out{.keep_listen = options.keep_listen, .self_signed = {}};
  if (!has_gateway(options.role)) return out;
  Result<config::Tls> self_signed = make_self_signed_tls();
  if (!self_signed) return fail(std::move(self_signed));
  out.self_signed = std::move(*self_signed);
  return out;
}

/// Of a folder of manifests, if there is one.
std::optional<FolderWatch> watch_manifests(const std::string& folder, Role role,
                                           spdlog::logger& log) {
  if (folder.empty() || !has_gateway(role)) return std::nullopt;
  Result<FolderWatch> watch = FolderWatch::make(folder);
  if (watch) return std::move(*watch);
  log.warn("{}; SIGHUP reads the manifests again", watch.error().message);
  return std::nullopt;
}

/// Lines that the access log's files have lost, whichever is open. Thread-safe.
class DroppedLines {
 public:
  void change_file(std::shared_ptr<gateway::LogFile> file) {
    const std::lock_guard lock(mutex_);
    if (file == file_) return;
    if (file_) before_ += file_->dropped();
    file_ = std::move(file);
  }
  std::uint64_t count() const {
    const std::lock_guard lock(mutex_);
    return before_ + (file_ ? file_->dropped() : 0);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<gateway::LogFile> file_;
  std::uint64_t before_ = 0;
};

/// A host that is left out stands for all addresses, of IPv4 too.
std::string address_of(std::string_view scheme, net::Endpoint endpoint) {
  if (endpoint.host.empty()) endpoint.host = "::";
  return fmt::format("{}://{}", scheme, endpoint.str());
}

class Process {
 public:
  /// `settings`: as they were read, without the manifests.
  Process(Plan plan, config::Settings settings, SourceOptions source_options,
          std::function<std::optional<config::Settings>()> reread,
          std::shared_ptr<spdlog::logger> log)
      : plan_(std::move(plan)),
        settings_(std::move(settings)),
        source_options_(std::move(source_options)),
        reread_(std::move(reread)),
        common_{.clock = clock_, .entropy = entropy_, .log = std::move(log)} {}
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  /// `sources`: what was found in the manifests.
  Opened<void> open(const GatewaySources& sources);
  /// The first listener's, as a person would type it.
  std::string url() const;
  /// Where connections are accepted, the samples' apart.
  std::string addresses() const;
  /// `manifests` tells of changes since before they were first read.
  void serve_until_signal(std::optional<FolderWatch> manifests);

 private:
  Opened<void> open_store();
  Opened<void> open_gatekeeper(const Secret& sealing_key);
  Opened<void> open_identity(const Secret& sealing_key);
  Opened<void> load_provider_tls();
  Opened<void> check_ports();
  Result<void> prepare_serving();
  Opened<void> start_workers();
  void start_worker(std::size_t index, std::promise<Result<Worker*>> opened);
  void tell(const std::vector<std::string>& problems, const std::vector<std::string>& warnings);
  void wait_for_events(Events& events);
  void reread();
  void reload();
  Result<void> try_to_reload();
  void note_reload(std::string refusal);
  Result<Worker::Told> put_in_force(const std::shared_ptr<Serving>& fresh);
  void end_workers();

  const SystemClock clock_;
  crypto::SystemEntropy entropy_;
  Plan plan_;
  config::Settings settings_;
  const SourceOptions source_options_;
  const std::function<std::optional<config::Settings>()> reread_;
  Common common_;
  DroppedLines dropped_lines_;
  std::shared_ptr<Serving> serving_ = std::make_shared<Serving>();  // in force
  std::unique_ptr<store::Database> database_;
  std::unique_ptr<BlockingPool> database_thread_;
  std::unique_ptr<BlockingPool> password_threads_;
  std::vector<Worker*> workers_;  // each owned by its thread
  std::vector<std::future<void>> stopped_;
  std::promise<void> pools_are_gone_;
  const std::shared_future<void> may_go_ = pools_are_gone_.get_future().share();
  std::vector<std::jthread> threads_;
};

Process::~Process() {
  for (Worker* worker : workers_) worker->stop();
  end_workers();
}

void Process::end_workers() {
  if (threads_.empty()) return;
  for (std::future<void>& stopped : stopped_) stopped.wait();
  // What the pools still do is posted to loops, which therefore go after them.
  password_threads_.reset();
  database_thread_.reset();
  pools_are_gone_.set_value();
  threads_.clear();
  workers_.clear();
}

Opened<void> Process::open(const GatewaySources& sources) {
  common_.good = sources.good;
  common_.report.replace(sources.problems, sources.warnings);
  const Opened<void> ports = check_ports();
  if (!ports) return ports;
  const Opened<void> provider = load_provider_tls();
  if (!provider) return provider;
  common_.started = clock_.now();
  common_.metrics = std::make_shared<gateway::Metrics>(plan_.settings.gateway);
  common_.metrics->set_clusters([this] { return common_.clusters.views(); });
  common_.metrics->set_problems(
      [this] { return common_.report.problems().size() + common_.report.warnings().size(); });
  common_.metrics->set_dropped_lines([this] { return dropped_lines_.count(); });
  const Result<void> prepared = prepare_serving();
  if (!prepared) return failed(kConfiguration, prepared.error());
  if (plan_.has_gatekeeper() || plan_.has_identity()) {
    const Opened<void> opened = open_store();
    if (!opened) return opened;
  }
  const Opened<void> started = start_workers();
  if (started) tell(common_.report.problems(), common_.report.warnings());
  return started;
}

/// All but the gateway, which the first loop compiles.
Result<void> Process::prepare_serving() {
  const config::Gateway& settings = plan_.settings.gateway;
  Result<std::shared_ptr<gateway::LogFile>> access_log = open_access_log(settings.access_log);
  if (!access_log) return fail(std::move(access_log));
  serving_->access_log = std::move(*access_log);
  dropped_lines_.change_file(serving_->access_log);
  if (has_gateway(plan_.role)) {
    config::Gateway own = settings;
    std::vector<std::string> taken = leave_out_taken_ports(own, {});
    Result<CompiledTcp> tcp = compile_tcp(own, common_.good.get());
    if (!tcp) return fail(std::move(tcp));
    serving_->tcp = std::move(tcp->routes);
    common_.report.add(std::move(taken), {});
    common_.report.add(std::move(tcp->problems), std::move(tcp->warnings));
  }
  serving_->listeners = plan_.listeners;
  std::vector<std::string> warnings;
  const Result<void> loaded = load_certificates(serving_->listeners, settings.hosts, warnings);
  common_.report.add({}, std::move(warnings));
  return loaded;
}

/// Reading the system's certificates takes longer than all else at the start.
Opened<void> Process::load_provider_tls() {
  if (!plan_.has_gatekeeper() || plan_.built_in_provider()) return {};
  Result<std::shared_ptr<const net::ClientTls>> tls = net::ClientTls::load({});
  if (!tls) return failed(kConfiguration, tls.error());
  common_.provider_tls = std::move(*tls);
  return {};
}

Opened<void> Process::check_ports() {
  for (const PlannedListener& listener : plan_.listeners) {
    const Result<void> free = net::check_port_free(listener.endpoint);
    if (!free) return failed(kAddressInUse, free.error());
  }
  return {};
}

Opened<void> Process::open_store() {
  const config::StoreSettings& settings = plan_.settings.store;
  if (settings.kind == "memory") {
    database_ = store::make_memory_database();
  } else {
    Result<std::unique_ptr<store::Database>> database = store::open_sqlite_database(settings.path);
    if (!database) return failed(kStore, database.error());
    database_ = std::move(*database);
  }
  const Result<Secret> sealing_key = load_sealing_key(settings, entropy_);
  if (!sealing_key) return failed(kStore, sealing_key.error());
  database_thread_ = std::make_unique<BlockingPool>(
      BlockingPool::Options{.name = "store", .threads = 1, .queue_limit = settings.queue});
  common_.database = database_.get();
  common_.database_thread = database_thread_.get();
  if (plan_.has_gatekeeper()) {
    const Opened<void> opened = open_gatekeeper(*sealing_key);
    if (!opened) return opened;
  }
  if (plan_.has_identity()) return open_identity(*sealing_key);
  return {};
}

Opened<void> Process::open_gatekeeper(const Secret& sealing_key) {
  common_.gatekeeper = gatekeeper::Shared::make(
      plan_.settings.gatekeeper, plan_.settings.public_url, sealing_key, entropy_, clock_);
  const Result<void> started = common_.gatekeeper->start(*database_);
  if (!started) return failed(kStore, started.error());
  return {};
}

Opened<void> Process::open_identity(const Secret& sealing_key) {
  config::Identity settings = plan_.settings.identity;
  if (plan_.built_in_provider()) {
    const config::Gatekeeper& gatekeeper = plan_.settings.gatekeeper;
    settings.clients.push_back({.id = gatekeeper.client_id,
                                .secret = common_.gatekeeper->client_secret(),
                                .name = "Gatehouse",
                                .redirect_uris = {gatekeeper.redirect_uri},
                                .is_public = false,
                                .id_token_alg = "ES256"});
  }
  const config::Passwords& passwords = settings.passwords;
  password_threads_ = std::make_unique<BlockingPool>(BlockingPool::Options{
      .name = "passwords", .threads = passwords.threads, .queue_limit = passwords.queue});
  std::vector<std::string> trusted_proxies = settings.trusted_proxies;
  common_.identity = identity::Shared::make(std::move(settings), sealing_key, *password_threads_,
                                            entropy_, clock_, std::move(trusted_proxies));
  const Result<void> started = common_.identity->start(*database_);
  if (!started) return failed(kStore, started.error());
  return {};
}

void Process::start_worker(std::size_t index, std::promise<Result<Worker*>> opened) {
  std::promise<void> stopped;
  stopped_.push_back(stopped.get_future());
  threads_.emplace_back([this, index, opened = std::move(opened), stopped = std::move(stopped),
                         may_go = may_go_]() mutable {
    Result<std::unique_ptr<Worker>> worker = Worker::open(index, plan_, common_, serving_);
    if (worker) {
      opened.set_value(worker->get());
      (*worker)->run();
    } else {
      opened.set_value(fail(std::move(worker)));
    }
    stopped.set_value();
    may_go.wait();
  });
}

Opened<void> Process::start_workers() {
  // One after the other: the first learns the ports that the system chose, the others share them.
  for (std::size_t i = 0; i < plan_.loops; ++i) {
    std::promise<Result<Worker*>> opened;
    std::future<Result<Worker*>> result = opened.get_future();
    start_worker(i, std::move(opened));
    const Result<Worker*> worker = result.get();
    if (!worker) {
      const bool taken = worker.error().code == ErrorCode::kConflict;
      return failed(taken ? kAddressInUse : kConfiguration, worker.error());
    }
    workers_.push_back(*worker);
  }
  common_.ready = true;
  return {};
}

std::string Process::url() const {
  const PlannedListener& first = plan_.front();
  const std::string& host = first.endpoint.host;
  const bool is_here = host.empty() || host == "127.0.0.1" || host == "::1";
  return fmt::format(
      "{}://{}", has_certificate(first.settings.tls) ? "https" : "http",
      is_here ? fmt::format("localhost:{}", first.endpoint.port) : first.endpoint.str());
}

std::string Process::addresses() const {
  std::vector<std::string> served, operations;
  for (const PlannedListener& listener : serving_->listeners) {
    if (listener.service == Service::kSamples) continue;
    std::vector<std::string>& all = listener.service == Service::kOperations ? operations : served;
    all.push_back(address_of(listener.tls ? "https" : "http", listener.endpoint));
  }
  if (serving_->tcp) {
    for (const gateway::TcpRoutes::Listen& listen : serving_->tcp->listens()) {
      served.push_back(address_of("tcp", listen.endpoint));
    }
  }
  const std::string told = fmt::format("{}", fmt::join(served, ", "));
  if (operations.empty()) return told;
  return fmt::format("{}; operations on {}", told, fmt::join(operations, ", "));
}

void Process::tell(const std::vector<std::string>& problems,
                   const std::vector<std::string>& warnings) {
  for (const std::string& text : problems) common_.log->error("{}", text);
  for (const std::string& text : warnings) common_.log->warn("{}", text);
}

/// The file and all that it names. What needs a restart is named.
void Process::reread() {
  if (serving_->access_log) serving_->access_log->reopen();
  std::optional<config::Settings> fresh;
  if (reread_) fresh = reread_();
  if (reread_ && !fresh) {
    common_.log->error("the configuration was not reloaded; what was in force stays");
    note_reload("the configuration cannot be read, or is wrong; the log says where");
    return;
  }
  if (fresh) {
    for (const std::string& field : config::needs_restart(settings_, *fresh)) {
      common_.log->warn("{}: has changed, and takes effect at the next start", field);
    }
    settings_.gateway = std::move(fresh->gateway);
    settings_.gatekeeper.listen = std::move(fresh->gatekeeper.listen);
    settings_.identity.listen = std::move(fresh->identity.listen);
  }
  reload();
}

void Process::reload() {
  const MonotonicTime begun = clock_.monotonic();
  const Result<void> reloaded = try_to_reload();
  const auto took = clock_.monotonic() - begun;
  if (reloaded) {
    common_.log->info("reloaded in {} ms",
                      std::chrono::duration_cast<std::chrono::milliseconds>(took).count());
  } else {
    common_.log->error("not reloaded, what was in force stays: {}", reloaded.error().message);
  }
  note_reload(reloaded ? "" : reloaded.error().message);
}

/// For the metrics and the page. `refusal`: why it was not applied; empty if it was.
void Process::note_reload(std::string refusal) {
  const bool applied = refusal.empty();
  common_.metrics->reloads().add(
      {.time = clock_.now(), .applied = applied, .what = std::move(refusal)});
}

Result<void> Process::try_to_reload() {
  Result<Reload> fresh = prepare_reload(settings_, {.plan = plan_,
                                                    .serving = *serving_,
                                                    .good = common_.good.get(),
                                                    .sources = source_options_,
                                                    .rate_limits = common_.rate_limits});
  if (!fresh) return fail(std::move(fresh));
  Result<Worker::Told> services = put_in_force(fresh->serving);
  if (!services) return fail(std::move(services));
  serving_ = std::move(fresh->serving);
  common_.good = std::move(fresh->good);
  dropped_lines_.change_file(serving_->access_log);
  std::ranges::move(*services, std::back_inserter(fresh->problems));
  tell(fresh->problems, fresh->warnings);
  common_.report.replace(std::move(fresh->problems), std::move(fresh->warnings));
  return {};
}

/// On all loops, or on none.
Result<Worker::Told> Process::put_in_force(const std::shared_ptr<Serving>& fresh) {
  // The first finds out whether it can be, and which ports the system chooses.
  Result<Worker::Told> first = workers_.front()->reload(fresh).get();
  if (!first) return first;
  std::vector<std::future<Result<Worker::Told>>> others;
  for (std::size_t i = 1; i < workers_.size(); ++i) others.push_back(workers_[i]->reload(fresh));
  std::optional<Error> error;
  for (std::future<Result<Worker::Told>>& other : others) {
    Result<Worker::Told> done = other.get();
    if (!done) error = std::move(done).error();
  }
  if (!error) return first;
  for (Worker* worker : workers_) worker->reload(serving_).wait();
  return std::unexpected(std::move(*error));
}

void Process::serve_until_signal(std::optional<FolderWatch> manifests) {
  Events events(std::move(manifests));
  wait_for_events(events);
  common_.ready = false;
  // A second signal does not wait for the drain.
  std::thread([] {
    Events(std::nullopt).wait_for_stop();
    _exit(kFailed);
  }).detach();
  const config::Settings& settings = plan_.settings;
  if (settings.drain_delay.count() > 0) {
    common_.log->info("not ready any more: drains in {} ms", settings.drain_delay.count());
    for (Worker* worker : workers_) worker->dismiss();
    std::this_thread::sleep_for(settings.drain_delay);
  }
  common_.log->info("draining: what is under way has {} ms to finish",
                    settings.drain_timeout.count());
  std::latch drained(static_cast<std::ptrdiff_t>(workers_.size()));
  for (Worker* worker : workers_) worker->drain([&drained] { drained.count_down(); });
  drained.wait();
  for (Worker* worker : workers_) worker->end();
  end_workers();
}

void Process::wait_for_events(Events& events) {
  for (Event event = events.next(); event != Event::kStop; event = events.next()) {
    if (event == Event::kManifestsChanged) {
      reload();
      continue;
    }
    const std::string folder = settings_.gateway.manifests;
    reread();
    if (settings_.gateway.manifests == folder) continue;
    events.watch(watch_manifests(settings_.gateway.manifests, plan_.role, *common_.log));
    // What has changed since it was read.
    reload();
  }
}

/// A core dump would hold keys.
void forbid_core_dumps() {
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
}

/// The memory of a connection that ends is the next one's: to give it to the kernel and ask it back
/// costs a TLS handshake more system time than its bytes.
void keep_freed_memory() {
  constexpr int kKept = 8 << 20;    // bytes at a heap's end
  constexpr int kMapped = 1 << 20;  // what is larger comes from the kernel and goes back to it
  ::mallopt(M_TRIM_THRESHOLD, kKept);
  ::mallopt(M_MMAP_THRESHOLD, kMapped);
}

void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

void block_signals() {
  const sigset_t set = served_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  // A peer that has gone, a file that may not grow: errors of the call, not ends of the process.
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGXFSZ, SIG_IGN);
}

int serve(ServeOptions options, std::shared_ptr<spdlog::logger> log) {
  spdlog::set_default_logger(log);
  forbid_core_dumps();
  raise_descriptor_limit();
  keep_freed_memory();
  const auto on_ready = std::move(options.on_ready);
  const config::Settings settings = options.settings;
  auto reread = std::move(options.reread);
  Result<SourceOptions> source_options = make_source_options(options);
  if (!source_options) {
    fmt::print(stderr, "gatehouse: {}\n", source_options.error().message);
    return kFailed;
  }
  // Before they are read: what changes from then on is read again.
  std::optional<FolderWatch> watch =
      watch_manifests(settings.gateway.manifests, options.role, *log);
  Result<GatewaySources> sources = gather(settings.gateway, *source_options);
  if (!sources) {
    fmt::print(stderr, "gatehouse: {}\n", sources.error().message);
    return kConfiguration;
  }
  options.settings.gateway = sources->gateway;
  Result<Plan> plan = make_plan(std::move(options));
  if (!plan) {
    fmt::print(stderr, "gatehouse: {}\n", plan.error().message);
    return kConfiguration;
  }
  Process process(std::move(*plan), settings, std::move(*source_options), std::move(reread), log);
  const Opened<void> opened = process.open(*sources);
  if (!opened) {
    fmt::print(stderr, "gatehouse: {}\n", opened.error().message);
    return opened.error().exit_code;
  }
  log->info("ready on {}", process.addresses());
  if (on_ready) on_ready(process.url());
  process.serve_until_signal(std::move(watch));
  log->info("stopped");
  log->flush();
  return kOk;
}

}  // namespace gatehouse::app
