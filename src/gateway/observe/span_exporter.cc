#include "gateway/observe/span_exporter.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "http/url.h"
#include "net/tls.h"

namespace gatehouse::gateway {
namespace {

constexpr std::chrono::milliseconds kTimeout{10'000};
constexpr std::size_t kAnswerLimit = 64 * 1024;

/// OTLP/HTTP: the codes that are worth another attempt.
bool may_be_retried(int status) {
  return status == 429 || status == 502 || status == 503 || status == 504;
}

/// Retry-After in seconds (RFC 9110 §10.2.3); 0 if there is none or it is a date.
std::chrono::milliseconds retry_after(const http::Headers& headers) {
  const std::string_view text = headers.only("retry-after").value_or("");
  unsigned seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  const bool valid = error == std::errc() && end == text.data() + text.size();
  return std::chrono::seconds(valid ? seconds : 0);
}

Result<net::ClientOptions> options_of(const http::Url& url) {
  net::ClientOptions options;
  options.response_timeout = kTimeout;
  options.idle_timeout = kTimeout;
  if (url.scheme != "https") return options;
  Result<std::shared_ptr<const net::ClientTls>> tls = net::ClientTls::load({});
  if (!tls) return fail(std::move(tls));
  options.tls = std::move(*tls);
  return options;
}

}  // namespace

void SpanQueue::add(Span span) {
  if (waiting_.size() >= kQueueLimit) {
    counts_.dropped.add(1);
    return;
  }
  waiting_.push_back(std::move(span));
}

const std::vector<Span>& SpanQueue::batch() {
  if (batch_.empty()) {
    const auto end =
        waiting_.begin() + static_cast<std::ptrdiff_t>(std::min(kBatch, waiting_.size()));
    batch_.assign(std::move_iterator(waiting_.begin()), std::move_iterator(end));
    waiting_.erase(waiting_.begin(), end);
  }
  return batch_;
}

void SpanQueue::delivered() {
  counts_.exported.add(batch_.size());
  end_batch();
}

void SpanQueue::refused() {
  counts_.dropped.add(batch_.size());
  end_batch();
}

std::chrono::milliseconds SpanQueue::failed(std::chrono::milliseconds asked_pause) {
  ++attempts_;
  const std::chrono::milliseconds pause =
      std::clamp(kFirstPause * (1 << (attempts_ - 1)), asked_pause, kLongestPause);
  if (attempts_ >= kAttempts) refused();
  return pause;
}

SpanExporter::SpanExporter(Parts parts)
    : parts_(std::move(parts)), queue_(parts_.counts), timer_(parts_.loop, [this] {
        paused_ = false;
        send();
      }) {
  request_.method = "POST";
  request_.target = parts_.target;
  request_.headers.add("Content-Type", "application/json");
}

Result<std::unique_ptr<SpanExporter>> SpanExporter::make(const config::Tracing& settings,
                                                         net::Loop& loop, net::Resolver& resolver,
                                                         TraceCounts& counts,
                                                         std::shared_ptr<spdlog::logger> log) {
  constexpr std::string_view kWhere = "gateway.tracing.endpoint";
  Result<http::Url> url = http::parse_url(settings.endpoint);
  if (!url) return std::unexpected(std::move(url).error().in(kWhere));
  std::string path = url->path;
  if (path.ends_with('/')) path.pop_back();
  Result<http::Target, http::TargetError> target = http::parse_target(path + "/v1/traces");
  if (!target || !url->query.empty()) {
    return fail(ErrorCode::kInvalid, std::string(kWhere) + ": must be a URL without a query");
  }
  Result<net::ClientOptions> options = options_of(*url);
  if (!options) return std::unexpected(std::move(options).error().in(kWhere));
  auto client = net::HttpClient::make(loop, resolver, std::move(*url), std::move(*options));
  return std::make_unique<SpanExporter>(Parts{.loop = loop,
                                              .client = std::move(client),
                                              .target = std::move(*target),
                                              .service_name = settings.service_name,
                                              .counts = counts,
                                              .log = std::move(log)});
}

void SpanExporter::take(Span span) {
  queue_.add(std::move(span));
  if (sending_ || paused_) return;
  if (queue_.full()) {
    send();
  } else if (!timer_.armed()) {
    timer_.set_after(SpanQueue::kDelay);
  }
}

void SpanExporter::send() {
  if (sending_ || queue_.empty()) return;
  timer_.cancel();
  sending_ = true;
  task_.start(deliver(), [this] { settle(fail(ErrorCode::kInternal, "an exception")); });
}

Task<void> SpanExporter::deliver() {
  request_.body = http::Body(otlp_json(queue_.batch(), parts_.service_name));
  Result<http::Response> answer = co_await parts_.client->send(request_, {kTimeout, kTimeout});
  if (answer) {
    // Read to its end, so that the connection is kept.
    const Result<std::string> body = co_await http::read_all(answer->body, kAnswerLimit);
    if (!body) answer = std::unexpected(body.error());
  }
  settle(answer);
}

void SpanExporter::settle(const Result<http::Response>& answer) {
  sending_ = false;
  if (answer && answer->status >= 200 && answer->status < 300) {
    queue_.delivered();
    warned_ = false;
    if (!queue_.empty())
      timer_.set_after(queue_.full() ? std::chrono::milliseconds(0) : SpanQueue::kDelay);
    return;
  }
  if (answer && !may_be_retried(answer->status)) {
    queue_.refused();
    pause("it answered " + std::to_string(answer->status), SpanQueue::kFirstPause);
  } else if (answer) {
    pause("it answered " + std::to_string(answer->status),
          queue_.failed(retry_after(answer->headers)));
  } else {
    pause(answer.error().message, queue_.failed());
  }
}

void SpanExporter::pause(std::string_view why, std::chrono::milliseconds asked) {
  if (!warned_ && parts_.log) parts_.log->warn("the collector of spans failed: {}", why);
  warned_ = true;
  paused_ = true;
  timer_.set_after(asked);
}

}  // namespace gatehouse::gateway
