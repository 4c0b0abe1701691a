// Sends spans to an OpenTelemetry collector: OTLP over HTTP, in JSON (POST {endpoint}/v1/traces).
// One a loop.
//
// Spans wait in a queue of kQueueLimit; what comes when it is full is dropped and counted. A batch
// goes out when kBatch wait or kDelay has passed. An answer of 2xx ends it; 429, 502, 503, 504 and
// failures of the connection are retried with growing pauses, as the protocol says, up to kAttempts
// times; every other answer drops the batch.
#pragma once

#include <spdlog/logger.h>

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/gateway_settings.h"
#include "gateway/observe/span.h"
#include "gateway/observe/trace_counts.h"
#include "gateway/observe/tracing.h"
#include "net/http_client.h"
#include "net/loop.h"
#include "net/running_task.h"
#include "net/tcp.h"

namespace gatehouse::gateway {

/// Which spans go when: the queue without its I/O.
class SpanQueue {
 public:
  static constexpr std::size_t kQueueLimit = 4096;
  static constexpr std::size_t kBatch = 256;
  static constexpr std::size_t kAttempts = 5;
  static constexpr std::chrono::milliseconds kDelay{1'000};
  static constexpr std::chrono::milliseconds kFirstPause{1'000};
  static constexpr std::chrono::milliseconds kLongestPause{30'000};

  explicit SpanQueue(TraceCounts& counts) : counts_(counts) {}
  /// What is left is dropped.
  ~SpanQueue() { counts_.dropped.add(waiting_.size() + batch_.size()); }
  SpanQueue(const SpanQueue&) = delete;
  SpanQueue& operator=(const SpanQueue&) = delete;

  void add(Span span);
  bool empty() const { return waiting_.empty() && batch_.empty(); }
  /// A batch is worth sending without waiting for more.
  bool full() const { return batch_.empty() && waiting_.size() >= kBatch; }
  /// The batch to send now: the one that has not been delivered yet, or the next.
  const std::vector<Span>& batch();
  void delivered();
  /// The collector does not want this batch.
  void refused();
  /// How long to wait before batch() is sent again. Once tried too often it is dropped.
  std::chrono::milliseconds failed(std::chrono::milliseconds asked_pause = {});

 private:
  void end_batch() {
    batch_.clear();
    attempts_ = 0;
  }

  TraceCounts& counts_;
  std::deque<Span> waiting_;
  std::vector<Span> batch_;
  std::size_t attempts_ = 0;
};

class SpanExporter final : public SpanSink {
 public:
  struct Parts {
    net::Loop& loop;
    std::unique_ptr<net::HttpClient> client;
    http::Target target;  // "/v1/traces", behind the endpoint's path
    std::string service_name;
    TraceCounts& counts;                  // outlives this
    std::shared_ptr<spdlog::logger> log;  // may be null
  };
  explicit SpanExporter(Parts parts);
  /// kInvalid for an endpoint that is no URL.
  static Result<std::unique_ptr<SpanExporter>> make(const config::Tracing& settings,
                                                    net::Loop& loop, net::Resolver& resolver,
                                                    TraceCounts& counts,
                                                    std::shared_ptr<spdlog::logger> log);

  void take(Span span) override;

 private:
  void send();
  Task<void> deliver();
  void settle(const Result<http::Response>& answer);
  void pause(std::string_view why, std::chrono::milliseconds asked);

  Parts parts_;
  SpanQueue queue_;
  net::Loop::Timer timer_;
  http::Request request_;
  net::RunningTask task_;
  bool sending_ = false;
  bool paused_ = false;
  bool warned_ = false;  // said once, until a batch gets through again
};

}  // namespace gatehouse::gateway
