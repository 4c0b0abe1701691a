#include "app/process.h"

#include <fmt/format.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <future>
#include <latch>
#include <thread>
#include <utility>
#include <vector>

#include "app/plan.h"
#include "app/sealing_key.h"
#include "app/worker.h"
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

int wait_for_signal() {
  const sigset_t set = served_signals();
  int signal = 0;
  sigwait(&set, &signal);
  return signal;
}

class Process {
 public:
  Process(Plan plan, std::shared_ptr<spdlog::logger> log)
      : plan_(std::move(plan)),
        common_{.clock = clock_, .entropy = entropy_, .log = std::move(log)} {}
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  Opened<void> open();
  /// The first listener's, as a person would type it.
  std::string url() const;
  void serve_until_signal();

 private:
  Opened<void> open_store();
  Opened<void> open_gatekeeper(const Secret& sealing_key);
  Opened<void> open_identity(const Secret& sealing_key);
  Opened<void> check_ports();
  Opened<Certificates> load_certificates() const;
  Opened<void> start_workers(const Certificates& certificates);
  void start_worker(std::size_t index, const Certificates& certificates,
                    std::promise<Result<Worker*>> opened);
  void reload_certificates();
  void end_workers();

  const SystemClock clock_;
  crypto::SystemEntropy entropy_;
  Plan plan_;
  Common common_;
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
  common_.metrics = std::make_shared<gateway::Metrics>(plan_.settings.gateway.routes);
  const Opened<Certificates> certificates = load_certificates();
  if (!certificates) return std::unexpected(certificates.error());
  if (plan_.has_gatekeeper() || plan_.has_identity()) {
    const Opened<void> opened = open_store();
    if (!opened) return opened;
  }
  return start_workers(*certificates);
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

Opened<Certificates> Process::load_certificates() const {
  Certificates certificates;
  for (const PlannedListener& listener : plan_.listeners) {
    if (listener.tls.certificate.empty()) {
      certificates.emplace_back();
      continue;
    }
    net::TlsHost host;
    host.certificate_file = listener.tls.certificate;
    host.key_file = listener.tls.key;
    host.alpn = {"http/1.1"};
    Result<std::shared_ptr<const net::ServerTls>> tls = net::ServerTls::load({.hosts = {host}});
    if (!tls) return failed(kConfiguration, tls.error());
    for (const std::string& warning : (*tls)->warnings()) common_.log->warn("{}", warning);
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
  return fmt::format("{}://{}:{}", first.tls.certificate.empty() ? "http" : "https",
                     loopback ? "localhost" : first.endpoint.host, first.endpoint.port);
}

void Process::reload_certificates() {
  const Opened<Certificates> fresh = load_certificates();
  if (!fresh) {
    common_.log->error("certificates not reloaded, the old ones stay: {}", fresh.error().message);
    return;
  }
  for (Worker* worker : workers_) worker->set_certificates(*fresh);
  common_.log->info("certificates reloaded");
}

void Process::serve_until_signal() {
  int signal = wait_for_signal();
  while (signal == SIGHUP) {
    reload_certificates();
    signal = wait_for_signal();
  }
  common_.log->info("draining: what is under way has {} ms to finish",
                    plan_.settings.drain_timeout.count());
  common_.ready = false;
  // A second signal does not wait for the drain.
  std::thread([] {
    while (wait_for_signal() == SIGHUP) {
    }
    _exit(kFailed);
  }).detach();
  std::latch drained(static_cast<std::ptrdiff_t>(workers_.size()));
  for (Worker* worker : workers_) worker->drain([&drained] { drained.count_down(); });
  drained.wait();
  for (Worker* worker : workers_) worker->end();
  end_workers();
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
  Result<Plan> plan = make_plan(std::move(options));
  if (!plan) {
    fmt::print(stderr, "gatehouse: {}\n", plan.error().message);
    return kConfiguration;
  }
  Process process(std::move(*plan), log);
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
