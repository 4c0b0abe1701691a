#include "app/process.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <future>
#include <latch>
#include <thread>
#include <utility>
#include <vector>

#include "app/folder_watch.h"
#include "app/gateway_sources.h"
#include "app/listener_tls.h"
#include "app/plan.h"
#include "app/sealing_key.h"
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

/// The signals that a process of ours answers: blocked in every thread, taken by one.
sigset_t served_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
  return set;
}

/// What the serving process waits for.
enum class Event { kStop, kReread, kManifestsChanged };

/// Takes signals, and changes of the manifests' folder once they have come to rest.
class Events {
 public:
  static constexpr int kRestMilliseconds = 50;
  /// A folder that is written all the time is read nevertheless.
  static constexpr int kRests = 20;

  explicit Events(std::optional<FolderWatch> manifests)
      : signals_(::signalfd(-1, &served_, SFD_CLOEXEC)), manifests_(std::move(manifests)) {}
  ~Events() { ::close(signals_); }
  Events(const Events&) = delete;
  Events& operator=(const Events&) = delete;

  Event next() {
    for (;;) {
      const auto [signalled, changed] = wait(-1);
      if (signalled) return take_signal();
      if (!changed) continue;
      manifests_->take_changes();
      for (int i = 0; i < kRests && wait_for_changes(); ++i) manifests_->take_changes();
      return Event::kManifestsChanged;
    }
  }
  /// Waits for a signal to stop, whatever else happens.
  void wait_for_stop() {
    while (take_signal() != Event::kStop) {
    }
  }

 private:
  std::pair<bool, bool> wait(int milliseconds) {
    std::array<pollfd, 2> all{
        {{.fd = signals_, .events = POLLIN, .revents = 0},
         {.fd = manifests_ ? manifests_->fd() : -1, .events = POLLIN, .revents = 0}}};
    ::poll(all.data(), all.size(), milliseconds);
    return {all[0].revents != 0, all[1].revents != 0};
  }
  bool wait_for_changes() {
    const auto [signalled, changed] = wait(kRestMilliseconds);
    return changed && !signalled;
  }
  Event take_signal() const {
    signalfd_siginfo signal{};
    if (::read(signals_, &signal, sizeof signal) != sizeof signal) return Event::kStop;
    return signal.ssi_signo == SIGHUP ? Event::kReread : Event::kStop;
  }

  const sigset_t served_ = served_signals();
  const int signals_;
  std::optional<FolderWatch> manifests_;
};

class Process {
 public:
  /// `settings`: as they were read, without the manifests.
  Process(Plan plan, config::Settings settings, bool keep_listen,
          std::function<std::optional<config::Settings>()> reread,
          std::shared_ptr<spdlog::logger> log)
      : plan_(std::move(plan)),
        settings_(std::move(settings)),
        keep_listen_(keep_listen),
        reread_(std::move(reread)),
        common_{.clock = clock_, .entropy = entropy_, .log = std::move(log)} {}
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  /// Tells of changes since before the manifests were first read.
  void watch(std::optional<FolderWatch> manifests) { manifests_watch_ = std::move(manifests); }
  /// What was found in the manifests at the start; before open().
  void tell(const GatewaySources& sources);
  /// Of the manifests at the start; before open().
  void start_from(std::shared_ptr<config::ambassador::LastGood> good) {
    common_.good = std::move(good);
  }
  Opened<void> open();
  /// The first listener's, as a person would type it.
  std::string url() const;
  void serve_until_signal();

 private:
  Opened<void> open_store();
  Opened<void> open_gatekeeper(const Secret& sealing_key);
  Opened<void> open_identity(const Secret& sealing_key);
  Opened<void> open_access_log();
  Opened<void> check_ports();
  Result<Certificates> load_certificates(const config::Gateway& gateway) const;
  Opened<void> start_workers(const Certificates& certificates);
  void start_worker(std::size_t index, const Certificates& certificates,
                    std::promise<Result<Worker*>> opened);
  void reread();
  void reload();
  Result<void> reload_gateway();
  void end_workers();

  const SystemClock clock_;
  crypto::SystemEntropy entropy_;
  Plan plan_;
  config::Settings settings_;
  const bool keep_listen_;
  std::optional<FolderWatch> manifests_watch_;
  const std::function<std::optional<config::Settings>()> reread_;
  Common common_;
  std::unique_ptr<gateway::LogFile> access_log_;
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

Opened<void> Process::open() {
  const Opened<void> ports = check_ports();
  if (!ports) return ports;
  Result<std::shared_ptr<const net::ClientTls>> client_tls = net::ClientTls::load({});
  if (!client_tls) return failed(kConfiguration, client_tls.error());
  common_.client_tls = std::move(*client_tls);
  common_.started = clock_.now();
  common_.metrics = std::make_shared<gateway::Metrics>(plan_.settings.gateway.routes);
  common_.metrics->set_clusters([this] { return common_.clusters.views(); });
  const Opened<void> log_opened = open_access_log();
  if (!log_opened) return log_opened;
  const Result<Certificates> certificates = load_certificates(plan_.settings.gateway);
  if (!certificates) return failed(kConfiguration, certificates.error());
  if (plan_.has_gatekeeper() || plan_.has_identity()) {
    const Opened<void> opened = open_store();
    if (!opened) return opened;
  }
  return start_workers(*certificates);
}

Opened<void> Process::open_access_log() {
  const config::AccessLog& settings = plan_.settings.gateway.access_log;
  if (settings.path.empty() || settings.form == "off") return {};
  Result<std::unique_ptr<gateway::LogFile>> file = gateway::LogFile::open(settings.path);
  if (!file) return failed(kConfiguration, file.error());
  access_log_ = std::move(*file);
  common_.access_log = access_log_.get();
  common_.metrics->set_dropped_lines([this] { return access_log_->dropped(); });
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

/// The gateway's listeners are found again by their address; what has no listener yet needs a
/// restart.
Result<Certificates> Process::load_certificates(const config::Gateway& gateway) const {
  Certificates certificates;
  for (const PlannedListener& listener : plan_.listeners) {
    const bool of_gateway = listener.service == Service::kGateway;
    config::Tls own = listener.settings.tls;
    const auto now =
        std::ranges::find(gateway.listen, listener.settings.address, &config::Listen::address);
    if (of_gateway && now != gateway.listen.end()) own = now->tls;
    Result<std::shared_ptr<const net::ServerTls>> tls =
        load_listener_tls(own, of_gateway ? gateway.hosts : std::vector<config::Host>());
    if (!tls) return fail(std::move(tls));
    if (*tls) {
      for (const std::string& warning : (*tls)->warnings()) common_.log->warn("{}", warning);
    }
    certificates.push_back(std::move(*tls));
  }
  return certificates;
}

void Process::start_worker(std::size_t index, const Certificates& certificates,
                           std::promise<Result<Worker*>> opened) {
  std::promise<void> stopped;
  stopped_.push_back(stopped.get_future());
  threads_.emplace_back([this, index, certificates, opened = std::move(opened),
                         stopped = std::move(stopped), may_go = may_go_]() mutable {
    Result<std::unique_ptr<Worker>> worker = Worker::open(index, plan_, common_, certificates);
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

Opened<void> Process::start_workers(const Certificates& certificates) {
  // One after the other: the first learns the ports that the system chose, the others share them.
  for (std::size_t i = 0; i < plan_.loops; ++i) {
    std::promise<Result<Worker*>> opened;
    std::future<Result<Worker*>> result = opened.get_future();
    start_worker(i, certificates, std::move(opened));
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
  const bool loopback = first.endpoint.host == "127.0.0.1" || first.endpoint.host == "::1";
  return fmt::format("{}://{}:{}", has_certificate(first.settings.tls) ? "https" : "http",
                     loopback ? "localhost" : first.endpoint.host, first.endpoint.port);
}

/// The file and all that it names. What needs a restart is named.
void Process::reread() {
  if (access_log_) access_log_->reopen();
  std::optional<config::Settings> fresh;
  if (reread_) fresh = reread_();
  if (reread_ && !fresh) {
    common_.log->error("the configuration was not reloaded; what was in force stays");
    return;
  }
  if (fresh) {
    for (const std::string& field : config::needs_restart(settings_, *fresh)) {
      common_.log->warn("{}: has changed, and takes effect at the next start", field);
    }
    settings_.gateway = std::move(fresh->gateway);
  }
  reload();
}

void Process::reload() {
  const Result<void> reloaded = reload_gateway();
  if (reloaded) {
    common_.log->info("reloaded");
  } else {
    common_.log->error("not reloaded, what was in force stays: {}", reloaded.error().message);
  }
  common_.metrics->reloads().add({.time = clock_.now(),
                                  .applied = reloaded.has_value(),
                                  .what = reloaded ? "" : reloaded.error().message},
                                 common_.report.problems().size());
}

Result<void> Process::reload_gateway() {
  Result<GatewaySources> sources = gather(settings_.gateway, keep_listen_, common_.good.get());
  if (!sources) return fail(std::move(sources));
  std::shared_ptr<const gateway::CompiledGateway> compiled;
  common_.report.clear();
  tell(*sources);
  if (plan_.serves(Service::kGateway)) {
    config::Settings settings = settings_;
    settings.gateway = sources->gateway;
    Result<config::Gateway> gateway = gateway_of(plan_, std::move(settings));
    if (!gateway) return fail(std::move(gateway));
    Result<CompiledSources> made = compile_sources(std::move(*gateway), common_.rate_limits,
                                                   sources->good.get(), common_.good.get());
    if (!made) return fail(std::move(made));
    for (const std::string& text : made->problems) common_.log->error("wrong: {}", text);
    for (const std::string& text : made->warnings) common_.log->warn("{}", text);
    common_.report.add(std::move(made->problems), std::move(made->warnings));
    compiled = std::move(made->gateway);
  }
  const Result<Certificates> certificates = load_certificates(sources->gateway);
  if (!certificates) return std::unexpected(certificates.error());
  for (Worker* worker : workers_) worker->reload(compiled, *certificates);
  common_.good = std::move(sources->good);
  return {};
}

void Process::tell(const GatewaySources& sources) {
  for (const std::string& text : sources.problems) common_.log->error("wrong: {}", text);
  for (const std::string& text : sources.warnings) common_.log->warn("{}", text);
  common_.report.add(sources.problems, sources.warnings);
}

void Process::serve_until_signal() {
  Events events(std::move(manifests_watch_));
  for (Event event = events.next(); event != Event::kStop; event = events.next()) {
    if (event == Event::kReread) reread();
    if (event == Event::kManifestsChanged) reload();
  }
  common_.log->info("draining: what is under way has {} ms to finish",
                    plan_.settings.drain_timeout.count());
  common_.ready = false;
  // A second signal does not wait for the drain.
  std::thread([] {
    Events(std::nullopt).wait_for_stop();
    _exit(kFailed);
  }).detach();
  std::latch drained(static_cast<std::ptrdiff_t>(workers_.size()));
  for (Worker* worker : workers_) worker->drain([&drained] { drained.count_down(); });
  drained.wait();
  for (Worker* worker : workers_) worker->end();
  end_workers();
}

/// Of the folder of manifests, if there is one.
std::optional<FolderWatch> watch_manifests(const ServeOptions& options, spdlog::logger& log) {
  const bool has_gateway = options.role == Role::kAll || options.role == Role::kGateway;
  const std::string& folder = options.settings.gateway.manifests;
  if (folder.empty() || !has_gateway) return std::nullopt;
  Result<FolderWatch> watch = FolderWatch::make(folder);
  if (watch) return std::move(*watch);
  log.warn("{}; SIGHUP reads the manifests again", watch.error().message);
  return std::nullopt;
}

/// A core dump would hold keys.
void forbid_core_dumps() {
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
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
  const auto on_ready = std::move(options.on_ready);
  const config::Settings settings = options.settings;
  auto reread = std::move(options.reread);
  const bool keep_listen = options.keep_listen;
  // Before they are read: what changes from then on is read again.
  std::optional<FolderWatch> watch = watch_manifests(options, *log);
  Result<GatewaySources> sources = gather(settings.gateway, keep_listen);
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
  Process process(std::move(*plan), settings, keep_listen, std::move(reread), log);
  process.watch(std::move(watch));
  process.tell(*sources);
  process.start_from(sources->good);
  const Opened<void> opened = process.open();
  if (!opened) {
    fmt::print(stderr, "gatehouse: {}\n", opened.error().message);
    return opened.error().exit_code;
  }
  log->info("ready on {}", process.url());
  if (on_ready) on_ready(process.url());
  process.serve_until_signal();
  log->info("stopped");
  log->flush();
  return kOk;
}

}  // namespace gatehouse::app
