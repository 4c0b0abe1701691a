#include "gateway/observe/loop_observer.h"

#include <utility>

#include "gateway/observe/access_log.h"
#include "gateway/observe/span_exporter.h"

namespace gatehouse::gateway {

LoopObserver::~LoopObserver() = default;

Result<std::unique_ptr<LoopObserver>> LoopObserver::make(const config::Gateway& settings,
                                                         Parts parts) {
  std::unique_ptr<LoopObserver> observer(new LoopObserver(parts.metrics));
  Result<void> made = observer->make_access_log(settings, parts);
  if (made) made = observer->make_tracing(settings, parts);
  if (!made) return fail(std::move(made));
  return observer;
}

Result<void> LoopObserver::make_access_log(const config::Gateway& settings, const Parts& parts) {
  const bool to_file = parts.access_log_file != nullptr;
  std::shared_ptr<spdlog::logger> log = to_file ? parts.access_log_file->logger() : parts.log;
  if (settings.access_log.form == "off" || !log) return {};
  Result<http::TrustedProxies> trusted = http::TrustedProxies::parse(settings.trusted_proxies);
  if (!trusted) return fail(std::move(trusted));
  Result<std::unique_ptr<AccessLog>> made =
      AccessLog::make(settings.access_log, {.log = std::move(log),
                                            .log_is_bare = to_file,
                                            .clock = parts.loop.clock(),
                                            .trusted = std::move(*trusted)});
  if (!made) return fail(std::move(made));
  access_log_ = std::move(*made);
  return {};
}

Result<void> LoopObserver::make_tracing(const config::Gateway& settings, const Parts& parts) {
  if (settings.tracing.endpoint.empty()) return {};
  Result<http::TrustedProxies> trusted = http::TrustedProxies::parse(settings.trusted_proxies);
  if (!trusted) return fail(std::move(trusted));
  Result<std::unique_ptr<SpanExporter>> exporter =
      SpanExporter::make(settings.tracing, parts.loop, parts.resolver, metrics_.traces, parts.log);
  if (!exporter) return fail(std::move(exporter));
  spans_ = std::move(*exporter);
  Result<std::unique_ptr<Tracing>> tracing =
      Tracing::make(settings.tracing, {.forwarded = Forwarded(std::move(*trusted)),
                                       .entropy = parts.entropy,
                                       .clock = parts.loop.clock(),
                                       .sink = *spans_});
  if (!tracing) return fail(std::move(tracing));
  tracing_ = std::move(*tracing);
  return {};
}

void LoopObserver::ended(const net::Exchange& exchange) {
  metrics_.routes.ended(exchange);
  if (access_log_) access_log_->ended(exchange);
  if (tracing_) tracing_->ended(exchange);
}

void LoopObserver::set_routes(const std::vector<config::Route>& routes) {
  metrics_.routes.set_routes(route_labels(routes));
}

}  // namespace gatehouse::gateway
