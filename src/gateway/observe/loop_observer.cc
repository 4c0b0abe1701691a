#include "gateway/observe/loop_observer.h"

#include <utility>

#include "gateway/observe/span_exporter.h"

namespace gatehouse::gateway {

LoopObserver::~LoopObserver() = default;

Result<std::unique_ptr<LoopObserver>> LoopObserver::make(const config::Gateway& settings,
                                                         Parts parts) {
  LogFile* const file = parts.access_log_file;
  std::unique_ptr<LoopObserver> observer(new LoopObserver(std::move(parts)));
  Result<void> made = observer->use(settings, file);
  if (!made) return fail(std::move(made));
  return observer;
}

Result<void> LoopObserver::use(const config::Gateway& settings, LogFile* access_log_file) {
  Result<std::unique_ptr<AccessLog>> access_log = make_access_log(settings, access_log_file);
  if (!access_log) return fail(std::move(access_log));
  const bool same_tracing = settings.tracing == tracing_settings_ &&
                            settings.trusted_proxies == trusted_proxies_ &&
                            settings.listen == listen_;
  Result<void> traced;
  if (!same_tracing) traced = use_tracing(settings);
  if (traced) access_log_ = std::move(*access_log);
  return traced;
}

Result<std::unique_ptr<AccessLog>> LoopObserver::make_access_log(const config::Gateway& settings,
                                                                 LogFile* file) const {
  std::shared_ptr<spdlog::logger> log = file != nullptr ? file->logger() : parts_.log;
  if (settings.access_log.form == "off" || !log) return nullptr;
  Result<Forwarded> forwarded = Forwarded::make(settings);
  if (!forwarded) return fail(std::move(forwarded));
  return AccessLog::make(settings.access_log, {.log = std::move(log),
                                               .log_is_bare = file != nullptr,
                                               .clock = parts_.loop.clock(),
                                               .forwarded = std::move(*forwarded)});
}

Result<void> LoopObserver::use_tracing(const config::Gateway& settings) {
  std::unique_ptr<SpanSink> spans;
  std::shared_ptr<Tracing> tracing;
  if (!settings.tracing.endpoint.empty()) {
    Result<Forwarded> forwarded = Forwarded::make(settings);
    if (!forwarded) return fail(std::move(forwarded));
    Result<std::unique_ptr<SpanExporter>> exporter = SpanExporter::make(
        settings.tracing, parts_.loop, parts_.resolver, parts_.metrics.traces, parts_.log);
    if (!exporter) return fail(std::move(exporter));
    spans = std::move(*exporter);
    Result<std::unique_ptr<Tracing>> made =
        Tracing::make(settings.tracing, {.forwarded = std::move(*forwarded),
                                         .entropy = parts_.entropy,
                                         .clock = parts_.loop.clock(),
                                         .sink = *spans});
    if (!made) return fail(std::move(made));
    tracing = std::move(*made);
  }
  tracing_ = std::move(tracing);
  spans_ = std::move(spans);
  tracing_settings_ = settings.tracing;
  trusted_proxies_ = settings.trusted_proxies;
  listen_ = settings.listen;
  return {};
}

void LoopObserver::ended(const net::Exchange& exchange) {
  parts_.metrics.routes.ended(exchange);
  if (access_log_) access_log_->ended(exchange);
  if (tracing_) tracing_->ended(exchange);
}

void LoopObserver::ended(const TcpOutcome& outcome) {
  parts_.metrics.tcp.ended(outcome);
  if (access_log_) access_log_->ended(outcome);
}

void LoopObserver::set_routes(const config::Gateway& settings) {
  parts_.metrics.set_routes(route_labels(settings));
}

}  // namespace gatehouse::gateway
