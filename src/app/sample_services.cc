#include "app/sample_services.h"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "app/sample_pages.h"
#include "app/websocket_echo.h"
#include "base/json.h"
#include "http/html.h"

namespace gatehouse::app {
namespace {

using namespace std::chrono_literals;

/// One event a second until the reader goes away.
class Ticks final : public http::BodyReader {
 public:
  explicit Ticks(net::Loop& loop) : loop_(loop) {}

  Task<Result<std::string_view>> read() override {
    if (count_ > 0) co_await loop_.sleep(1s);
    event_ =
        fmt::format("id: {}\nevent: tick\ndata: {}\n\n", count_,
                    dump_json({{"count", count_}, {"time", unix_seconds(loop_.clock().now())}}));
    ++count_;
    co_return std::string_view(event_);
  }
  bool ready() const override { return false; }

 private:
  net::Loop& loop_;
  std::uint64_t count_ = 0;
  std::string event_;
};

class SampleServices final : public http::Handler {
 public:
  explicit SampleServices(net::Loop& loop) : loop_(loop) {}

  Task<http::Response> handle(http::Request& request) override {
    const std::string_view path = request.target.path();
    if (path == "/") co_return dashboard(request);
    if (path == kDashboardStylePath) co_return style();
    if (path == "/events") co_return events();
    if (path == "/ws") co_return echo_websocket(request, loop_);
    if (http::path_has_prefix(path, "/pipeline")) {
      http::Response response = co_await echo(request);
      co_return response;
    }
    co_return http::make_response(404, "text/plain; charset=utf-8", "No such page.\n");
  }

 private:
  http::Response dashboard(const http::Request& request) {
    const auto value = [&](std::string_view name) {
      return std::string(request.headers.get(name).value_or(""));
    };
    http::Response response =
        http::make_response(200, "text/html; charset=utf-8",
                            dashboard_page({.user = value("kubeflow-userid"),
                                            .groups = value("kubeflow-groups"),
                                            .expires = value("gatehouse-session-expires")}));
    http::add_page_headers(response.headers);
    return response;
  }

  static http::Response style() {
    return http::make_response(200, "text/css; charset=utf-8", dashboard_style());
  }

  http::Response events() {
    http::Response response;
    response.headers.add("Content-Type", "text/event-stream");
    response.headers.add("Cache-Control", "no-store");
    response.body = http::Body(std::make_unique<Ticks>(loop_));
    return response;
  }

  /// What reached this service, as JSON; the body is counted and dropped piece by piece.
  static Task<http::Response> echo(http::Request& request) {
    std::uint64_t body_bytes = request.body.bytes.size();
    while (request.body.stream) {
      const Result<std::string_view> piece = co_await request.body.stream->read();
      if (!piece) co_return http::json_error(400, "invalid_request", piece.error().message);
      if (piece->empty()) break;
      body_bytes += piece->size();
    }
    Json headers = Json::object();
    for (const http::Field field : request.headers) {
      Json& value = headers[http::lower_case(field.name)];
      value = value.is_null() ? std::string(field.value)
                              : value.get<std::string>() + ", " + std::string(field.value);
    }
    headers["host"] = request.authority;
    co_return http::make_response(200, "application/json",
                                  dump_json({{"method", request.method},
                                             {"path", request.target.path()},
                                             {"query", request.target.query()},
                                             {"headers", std::move(headers)},
                                             {"body_bytes", body_bytes}}) +
                                      "\n");
  }

  net::Loop& loop_;
};

}  // namespace

std::unique_ptr<http::Handler> make_sample_services(net::Loop& loop) {
  return std::make_unique<SampleServices>(loop);
}

}  // namespace gatehouse::app
