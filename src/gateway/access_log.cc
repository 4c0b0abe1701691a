#include "gateway/access_log.h"

#include <fmt/format.h>

#include <array>
#include <string_view>

namespace gatehouse::gateway {
namespace {

using Line = fmt::memory_buffer;

long long microseconds(MonotonicTime from, MonotonicTime to) {
  return to < from ? 0 : std::chrono::duration_cast<std::chrono::microseconds>(to - from).count();
}

/// Escapes what could end a JSON string or a line, or is not ASCII.
void append_escaped(Line& line, std::string_view text) {
  for (const char c : text) {
    if (c == '"' || c == '\\') line.push_back('\\');
    if (c >= ' ' && c <= '~') {
      line.push_back(c);
    } else {
      fmt::format_to(std::back_inserter(line), "\\u{:04x}", static_cast<unsigned char>(c));
    }
  }
}

struct TextMember {
  std::string_view name, value;
};

std::array<TextMember, 10> texts(const http::Request& request) {
  const http::Trace& trace = request.trace;
  const std::string_view peer = request.peer ? std::string_view(request.peer->address) : "";
  return {{{"method", request.method},
           {"host", request.authority},
           {"path", request.target.path()},
           {"client", peer},
           {"request_id", trace.request_id},
           {"route", trace.route},
           {"upstream", trace.upstream},
           {"user", trace.user},
           {"session", trace.session},
           {"failure", trace.failure}}};
}

void append_json(Line& line, const net::Exchange& exchange) {
  line.push_back('{');
  for (const TextMember& member : texts(exchange.request)) {
    if (member.value.empty()) continue;
    fmt::format_to(std::back_inserter(line), "\"{}\":\"", member.name);
    append_escaped(line, member.value);
    line.append(std::string_view("\","));
  }
  fmt::format_to(std::back_inserter(line),
                 "\"status\":{},\"received\":{},\"sent\":{},\"answer_us\":{},\"total_us\":{},"
                 "\"complete\":{}}}",
                 exchange.status, exchange.received, exchange.sent,
                 microseconds(exchange.started, exchange.answered),
                 microseconds(exchange.started, exchange.finished), exchange.complete);
}

void append_text(Line& line, const net::Exchange& exchange) {
  for (const TextMember& member : texts(exchange.request)) {
    if (member.value.empty()) continue;
    fmt::format_to(std::back_inserter(line), "{}=\"", member.name);
    append_escaped(line, member.value);
    line.append(std::string_view("\" "));
  }
  fmt::format_to(
      std::back_inserter(line), "status={} received={} sent={} answer_us={} total_us={}{}",
      exchange.status, exchange.received, exchange.sent,
      microseconds(exchange.started, exchange.answered),
      microseconds(exchange.started, exchange.finished), exchange.complete ? "" : " incomplete");
}

}  // namespace

void AccessLog::ended(const net::Exchange& exchange) {
  if (!log_->should_log(spdlog::level::info)) return;
  Line line;
  if (format_ == Format::kJson) {
    append_json(line, exchange);
  } else {
    append_text(line, exchange);
  }
  log_->log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace gatehouse::gateway
