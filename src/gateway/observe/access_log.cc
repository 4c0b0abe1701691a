#include "gateway/observe/access_log.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <array>
#include <ctime>
#include <span>
#include <utility>

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

std::array<TextMember, 10> texts(const http::Request& request, std::string_view client) {
  const http::Trace& trace = request.trace;
  return {{{"method", request.method},
           {"host", request.authority},
           {"path", request.target.path()},
           {"client", client},
           {"request_id", trace.request_id},
           {"route", trace.route},
           {"upstream", trace.upstream},
           {"user", trace.user},
           {"session", trace.session},
           {"failure", trace.failure}}};
}

std::array<TextMember, 7> texts(const TcpOutcome& outcome) {
  return {{{"protocol", "tcp"},
           {"server_name", outcome.peer.server_name},
           {"client", outcome.peer.address},
           {"route", outcome.route == nullptr ? std::string_view() : route_name(*outcome.route)},
           {"upstream", outcome.upstream},
           {"failure", outcome.failure()},
           {"reason", outcome.reason}}};
}

/// UTC to the microsecond, as RFC 3339 has it.
void append_time(Line& line, WallTime time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  fmt::format_to(std::back_inserter(line), "{:%Y-%m-%dT%H:%M:%S}.{:06}Z",
                 fmt::gmtime(static_cast<std::time_t>(unix_seconds(time))),
                 (time - seconds).count());
}

void begin_json(Line& line, std::span<const TextMember> members, std::optional<WallTime> time) {
  line.push_back('{');
  if (time) {
    line.append(std::string_view("\"time\":\""));
    append_time(line, *time);
    line.append(std::string_view("\","));
  }
  for (const TextMember& member : members) {
    if (member.value.empty()) continue;
    fmt::format_to(std::back_inserter(line), "\"{}\":\"", member.name);
    append_escaped(line, member.value);
    line.append(std::string_view("\","));
  }
}

void begin_text(Line& line, std::span<const TextMember> members, std::optional<WallTime> time) {
  if (time) {
    append_time(line, *time);
    line.push_back(' ');
  }
  for (const TextMember& member : members) {
    if (member.value.empty()) continue;
    fmt::format_to(std::back_inserter(line), "{}=\"", member.name);
    append_escaped(line, member.value);
    line.append(std::string_view("\" "));
  }
}

void append_json(Line& line, const net::Exchange& exchange, std::string_view client,
                 std::optional<WallTime> time) {
  begin_json(line, texts(exchange.request, client), time);
  fmt::format_to(std::back_inserter(line),
                 "\"status\":{},\"received\":{},\"sent\":{},\"answer_us\":{},\"total_us\":{},"
                 "\"complete\":{}}}",
                 exchange.status, exchange.received, exchange.sent,
                 microseconds(exchange.started, exchange.answered),
                 microseconds(exchange.started, exchange.finished), exchange.complete);
}

void append_text(Line& line, const net::Exchange& exchange, std::string_view client,
                 std::optional<WallTime> time) {
  begin_text(line, texts(exchange.request, client), time);
  fmt::format_to(
      std::back_inserter(line), "status={} received={} sent={} answer_us={} total_us={}{}",
      exchange.status, exchange.received, exchange.sent,
      microseconds(exchange.started, exchange.answered),
      microseconds(exchange.started, exchange.finished), exchange.complete ? "" : " incomplete");
}

long long microseconds(std::chrono::nanoseconds duration) {
  return std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
}

void append_json(Line& line, const TcpOutcome& outcome, std::optional<WallTime> time) {
  begin_json(line, texts(outcome), time);
  fmt::format_to(std::back_inserter(line), "\"received\":{},\"sent\":{},\"total_us\":{}}}",
                 outcome.received, outcome.sent, microseconds(outcome.duration));
}

void append_text(Line& line, const TcpOutcome& outcome, std::optional<WallTime> time) {
  begin_text(line, texts(outcome), time);
  fmt::format_to(std::back_inserter(line), "received={} sent={} total_us={}", outcome.received,
                 outcome.sent, microseconds(outcome.duration));
}

}  // namespace

Result<std::unique_ptr<AccessLog>> AccessLog::make(const config::AccessLog& settings, Parts parts) {
  if (settings.form == "json" || settings.format.empty()) {
    const Form form = settings.form == "json" ? Form::kJson : Form::kText;
    return std::unique_ptr<AccessLog>(new AccessLog(form, {}, std::move(parts)));
  }
  // Envoy's formats end their line themselves.
  std::string_view text = settings.format;
  while (text.ends_with('\n')) text.remove_suffix(1);
  Result<Format> format =
      Format::parse(text, {.use = Format::Use::kLog, .hostname = system_hostname()});
  if (!format) return std::unexpected(std::move(format).error().in("gateway.access_log.format"));
  return std::unique_ptr<AccessLog>(
      new AccessLog(Form::kOwn, std::move(*format), std::move(parts)));
}

WallTime AccessLog::wall_time(MonotonicTime time) const {
  const auto ago = parts_.clock.monotonic() - time;
  return parts_.clock.now() - std::chrono::duration_cast<std::chrono::microseconds>(ago);
}

std::optional<WallTime> AccessLog::told_time(MonotonicTime started) const {
  if (!parts_.log_is_bare) return std::nullopt;
  return wall_time(started);
}

void AccessLog::write(std::string_view line) const {
  parts_.log->log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
}

void AccessLog::append_own(const net::Exchange& exchange, std::string_view client,
                           std::string& line) const {
  const http::Request& request = exchange.request;
  const auto duration =
      std::chrono::duration_cast<std::chrono::microseconds>(exchange.finished - exchange.started);
  const auto response_duration =
      std::chrono::duration_cast<std::chrono::microseconds>(exchange.answered - exchange.started);
  FormatContext context{.request = request,
                        .response = exchange.response,
                        .trailers = exchange.trailers(),
                        .status = exchange.status,
                        .client_address = client,
                        .bytes_received = exchange.received,
                        .bytes_sent = exchange.sent,
                        .started = wall_time(exchange.started),
                        .duration = duration};
  if (exchange.status != 0) context.response_duration = response_duration;
  format_.append(line, context);
}

void AccessLog::ended(const net::Exchange& exchange) {
  if (!parts_.log->should_log(spdlog::level::info)) return;
  const std::string client = parts_.forwarded.client(exchange.request).address;
  if (form_ == Form::kOwn) {
    std::string line;
    append_own(exchange, client, line);
    write(line);
    return;
  }
  Line line;
  const std::optional<WallTime> time = told_time(exchange.started);
  if (form_ == Form::kJson) {
    append_json(line, exchange, client, time);
  } else {
    append_text(line, exchange, client, time);
  }
  write({line.data(), line.size()});
}

void AccessLog::ended(const TcpOutcome& outcome) {
  if (form_ == Form::kOwn || !parts_.log->should_log(spdlog::level::info)) return;
  Line line;
  const std::optional<WallTime> time = told_time(parts_.clock.monotonic() - outcome.duration);
  if (form_ == Form::kJson) {
    append_json(line, outcome, time);
  } else {
    append_text(line, outcome, time);
  }
  write({line.data(), line.size()});
}

}  // namespace gatehouse::gateway
