// What a loop's HttpServers tell of their exchanges, told on: counted, logged, and made into spans;
// and what its TcpProxy tells of its connections: counted and logged.
#pragma once

#include <spdlog/logger.h>

#include <memory>
#include <string>
#include <vector>

#include "base/entropy.h"
#include "base/result.h"
#include "config/gateway_settings.h"
#include "gateway/observe/access_log.h"
#include "gateway/observe/log_file.h"
#include "gateway/observe/metrics.h"
#include "gateway/observe/tracing.h"
#include "net/http_server.h"
#include "net/loop.h"
#include "net/tcp.h"

namespace gatehouse::gateway {

/// One a loop.
class LoopObserver final : public net::ExchangeObserver {
 public:
  struct Parts {
    net::Loop& loop;
    net::Resolver& resolver;
    LoopMetrics& metrics;                 // of this loop
    Entropy& entropy;                     // of ids of traces
    std::shared_ptr<spdlog::logger> log;  // of the program; null: no access log without a file
    LogFile* access_log_file = nullptr;   // of settings.access_log.path; null if that is ""
  };
  /// As access_log and tracing say. kInvalid names the setting that cannot be.
  static Result<std::unique_ptr<LoopObserver>> make(const config::Gateway& settings, Parts parts);
  ~LoopObserver() override;
  /// The same for another state of the settings: exchanges that end from now on are told so. Spans
  /// that still wait for a collector that is no longer asked are dropped and counted. kInvalid:
  /// nothing has changed.
  Result<void> use(const config::Gateway& settings, LogFile* access_log_file);

  void ended(const net::Exchange& exchange) override;
  void ended(const TcpOutcome& outcome);

  /// Null if tracing is off. The proxy calls its begin() for each request, before the authorizer
  /// is asked.
  const std::shared_ptr<Tracing>& tracing() const { return tracing_; }
  /// After a reload: see CountsByRoute::set_routes().
  void set_routes(const config::Gateway& settings);

 private:
  explicit LoopObserver(Parts parts) : parts_(std::move(parts)) {}
  Result<std::unique_ptr<AccessLog>> make_access_log(const config::Gateway& settings,
                                                     LogFile* file) const;
  Result<void> use_tracing(const config::Gateway& settings);

  const Parts parts_;
  std::unique_ptr<AccessLog> access_log_;
  // What the rest is made of.
  config::Tracing tracing_settings_;
  std::vector<std::string> trusted_proxies_;
  std::vector<config::Listen> listen_;
  std::unique_ptr<SpanSink> spans_;
  std::shared_ptr<Tracing> tracing_;
};

}  // namespace gatehouse::gateway
