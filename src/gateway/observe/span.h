// One exchange as OpenTelemetry sees it, and its form in OTLP's JSON. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "http/message.h"

namespace gatehouse::gateway {

struct Span {
  using Value = std::variant<std::string, std::int64_t>;

  http::TraceId trace_id{};
  http::SpanId span_id{};
  http::SpanId parent_id{};  // zeros: none
  std::string trace_state;
  std::string name;
  WallTime started{}, ended{};
  std::vector<std::pair<std::string, Value>> attributes;
  bool failed = false;
};

/// The body of POST /v1/traces: an ExportTraceServiceRequest in the JSON mapping of protobuf, with
/// ids in hex (OTLP 1.x, "JSON Protobuf Encoding").
std::string otlp_json(const std::vector<Span>& spans, const std::string& service_name);

}  // namespace gatehouse::gateway
