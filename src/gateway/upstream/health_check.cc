#include "gateway/upstream/health_check.h"

#include <algorithm>
#include <utility>

#include "gateway/upstream/grpc_health.h"
#include "http/headers.h"

namespace gatehouse::gateway::upstream {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFirstWithin{1'000};
/// Of the answer to an HTTP check, which is read so that its connection can be used again.
constexpr std::size_t kBodyLimit = 256 * 1024;

bool is_expected(const std::vector<config::StatusRange>& ranges, int status) {
  if (ranges.empty()) return status == 200;
  return std::ranges::any_of(ranges, [status](const config::StatusRange& range) {
    return status >= range.min && status <= range.max;
  });
}

std::unexpected<Error> wrong(const std::string& what) {
  return fail(ErrorCode::kInvalid, "health_checks: " + what);
}

}  // namespace

Result<void> HealthCheck::validate(const config::HealthCheck& settings) {
  if (settings.kind != "http" && settings.kind != "grpc") {
    return wrong("kind \"" + settings.kind + "\" is neither http nor grpc");
  }
  if (settings.interval <= milliseconds(0)) return wrong("interval must be more than 0");
  if (settings.timeout <= milliseconds(0)) return wrong("timeout must be more than 0");
  if (!http::parse_target(settings.path)) return wrong("path is no path: " + settings.path);
  if (!settings.host.empty() && !http::parse_authority(settings.host)) {
    return wrong("host is no host: " + settings.host);
  }
  for (const config::FieldEdit& header : settings.headers) {
    if (!http::is_token(header.name) || !http::is_field_value(header.value)) {
      return wrong("header \"" + header.name + "\" could not be sent");
    }
  }
  for (const config::StatusRange& range : settings.expected) {
    if (range.min > range.max) return wrong("an expected range of statuses is empty");
  }
  return {};
}

std::string HealthCheck::key(const config::Upstream& upstream, const config::HealthCheck& settings,
                             std::string_view endpoint) {
  std::string key(endpoint);
  const auto add = [&key](std::string_view part) { key.append("\n").append(part); };
  const auto add_number = [&add](std::int64_t number) { add(std::to_string(number)); };
  for (const std::string* const part :
       {&upstream.service, &upstream.tls.server_name, &upstream.protocol, &settings.kind,
        &settings.path, &settings.host, &settings.grpc_service}) {
    add(*part);
  }
  for (const config::FieldEdit& header : settings.headers) add(header.name + ":" + header.value);
  for (const std::string& name : settings.remove_headers) add("-" + name);
  for (const config::StatusRange& range : settings.expected) {
    add_number(range.min);
    add_number(range.max);
  }
  add_number(settings.interval.count());
  add_number(settings.timeout.count());
  add_number(static_cast<std::int64_t>(settings.healthy_threshold));
  add_number(static_cast<std::int64_t>(settings.unhealthy_threshold));
  return key;
}

HealthCheck::HealthCheck(net::Loop& loop, config::HealthCheck settings,
                         std::unique_ptr<net::HttpClient> client,
                         std::shared_ptr<HealthBoard::Entry> entry, RandomSequence& random)
    : loop_(loop),
      settings_(std::move(settings)),
      client_(std::move(client)),
      entry_(std::move(entry)),
      random_(random),
      timer_(loop, [this] { due(); }),
      limit_(loop, [this] { cancellation_.cancel(); }) {
  const auto within = std::min(settings_.interval, kFirstWithin).count();
  timer_.set_after(milliseconds(random_.below(static_cast<std::uint32_t>(within))));
}

HealthCheck::~HealthCheck() {
  task_.stop();
  entry_->release(this);
}

milliseconds HealthCheck::next_interval() {
  const auto tenth = settings_.interval / 10;
  return settings_.interval - tenth +
         milliseconds(random_.below(static_cast<std::uint32_t>(2 * tenth.count() + 1)));
}

void HealthCheck::due() {
  timer_.set_after(next_interval());
  const MonotonicTime now = loop_.now();
  // Long enough for a question that takes its time, and one more.
  const milliseconds lease = 2 * (settings_.interval + settings_.timeout);
  if (asking_ || !entry_->claim(this, now, now + lease)) return;
  task_.start(check(), [this] { asking_ = false; });
}

Task<void> HealthCheck::check() {
  asking_ = true;
  cancellation_ = {};
  limit_.set_after(settings_.timeout);
  Result<void> outcome = co_await ask();
  limit_.cancel();
  if (!outcome && cancellation_.cancelled()) outcome.error().message = "did not answer in time";
  if (!outcome) outcome = std::unexpected(std::move(outcome).error().in("health check"));
  entry_->record(outcome, settings_.healthy_threshold, settings_.unhealthy_threshold);
  asking_ = false;
}

Task<Result<void>> HealthCheck::ask() {
  const bool grpc = settings_.kind == "grpc";
  http::Request question = grpc ? grpc_health_question(settings_.grpc_service) : http_question();
  question.authority = settings_.host;
  question.cancellation = &cancellation_;
  Result<http::Response> answer =
      co_await client_->send(question, {.response = settings_.timeout, .idle = settings_.timeout});
  if (!answer) co_return fail(std::move(answer));
  if (grpc) {
    Result<void> serving = co_await read_grpc_health(*answer);
    co_return serving;
  }
  if (!is_expected(settings_.expected, answer->status)) {
    co_return fail(ErrorCode::kUnavailable, "answered " + std::to_string(answer->status));
  }
  Result<std::string> body = co_await http::read_all(answer->body, kBodyLimit);
  // A page that is long, or that never ends, is well too: its head was what was asked for.
  if (!body && body.error().code != ErrorCode::kExhausted) co_return fail(std::move(body));
  co_return Result<void>();
}

http::Request HealthCheck::http_question() const {
  http::Request request;
  request.target = *http::parse_target(settings_.path);
  request.headers.add("User-Agent", "gatehouse-health-check");
  for (const config::FieldEdit& header : settings_.headers) {
    if (header.append) {
      request.headers.add(header.name, header.value);
    } else {
      request.headers.set(header.name, header.value);
    }
  }
  for (const std::string& name : settings_.remove_headers) request.headers.remove(name);
  return request;
}

}  // namespace gatehouse::gateway::upstream
