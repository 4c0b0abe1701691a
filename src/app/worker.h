// One event loop with its own instance of every part: listeners, gateway, gatekeeper, provider.
//
// Made, run and destroyed on its own thread. What loops share comes in by Common and is immutable
// or thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "app/diagnosis.h"
#include "app/gateway_compilation.h"
#include "app/plan.h"
#include "app/serving.h"
#include "base/blocking_pool.h"
#include "base/clock.h"
#include "base/entropy.h"
#include "config/ambassador/manifests.h"
#include "crypto/random.h"
#include "gatekeeper/gatekeeper.h"
#include "gateway/filters/rate_limiter.h"
#include "gateway/gateway.h"
#include "gateway/tcp/tcp_proxy.h"
#include "gateway/upstream/health_board.h"
#include "identity/identity.h"
#include "net/address_counts.h"
#include "net/http_server.h"
#include "net/loop.h"
#include "net/tcp.h"
#include "net/tls.h"
#include "store/store.h"

namespace gatehouse::app {

/// What all loops of a process share. Null where the role has no such part.
struct Common {
  const Clock& clock;
  Entropy& entropy;
  std::shared_ptr<spdlog::logger> log;
  BlockingPool* database_thread = nullptr;
  store::Database* database = nullptr;
  std::shared_ptr<gatekeeper::Shared> gatekeeper;
  std::shared_ptr<identity::Shared> identity;
  std::shared_ptr<gateway::Metrics> metrics;
  gateway::RateLimitTables rate_limits{entropy};
  gateway::upstream::HealthBoard health;
  std::shared_ptr<net::AddressCounts> address_counts = std::make_shared<net::AddressCounts>();
  /// Of the manifests in force; null without. For the first loop at the start, then for the
  /// process's own thread.
  std::shared_ptr<config::ambassador::LastGood> good;
  ConfigurationReport report;
  ClusterBoard clusters;
  WallTime started{};
  std::shared_ptr<const net::ClientTls> provider_tls;  // towards a provider elsewhere
  std::atomic<bool> ready = false;
};

/// Work that comes round by time, one turn of it after the other. A turn that throws is logged, and
/// the next one comes all the same: a poll that stopped would miss every logout from then on.
class Round {
 public:
  Round(net::Loop& loop, std::shared_ptr<spdlog::logger> log, std::chrono::milliseconds every,
        std::function<Task<void>()> work);
  /// Starts no further turn. `ended` is called when none is under way.
  void end(std::function<void()> ended);
  bool idle() const { return !running_; }

 private:
  Task<void> turn();
  Task<void> work();

  const std::shared_ptr<spdlog::logger> log_;
  const std::chrono::milliseconds every_;
  const std::function<Task<void>()> work_;
  net::Loop::Timer timer_;
  bool running_ = false;
  std::function<void()> ended_;
};

class Worker {
 public:
  /// Opens everything. A listener with port 0 gets one of the system's choice, which is then filled
  /// in, in `plan` for the samples, so that the other loops listen on the same; the first loop
  /// fills in the gateway too.
  static Result<std::unique_ptr<Worker>> open(std::size_t index, Plan& plan, Common& common,
                                              std::shared_ptr<Serving> serving);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Serves until drained or stopped.
  void run();
  /// Thread-safe: asks clients to go elsewhere, and serves on.
  void dismiss();
  /// Thread-safe: finishes what is under way within the plan's drain_timeout, then calls `drained`
  /// on its own thread. The sample services go on: another loop's gateway may need them yet.
  void drain(std::function<void()> drained);
  /// Thread-safe, after drain(): ends the sample services, then run() returns.
  void end();
  /// Thread-safe: run() returns at once.
  void stop();
  /// What is wrong with services in force, a sentence each; told by the first loop alone.
  using Told = std::vector<std::string>;
  /// Thread-safe, between run() and drain(): requests and connections that begin from now on get
  /// what is fresh; listeners that go are drained. If that cannot be as a whole, nothing has
  /// changed. Ports that the system chooses are filled in.
  std::future<Result<Told>> reload(std::shared_ptr<Serving> fresh);

 private:
  /// A listener, and who serves it.
  struct Served {
    PlannedListener planned;
    std::unique_ptr<net::HttpServer> server;
  };

  Worker(std::size_t index, Plan& plan, Common& common, std::shared_ptr<Serving> serving);

  Result<void> make_samples();
  Result<void> make_identity();
  Result<void> make_gatekeeper();
  Result<void> compile_gateway();
  Result<void> make_observer();
  Result<void> make_gateway();
  Result<void> make_tcp();
  /// Of what is in force; at the start, until it has been made, of the plan.
  const config::Gateway& gateway_settings() const;
  net::Listener::Options listener_limits(const config::Gateway& settings, Service service) const;
  net::ServerOptions server_limits(const config::Gateway& settings, Service service) const;
  Task<Result<gateway::TcpProxy::Upstream>> connect_tcp(const config::TcpRoute& route);
  void make_operations();
  bool is_ready() const;
  gateway::DiagnosticSnapshot diagnose() const;
  /// Says how many connections there are, and how the services do.
  void publish();
  /// Opens the listeners that are the samples', or all others.
  Result<void> listen(bool samples);
  /// Fills in the port that the system chose.
  Result<Served> open_server(PlannedListener& planned, const config::Gateway& settings);
  Result<Told> change_to(const std::shared_ptr<Serving>& fresh);
  /// Opens what nobody serves yet.
  Result<std::vector<Served>> open_new(Serving& fresh);
  Result<Told> change_parts(const Serving& fresh);
  void change_servers(const Serving& fresh, std::vector<Served> opened);
  void let_go(std::unique_ptr<net::HttpServer> server);
  http::Handler* handler_of(Service service);
  net::ExchangeObserver* observer_of(Service service);
  store::Store store();
  void make_rounds();
  void wait_for_end_of(Task<void> drain);
  void drain_servers(bool last, std::chrono::milliseconds limit);
  void go_on_when_idle();

  const std::size_t index_;
  Plan& plan_;
  Common& common_;
  std::shared_ptr<Serving> serving_;  // what is in force on this loop
  net::Loop loop_;
  crypto::BlockEntropy entropy_;  // of this loop
  std::unique_ptr<net::Resolver> resolver_;
  std::size_t draining_ = 0;         // servers that are not yet empty
  std::function<void()> when_idle_;  // called once, with every server of the phase empty

  std::unique_ptr<http::Handler> samples_;
  std::unique_ptr<identity::Provider> identity_;
  std::unique_ptr<http::Client> provider_client_;
  std::unique_ptr<gatekeeper::Gatekeeper> gatekeeper_;
  gateway::LoopMetrics* counts_ = nullptr;  // of this loop
  std::unique_ptr<gateway::Gateway> gateway_;
  std::unique_ptr<gateway::TcpProxy> tcp_;
  std::unique_ptr<gateway::LoopObserver> observer_;
  std::unique_ptr<http::Handler> operations_, health_;
  std::vector<Served> servers_;
  std::vector<std::unique_ptr<net::HttpServer>> leaving_;  // drained, since a reload took them out
  std::vector<std::unique_ptr<Round>> rounds_;
  net::Loop::Timer publishing_;
};

}  // namespace gatehouse::app
