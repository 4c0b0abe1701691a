#include "gateway/observe/span.h"

#include "base/encoding.h"
#include "base/json.h"

namespace gatehouse::gateway {
namespace {

constexpr int kServerKind = 2;  // SPAN_KIND_SERVER
constexpr int kError = 2;       // STATUS_CODE_ERROR

template <class Id>
std::string hex(const Id& id) {
  return hex_encode(std::string_view(reinterpret_cast<const char*>(id.data()), id.size()));
}

/// 64-bit integers are strings in protobuf's JSON.
std::string nanoseconds(WallTime time) {
  return std::to_string(std::chrono::nanoseconds(time.time_since_epoch()).count());
}

Json attribute(const std::string& key, const Span::Value& value) {
  if (const auto* const number = std::get_if<std::int64_t>(&value)) {
    return {{"key", key}, {"value", {{"intValue", std::to_string(*number)}}}};
  }
  return {{"key", key}, {"value", {{"stringValue", std::get<std::string>(value)}}}};
}

Json json_of(const Span& span) {
  Json out = {{"traceId", hex(span.trace_id)},
              {"spanId", hex(span.span_id)},
              {"name", span.name},
              {"kind", kServerKind},
              {"startTimeUnixNano", nanoseconds(span.started)},
              {"endTimeUnixNano", nanoseconds(span.ended)},
              {"attributes", Json::array()}};
  if (span.parent_id != http::SpanId{}) out["parentSpanId"] = hex(span.parent_id);
  if (!span.trace_state.empty()) out["traceState"] = span.trace_state;
  if (span.failed) out["status"] = {{"code", kError}};
  for (const auto& [key, value] : span.attributes)
    out["attributes"].push_back(attribute(key, value));
  return out;
}

}  // namespace

std::string otlp_json(const std::vector<Span>& spans, const std::string& service_name) {
  Json scope = {{"scope", {{"name", "gatehouse"}, {"version", GATEHOUSE_VERSION}}},
                {"spans", Json::array()}};
  for (const Span& span : spans) scope["spans"].push_back(json_of(span));
  const Json resource = {
      {"attributes", Json::array({attribute("service.name", service_name),
                                  attribute("service.version", std::string(GATEHOUSE_VERSION))})}};
  const Json whole = {
      {"resourceSpans",
       Json::array({{{"resource", resource}, {"scopeSpans", Json::array({std::move(scope)})}}})}};
  return dump_json(whole);
}

}  // namespace gatehouse::gateway
