// A gatekeeper with all that is around it, for tests: a store in memory whose faults can be called
// up, a provider, a clock that stands, and browsers that keep cookies.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/blocking_pool.h"
#include "base/queue_executor.h"
#include "crypto/random.h"
#include "gatekeeper/gatekeeper.h"
#include "gatekeeper/test_provider.h"
#include "store/memory/memory_database.h"
#include "store/store.h"

namespace gatehouse::gatekeeper {

using Fields = std::vector<std::pair<std::string, std::string>>;

/// What a browser sends when a person opens a page.
inline const Fields kNavigation = {{"Accept", "text/html,*/*;q=0.8"},
                                   {"Sec-Fetch-Mode", "navigate"},
                                   {"Sec-Fetch-Site", "none"},
                                   {"User-Agent", "TestBrowser/1.0"}};

class FaultyDatabase final : public store::Database {
 public:
  Result<void> transact(const std::function<Result<void>(store::Transaction&)>& work) override {
    if (broken) return fail(ErrorCode::kUnavailable, "the disk is away");
    return inner_->transact(work);
  }
  std::atomic<bool> broken = false;

 private:
  std::unique_ptr<store::Database> inner_ = store::make_memory_database();
};

/// One process: Shared and one loop. Several over one store are replicas.
class World {
 public:
  explicit World(config::Gatekeeper settings = {}, std::string public_url = "",
                 std::shared_ptr<FaultyDatabase> store = std::make_shared<FaultyDatabase>())
      : database(std::move(store)) {
    if (settings.issuer.empty()) settings.issuer = TestProvider::kIssuer;
    shared = Shared::make(std::move(settings), std::move(public_url),
                          Secret("0123456789abcdef0123456789abcdef"), entropy, clock);
  }

  void start() {
    const Result<void> started = shared->start(*database);
    ASSERT_TRUE(started) << started.error().message;
    provider.client_secret = shared->client_secret();
    gatekeeper = make_loop();
  }

  std::unique_ptr<Gatekeeper> make_loop() {
    return Gatekeeper::make(shared, store::Store(loop, pool, *database), client, entropy, clock);
  }

  http::Verdict judge(const http::Request& request) {
    http::Verdict verdict = loop.wait(gatekeeper->judge(request));
    // Before and after judge() has come to know the session, the short cut may say no more than it.
    const http::Allow* const known = gatekeeper->allowed_at_once(request);
    if (known != nullptr) {
      const auto* const allow = std::get_if<http::Allow>(&verdict);
      EXPECT_NE(allow, nullptr) << "allowed at once, but not by judge()";
      if (allow != nullptr) {
        EXPECT_EQ(known->set, allow->set);
        EXPECT_EQ(known->remove, allow->remove);
        EXPECT_EQ(known->user, allow->user);
        EXPECT_EQ(known->session, allow->session);
      }
    }
    return verdict;
  }
  http::Response handle(http::Request& request) { return loop.wait(gatekeeper->handle(request)); }
  http::Response authorize(http::Request& request) {
    return loop.wait(gatekeeper->external_authorization().handle(request));
  }
  void maintain() {
    bool done = false;
    const auto run = [](Task<void> task, bool& finished) -> Task<void> {
      co_await std::move(task);
      finished = true;
    };
    spawn(run(gatekeeper->maintain(), done));
    loop.run_until([&done] { return done; });
  }

  std::shared_ptr<FaultyDatabase> database;
  ManualClock clock;
  crypto::SystemEntropy entropy;
  QueueExecutor loop;
  BlockingPool pool{{.name = "store", .threads = 1}};
  TestProvider provider{clock};
  http::HandlerClient client{provider};
  std::shared_ptr<Shared> shared;
  std::unique_ptr<Gatekeeper> gatekeeper;
};

inline http::Request make_request(std::string method, std::string_view target,
                                  const Fields& fields = kNavigation) {
  http::Request request;
  request.method = std::move(method);
  request.target = *http::parse_target(target);
  request.authority = "localhost:8080";
  for (const auto& [name, value] : fields) request.headers.add(name, value);
  auto peer = std::make_shared<http::Peer>();
  peer->address = "192.0.2.7";
  request.peer = std::move(peer);
  return request;
}

inline std::string header(const http::Response& response, std::string_view name) {
  return std::string(response.headers.get(name).value_or(""));
}

/// All Set-Cookie fields whose cookie has that name, or one that begins so.
inline std::vector<std::string> set_cookies(const http::Response& response,
                                            std::string_view prefix) {
  std::vector<std::string> out;
  for (const http::Field field : response.headers) {
    if (field.name == "Set-Cookie" && field.value.starts_with(prefix)) {
      out.emplace_back(field.value);
    }
  }
  return out;
}

/// Keeps cookies as a browser does. A page behind the door answers 200 with its user as the body.
class Browser {
 public:
  explicit Browser(World& world) : world_(world) {}

  http::Response open(std::string_view target) { return send("GET", target, kNavigation); }

  http::Response send(std::string method, std::string_view target, const Fields& fields) {
    http::Request request = make_request(std::move(method), target, fields);
    request.peer = peer();
    if (!cookies.empty()) request.headers.add("Cookie", cookie_field());
    http::Response response;
    if (http::path_has_prefix(request.target.path(), "/authservice")) {
      response = world_.handle(request);
    } else {
      response = visit(request);
    }
    keep(response);
    failure = request.trace.failure;
    return response;
  }

  /// Follows a stranger's way through the provider, and back to the callback's answer.
  http::Response log_in(std::string_view target) {
    return open(world_.provider.log_in(header(open(target), "Location")));
  }

  /// The user that the page sees; "" if it was not reached.
  std::string user_at(std::string_view target) {
    http::Response response = open(target);
    return response.status == 200 ? response.body.bytes : "";
  }

  std::string cookie_field() const {
    std::string out;
    for (const auto& [name, value] : cookies) out += (out.empty() ? "" : "; ") + name + "=" + value;
    return out;
  }

  std::vector<std::pair<std::string, std::string>> cookies;  // oldest first
  std::string failure;                                       // of the last request's trace
  bool https = false;

  std::string* cookie(std::string_view name) {
    for (auto& [have, value] : cookies) {
      if (have == name) return &value;
    }
    return nullptr;
  }

 private:
  std::shared_ptr<const http::Peer> peer() const {
    auto out = std::make_shared<http::Peer>();
    out->address = "192.0.2.7";
    out->tls = https;
    return out;
  }

  http::Response visit(const http::Request& request) {
    http::Verdict verdict = world_.judge(request);
    if (const auto* allow = std::get_if<http::Allow>(&verdict)) {
      return http::make_response(200, "text/plain", allow->user);
    }
    if (auto* deny = std::get_if<http::Deny>(&verdict)) return std::move(deny->response);
    return http::make_response(503, "text/plain", "failure");
  }

  void keep(const http::Response& response) {
    for (const http::Field field : response.headers) {
      if (field.name != "Set-Cookie") continue;
      const std::string_view pair = field.value.substr(0, field.value.find(';'));
      const std::string name(pair.substr(0, pair.find('=')));
      const std::string value(pair.substr(pair.find('=') + 1));
      const bool gone = field.value.contains("Max-Age=0");
      std::string* const held = cookie(name);
      if (gone) {
        std::erase_if(cookies, [&name](const auto& entry) { return entry.first == name; });
      } else if (held != nullptr) {
        *held = value;
      } else {
        cookies.emplace_back(name, value);
      }
    }
  }

  World& world_;
};

}  // namespace gatehouse::gatekeeper
