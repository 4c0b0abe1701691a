// Follows requests: reads or makes the trace they belong to, tells upstreams, and makes a span of
// each exchange that is sampled. One a loop.
//
// begin() decides once whether a request is sampled. A peer that is a trusted proxy decides with
// its own flag; for everyone else the configured share does, or a client could have all that it
// sends traced. The trace's id is taken over in both cases. Other fields of tracing (b3,
// x-datadog-…) pass unchanged.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/entropy.h"
#include "config/gateway_settings.h"
#include "gateway/filters/format.h"
#include "gateway/forwarded.h"
#include "gateway/observe/span.h"
#include "net/http_server.h"

namespace gatehouse::gateway {

/// Takes spans; must not block.
class SpanSink {
 public:
  virtual ~SpanSink() = default;
  virtual void take(Span span) = 0;
};

class Tracing final : public net::ExchangeObserver {
 public:
  struct Parts {
    Forwarded forwarded;
    Entropy& entropy;
    const Clock& clock;
    SpanSink& sink;  // outlives this
  };
  /// kInvalid names the tag whose value is no template, and the sampling_percent that is none.
  static Result<std::unique_ptr<Tracing>> make(const config::Tracing& settings, Parts parts);

  /// Fills request.trace.span.
  void begin(http::Request& request);
  /// Sets traceparent and tracestate in `headers`, which are a copy of the request's and go on.
  static void tell(const http::Request& request, http::Headers& headers);
  void ended(const net::Exchange& exchange) override;

 private:
  struct Tag {
    std::string name;
    Format value;
  };
  Tracing(const config::Tracing& settings, Parts parts, std::vector<Tag> tags);

  std::uint64_t random();
  http::SpanId fresh_span_id();
  http::TraceId fresh_trace_id();
  bool is_in_sample(const http::TraceId& id) const;
  Span span_of(const net::Exchange& exchange) const;
  void add_tags(const net::Exchange& exchange, Span& span) const;

  Parts parts_;
  const std::vector<Tag> tags_;
  const std::uint64_t threshold_;  // ids below this are sampled
  const bool all_;
  std::uint64_t state_ = 0;
};

}  // namespace gatehouse::gateway
