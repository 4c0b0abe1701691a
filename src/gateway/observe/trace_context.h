// W3C Trace Context: the fields traceparent and tracestate, by which a request is followed through
// several programs (https://www.w3.org/TR/trace-context/). Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "http/headers.h"
#include "http/message.h"

namespace gatehouse::gateway {

struct TraceParent {
  http::TraceId trace_id{};
  http::SpanId parent_id{};
  bool sampled = false;
  bool operator==(const TraceParent&) const = default;
};

/// §3.2: of version 00 exactly, of a later one as far as 00 goes. nullopt for what is malformed,
/// version ff, and ids of zeros only.
std::optional<TraceParent> parse_traceparent(std::string_view text);
/// Version 00.
std::string format_traceparent(const TraceParent& parent);

/// The traceparent of a message, if it has exactly one.
std::optional<TraceParent> traceparent_of(const http::Headers& headers);

/// §3.3: the members of all tracestate fields in one value, if there are at most 32, each well
/// formed, no key twice, and 512 bytes in all; else "", for a list that is not valid is dropped as
/// a whole.
std::string tracestate_of(const http::Headers& headers);

}  // namespace gatehouse::gateway
