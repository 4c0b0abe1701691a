// The work that each request costs, done over and over, for bench/instructions.py to count:
//
//   gatehouse_hot_path parse|route|check|rewrite TIMES
//   gatehouse_hot_path             each of them once: shows that it runs
//
// Each is what the server and the gateway's Proxy do for one request of a browser to Kubeflow, by
// the same calls. Prints a sum of what came out, so that no compiler can leave the work out; exit
// code 1 if it does not come out as it must, 2 for other arguments.
#include <fmt/format.h>

#include <charconv>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "config/gateway_settings.h"
#include "gatekeeper/test_world.h"
#include "gateway/forwarded.h"
#include "gateway/identity_headers.h"
#include "gateway/routing/fakes.h"
#include "gateway/routing/route_table.h"
#include "http/authorizer.h"
#include "http/message.h"
#include "net/http1/codec.h"

namespace gatehouse {
namespace {

namespace http1 = net::http1;

constexpr std::string_view kAuthority = "kubeflow.example.org";

void require(bool good, std::string_view what) {
  if (good) return;
  std::fprintf(stderr, "hot_path: %.*s\n", static_cast<int>(what.size()), what.data());
  std::exit(1);
}

/// What Chromium sends when a page of Kubeflow asks for data.
std::string request_text(std::string_view session_cookie) {
  return fmt::format(
      "GET /pipeline/apis/v2beta1/runs?page_size=10&sort_by=created_at%20desc HTTP/1.1\r\n"
      "Host: {0}\r\n"
      "Connection: keep-alive\r\n"
      "sec-ch-ua-platform: \"Linux\"\r\n"
      "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
      "Chrome/142.0.0.0 Safari/537.36\r\n"
      "sec-ch-ua: \"Chromium\";v=\"142\", \"Not_A Brand\";v=\"99\"\r\n"
      "sec-ch-ua-mobile: ?0\r\n"
      "Accept: application/json, text/plain, */*\r\n"
      "Sec-Fetch-Site: same-origin\r\n"
      "Sec-Fetch-Mode: cors\r\n"
      "Sec-Fetch-Dest: empty\r\n"
      "Referer: https://{0}/pipeline/\r\n"
      "Accept-Encoding: gzip, deflate, br, zstd\r\n"
      "Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\n"
      "Cookie: _xsrf=2|8f1b6a3c|6c1e0f4d9a7b5e2c8d3f1a0b9c4e7d6f|1764000000; {1}; theme=dark\r\n"
      "\r\n",
      kAuthority, session_cookie);
}

constexpr std::string_view kResponseText =
    "HTTP/1.1 200 OK\r\n"
    "Date: Wed, 19 Nov 2025 08:00:00 GMT\r\n"
    "Server: TornadoServer/6.5\r\n"
    "Content-Type: application/json; charset=utf-8\r\n"
    "Content-Length: 1024\r\n"
    "Cache-Control: no-cache\r\n"
    "ETag: \"6c1e0f4d9a7b5e2c8d3f1a0b9c4e7d6f\"\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Vary: Accept-Encoding\r\n"
    "Connection: keep-alive\r\n"
    "\r\n";

void read_request(std::string_view text, http1::RequestHead& head) {
  std::size_t consumed = 0;
  const auto read = http1::parse_request_head(text, false, {}, head, consumed);
  require(read && *read && consumed == text.size(), "the request's head was not read");
}

/// Reads the head of a request and of its answer.
class Parse {
 public:
  std::size_t once() {
    read_request(request_text_, request_);
    std::size_t consumed = 0;
    const auto read = http1::parse_response_head(kResponseText, "GET", {}, response_, consumed);
    require(read && *read && consumed == kResponseText.size(), "the answer's head was not read");
    return request_.request.headers.size() + response_.response.headers.size();
  }

 private:
  const std::string request_text_ = request_text("gatehouse_session=" + std::string(360, 'x'));
  http1::RequestHead request_;
  http1::ResponseHead response_;
};

/// Kubeflow's parts, its users' notebooks, and models that are served by names of their own.
std::vector<config::Route> kubeflow_routes() {
  std::vector<config::Route> routes;
  for (const char* const prefix :
       {"/", "/jupyter/", "/pipeline/", "/ml_metadata", "/katib/", "/kfam/", "/volumes/",
        "/tensorboards/", "/kserve-endpoints/", "/dashboard/", "/dex/", "/authservice/"}) {
    routes.push_back(gateway::matching("string", prefix));
  }
  for (int i = 0; i < 60; ++i) {
    routes.push_back(
        gateway::matching("string", fmt::format("/notebook/team-{}/notebook-{}/", i % 6, i)));
  }
  for (int i = 0; i < 28; ++i) {
    routes.push_back(gateway::route("/", fmt::format("model-{}.team-{}.example.org", i, i % 6)));
  }
  return routes;
}

/// Finds the route of a request, another one each time.
class Route {
 public:
  Route() {
    for (const char* const target : {"/", "/pipeline/apis/v2beta1/runs?page_size=10",
                                     "/notebook/team-3/notebook-57/api/status",
                                     "/katib/fetch_experiments/", "/assets/dashboard_.css"}) {
      requests_.push_back(gateway::request(target, std::string(kAuthority)));
    }
    requests_.push_back(gateway::request("/v1/models/m:predict", "model-20.team-2.example.org"));
  }
  std::size_t once() {
    const auto found = table_.find(requests_[next_++ % requests_.size()]);
    require(found.has_value(), "no route was found");
    return (*found)->members().front().route;
  }

 private:
  const gateway::RouteTable table_ = gateway::RouteTable::make(kubeflow_routes()).table;
  std::vector<http::Request> requests_;
  std::size_t next_ = 0;
};

/// A gatekeeper that knows a session, and a request that shows its cookie.
struct Visit {
  Visit() {
    world.start();
    gatekeeper::Browser browser(world);
    browser.log_in("/pipeline/");
    http1::RequestHead head;
    read_request(request_text(browser.cookie_field()), head);
    request = std::move(head.request);
    request.peer = std::make_shared<http::Peer>(http::Peer{.address = "192.0.2.7", .port = 40'000});
    request.trace.request_id = "0123456789abc";
    // The first look at what is known finds the keys new to it, and forgets what judge() learnt.
    for (int i = 0; i < 2; ++i) {
      require(std::holds_alternative<http::Allow>(world.judge(request)), "the session is not good");
    }
  }

  gatekeeper::World world;
  http::Request request;
};

/// Judges a request of a session that is known.
class Check {
 public:
  std::size_t once() {
    const http::Allow* const allow = visit_.world.gatekeeper->allowed_at_once(visit_.request);
    require(allow != nullptr, "the session is not known");
    return allow->set.size();
  }

 private:
  Visit visit_;
};

/// Makes the headers that the service gets, and writes them.
class Rewrite {
 public:
  Rewrite() {
    onward_.target = visit_.request.target;
    onward_.authority = visit_.request.authority;
    once();
    require(written_.contains("kubeflow-userid: ada@example.org\r\n"), "the user is not said");
    require(!written_.contains("gatehouse_session"), "the service gets the session's cookie");
  }
  std::size_t once() {
    http::Headers& headers = onward_.headers;
    headers = visit_.request.headers;
    identity_.strip(headers);
    identity_.strip_cookies(headers);
    forwarded_.apply(visit_.request, headers);
    require(identity_.apply(headers, allow_).has_value(), "the verdict cannot be written");
    written_.clear();
    http1::write_request_head(written_, onward_, {}, true);
    return written_.size();
  }

 private:
  Visit visit_;
  const gateway::IdentityHeaders identity_{visit_.world.gatekeeper->managed_headers(),
                                           visit_.world.gatekeeper->private_cookies()};
  const gateway::Forwarded forwarded_ = gateway::Forwarded::make({}).value();
  const http::Allow allow_ = *visit_.world.gatekeeper->allowed_at_once(visit_.request);
  http::Request onward_;
  std::string written_;
};

template <class Work>
std::size_t repeat(std::size_t times) {
  Work work;
  std::size_t sum = 0;
  for (std::size_t i = 0; i < times; ++i) sum += work.once();
  return sum;
}

/// nullopt if there is no work of that name.
std::optional<std::size_t> repeat(std::string_view work, std::size_t times) {
  if (work == "parse") return repeat<Parse>(times);
  if (work == "route") return repeat<Route>(times);
  if (work == "check") return repeat<Check>(times);
  if (work == "rewrite") return repeat<Rewrite>(times);
  return std::nullopt;
}

int run(const std::vector<std::string_view>& arguments) {
  if (arguments.empty()) {
    for (const char* const work : {"parse", "route", "check", "rewrite"}) {
      std::printf("%s %zu\n", work, *repeat(work, 1));
    }
    return 0;
  }
  std::size_t times = 0;
  std::optional<std::size_t> sum;
  if (arguments.size() == 2) {
    const std::string_view count = arguments[1];
    const auto read = std::from_chars(count.data(), count.data() + count.size(), times);
    if (read.ptr == count.data() + count.size() && times > 0) sum = repeat(arguments[0], times);
  }
  if (!sum) {
    std::fputs("usage: gatehouse_hot_path [parse|route|check|rewrite TIMES]\n", stderr);
    return 2;
  }
  std::printf("%zu\n", *sum);
  return 0;
}

}  // namespace
}  // namespace gatehouse

int main(int argc, char** argv) {
  return gatehouse::run({argv + 1, argv + argc});
}
