// What a loop's HttpServers tell of their exchanges, told on: counted, logged, and made into spans.
#pragma once

#include <spdlog/logger.h>

#include <memory>
#include <vector>

#include "base/entropy.h"
#include "base/result.h"
#include "config/gateway_settings.h"
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

  void ended(const net::Exchange& exchange) override;

  /// Null if tracing is off. The proxy calls its begin() for each request, before the authorizer
  /// is asked.
  Tracing* tracing() { return tracing_.get(); }
  /// After a reload: see RouteShard::set_routes().
  void set_routes(const std::vector<config::Route>& routes);

 private:
  explicit LoopObserver(LoopMetrics& metrics) : metrics_(metrics) {}
  Result<void> make_access_log(const config::Gateway& settings, const Parts& parts);
  Result<void> make_tracing(const config::Gateway& settings, const Parts& parts);

  LoopMetrics& metrics_;
  std::unique_ptr<net::ExchangeObserver> access_log_;
  std::unique_ptr<SpanSink> spans_;
  std::unique_ptr<Tracing> tracing_;
};

}  // namespace gatehouse::gateway
