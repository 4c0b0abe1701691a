#include "gateway/observe/tracing.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "gateway/observe/trace_context.h"
#include "http/headers.h"

namespace gatehouse::gateway {
namespace {

// Semantic conventions for HTTP spans: other methods are "_OTHER", for names must be few.
constexpr std::array<std::string_view, 9> kMethods = {
    "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "TRACE", "PATCH", "OPTIONS"};
constexpr std::size_t kTextLimit = 1024;

std::string text(std::string_view value) {
  return std::string(value.substr(0, kTextLimit));
}

std::string_view version_of(http::Version version) {
  switch (version) {
    case http::Version::kHttp10:
      return "1.0";
    case http::Version::kHttp2:
      return "2";
    default:
      return "1.1";
  }
}

template <std::size_t N>
void fill(std::array<std::uint8_t, N>& id, std::size_t at, std::uint64_t bits) {
  std::memcpy(id.data() + at, &bits, sizeof bits);
}

/// A state belongs to its parent (§3.3): without the one the other goes.
std::string state_of(const http::Request& request) {
  if (request.trace.span.parent_id == http::SpanId{}) return "";
  return tracestate_of(request.headers);
}

void add_request_attributes(const http::Request& request, const Client& client, Span& span) {
  const bool known = std::ranges::find(kMethods, request.method) != kMethods.end();
  const std::string method = known ? request.method : "_OTHER";
  const http::Trace& trace = request.trace;
  span.name = (known ? method : "HTTP") + (trace.route.empty() ? "" : " " + trace.route);
  auto& attributes = span.attributes;
  attributes.emplace_back("http.request.method", method);
  if (!known) attributes.emplace_back("http.request.method_original", text(request.method));
  // Without the query, which may hold codes and tokens.
  attributes.emplace_back("url.path", text(request.target.path()));
  attributes.emplace_back("url.scheme", std::string(client.secure ? "https" : "http"));
  attributes.emplace_back("server.address", text(request.authority));
  attributes.emplace_back("network.protocol.version", std::string(version_of(request.version)));
  if (!trace.route.empty()) attributes.emplace_back("http.route", trace.route);
  if (!client.address.empty()) attributes.emplace_back("client.address", client.address);
  if (const auto agent = request.headers.get("user-agent")) {
    attributes.emplace_back("user_agent.original", text(*agent));
  }
  if (!trace.request_id.empty()) attributes.emplace_back("gatehouse.request_id", trace.request_id);
  if (!trace.upstream.empty()) attributes.emplace_back("gatehouse.upstream", trace.upstream);
}

}  // namespace

Tracing::Tracing(const config::Tracing& settings, Parts parts, std::vector<Tag> tags)
    : parts_(std::move(parts)),
      tags_(std::move(tags)),
      threshold_(static_cast<std::uint64_t>(
          std::min(std::ldexp(settings.sampling_percent / 100, 63), std::ldexp(1.0, 63)))),
      all_(settings.sampling_percent >= 100) {
  std::array<std::uint8_t, sizeof state_> seed{};
  parts_.entropy.fill(seed);
  std::memcpy(&state_, seed.data(), sizeof state_);
}

Result<std::unique_ptr<Tracing>> Tracing::make(const config::Tracing& settings, Parts parts) {
  if (!(settings.sampling_percent >= 0 && settings.sampling_percent <= 100)) {
    return fail(ErrorCode::kInvalid, "gateway.tracing.sampling_percent must be 0 to 100");
  }
  std::vector<Tag> tags;
  for (const config::FieldEdit& tag : settings.tags) {
    Result<Format> value = Format::parse(tag.value, {.use = Format::Use::kLog});
    if (!value) {
      return std::unexpected(std::move(value).error().in("gateway.tracing.tags: " + tag.name));
    }
    tags.push_back({tag.name, std::move(*value)});
  }
  return std::unique_ptr<Tracing>(new Tracing(settings, std::move(parts), std::move(tags)));
}

std::uint64_t Tracing::random() {
  // splitmix64: ids need not be unforeseeable, only different.
  state_ += 0x9e3779b97f4a7c15U;
  std::uint64_t mixed = state_;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9U;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebU;
  return mixed ^ (mixed >> 31);
}

http::SpanId Tracing::fresh_span_id() {
  http::SpanId id{};
  while (id == http::SpanId{}) fill(id, 0, random());
  return id;
}

http::TraceId Tracing::fresh_trace_id() {
  http::TraceId id{};
  fill(id, 0, random());
  while (std::ranges::all_of(id.begin() + 8, id.end(), [](std::uint8_t b) { return b == 0; })) {
    fill(id, 8, random());
  }
  return id;
}

bool Tracing::is_in_sample(const http::TraceId& id) const {
  if (all_) return true;
  // By the trace's own bytes, so that every gateway of one trace decides alike.
  std::uint64_t bits = 0;
  std::memcpy(&bits, id.data() + 8, sizeof bits);
  return (bits >> 1) < threshold_;
}

void Tracing::begin(http::Request& request) {
  http::SpanContext& span = request.trace.span;
  const std::optional<TraceParent> parent = traceparent_of(request.headers);
  span.trace_id = parent ? parent->trace_id : fresh_trace_id();
  span.parent_id = parent ? parent->parent_id : http::SpanId{};
  span.span_id = fresh_span_id();
  const bool decided = parent && parts_.forwarded.trusts(request);
  span.sampled = decided ? parent->sampled : is_in_sample(span.trace_id);
}

void Tracing::tell(const http::Request& request, http::Headers& headers) {
  const http::SpanContext& span = request.trace.span;
  headers.set("traceparent", format_traceparent({span.trace_id, span.span_id, span.sampled}));
  const std::string state = state_of(request);
  headers.remove("tracestate");
  if (!state.empty()) headers.add("tracestate", state);
}

void Tracing::add_tags(const net::Exchange& exchange, Span& span) const {
  if (tags_.empty()) return;
  const FormatContext context{.request = exchange.request,
                              .response = exchange.response,
                              .trailers = exchange.trailers(),
                              .status = exchange.status,
                              .bytes_received = exchange.received,
                              .bytes_sent = exchange.sent,
                              .started = span.started};
  for (const Tag& tag : tags_) {
    std::string value;
    tag.value.append(value, context);
    span.attributes.emplace_back(tag.name, text(value));
  }
}

Span Tracing::span_of(const net::Exchange& exchange) const {
  const http::Trace& trace = exchange.request.trace;
  Span span;
  span.trace_id = trace.span.trace_id;
  span.span_id = trace.span.span_id;
  span.parent_id = trace.span.parent_id;
  span.trace_state = state_of(exchange.request);
  const auto ago = [this](MonotonicTime time) {
    return std::chrono::duration_cast<std::chrono::microseconds>(parts_.clock.monotonic() - time);
  };
  const WallTime now = parts_.clock.now();
  span.started = now - ago(exchange.started);
  span.ended = std::max(now - ago(exchange.finished), span.started);
  add_request_attributes(exchange.request, parts_.forwarded.client(exchange.request), span);
  if (exchange.status != 0) {
    span.attributes.emplace_back("http.response.status_code", std::int64_t{exchange.status});
  }
  // Of a server's span only what the server did is an error, not what the client did.
  span.failed = exchange.status >= 500 || exchange.status == 0 || !exchange.complete;
  if (!trace.failure.empty()) {
    span.attributes.emplace_back("error.type", std::string(trace.failure));
  } else if (exchange.status >= 500) {
    span.attributes.emplace_back("error.type", std::to_string(exchange.status));
  }
  add_tags(exchange, span);
  return span;
}

void Tracing::ended(const net::Exchange& exchange) {
  const http::SpanContext& span = exchange.request.trace.span;
  // Requests that were refused before begin() have no trace.
  if (span.sampled && span.span_id != http::SpanId{}) parts_.sink.take(span_of(exchange));
}

}  // namespace gatehouse::gateway
