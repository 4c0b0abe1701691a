// A whole provider in one process for tests: memory database, a clock that stands still, real
// cryptography, no socket. Tests speak HTTP messages to it, as a browser and a client would.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <regex>
#include <string>
#include <utility>
#include <vector>

#include "base/blocking_pool.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/queue_executor.h"
#include "crypto/password.h"
#include "crypto/random.h"
#include "http/url.h"
#include "identity/keys/key_store.h"
#include "identity/shared.h"
#include "oauth/credentials.h"
#include "oauth/pkce.h"
#include "store/memory/memory_database.h"
#include "store/store.h"

namespace gatehouse::identity {

inline constexpr const char* kIssuer = "https://kubeflow.example.org/dex";
inline constexpr const char* kSealingKey = "a sealing key of thirty-two byte";
inline constexpr const char* kCallback = "/authservice/oidc/callback";
inline constexpr const char* kPassword = "open the gate, please";
inline constexpr const char* kVerifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// Cheap, so that a test takes no time; what it costs is crypto's matter.
inline constexpr crypto::Argon2Cost kTestCost{.memory_kib = 64, .passes = 1, .lanes = 1};

inline std::string cheap_hash(std::string_view password) {
  crypto::SystemEntropy entropy;
  return crypto::hash_password(Secret(std::string(password)), entropy, kTestCost).value();
}

inline config::StaticUser static_user(const char* email, const char* username, const char* id) {
  return {.email = email,
          .username = username,
          .name = "",
          .user_id = id,
          .password_hash = Secret(cheap_hash(kPassword)),
          .groups = {"team-a", "team-b"}};
}

inline config::Identity test_settings() {
  config::Identity settings;
  settings.issuer = kIssuer;
  Client gatekeeper;
  gatekeeper.id = "gatekeeper";
  gatekeeper.secret = Secret("gatekeeper's secret: a+b%");
  gatekeeper.name = "Kubeflow";
  gatekeeper.redirect_uris = {kCallback, "https://app.example/cb"};
  Client other;
  other.id = "other";
  other.secret = Secret("other's secret");
  other.redirect_uris = {kCallback};
  other.id_token_alg = "ES256";
  Client native;
  native.id = "cli";
  native.is_public = true;
  settings.clients = {gatekeeper, other, native};
  settings.users = {static_user("alice@example.org", "alice", "08a8684b"),
                    static_user("bob@example.org", "bob", "1f2e3d4c")};
  settings.passwords.argon2_memory_kib = kTestCost.memory_kib;
  settings.passwords.argon2_passes = kTestCost.passes;
  return settings;
}

/// A database that fails when it is told to.
class FragileDatabase final : public store::Database {
 public:
  Result<void> transact(const std::function<Result<void>(store::Transaction&)>& work) override {
    if (broken) return fail(ErrorCode::kExhausted, "the disk is full");
    return inner_->transact(work);
  }
  bool broken = false;

 private:
  std::unique_ptr<store::Database> inner_ = store::make_memory_database();
};

/// The signing keys of a first start at the manual clock's beginning. RSA keys take long to make,
/// so all tests start from these.
inline const std::vector<store::Key>& prepared_keys() {
  static const std::vector<store::Key> keys = [] {
    ManualClock clock;
    crypto::SystemEntropy entropy;
    BlockingPool pool({.name = "keys"});
    FragileDatabase database;
    SharedState shared(test_settings(), Secret(kSealingKey), pool, entropy, clock);
    EXPECT_TRUE(shared.start(database));
    std::vector<store::Key> all;
    const auto read = [&all](store::Transaction& transaction) -> Result<void> {
      for (const char* purpose : {"sign/RS256", "sign/ES256"}) {
        for (store::Key& key : transaction.keys(purpose).value()) all.push_back(std::move(key));
      }
      return {};
    };
    EXPECT_TRUE(database.transact(read));
    return all;
  }();
  return keys;
}

class ProviderTest : public testing::Test {
 protected:
  ProviderTest() { start(test_settings()); }

  /// As after a restart of the process with these settings, over the same database.
  void start(config::Identity settings) {
    provider_.reset();
    if (!shared_) {
      const auto add = [](store::Transaction& transaction) -> Result<void> {
        for (const store::Key& key : prepared_keys()) {
          Result<void> added = transaction.add_key(key);
          if (!added) return added;
        }
        return {};
      };
      EXPECT_TRUE(database_.transact(add));
    }
    shared_ = std::make_shared<SharedState>(std::move(settings), Secret(kSealingKey), hash_pool_,
                                            entropy_, clock_);
    const Result<void> started = shared_->start(database_);
    EXPECT_TRUE(started) << started.error().message;
    provider_ = Provider::make(shared_, loop_, store::Store(loop_, store_pool_, database_),
                               entropy_, clock_);
  }

  http::Response send(http::Request request) {
    if (!request.peer) request.peer = peer(address_);
    if (request.authority.empty()) request.authority = "kubeflow.example.org";
    return loop_.wait(provider_->handle(request));
  }

  static std::shared_ptr<const http::Peer> peer(const std::string& address) {
    auto made = std::make_shared<http::Peer>();
    made->address = address;
    return made;
  }

  static http::Request request(const char* method, const std::string& target) {
    http::Request made;
    made.method = method;
    made.target = http::parse_target(target).value();
    return made;
  }

  static http::Request form_request(const std::string& target, const http::Parameters& form) {
    http::Request made = request("POST", target);
    made.headers.set("Content-Type", "application/x-www-form-urlencoded");
    made.body = http::Body(http::encode_form(form));
    return made;
  }

  http::Response get(const std::string& target) { return send(request("GET", target)); }
  http::Response post(const std::string& target, const http::Parameters& form) {
    return send(form_request(target, form));
  }

  static http::Parameters authorization(const std::string& scope = "openid profile email groups",
                                        const std::string& client = "gatekeeper") {
    return {{"client_id", client},
            {"redirect_uri", kCallback},
            {"response_type", "code"},
            {"scope", scope},
            {"state", "the state"},
            {"nonce", "the nonce"},
            {"code_challenge", oauth::code_challenge(kVerifier)},
            {"code_challenge_method", "S256"}};
  }

  static std::string location(const http::Response& response) {
    return std::string(response.headers.get("Location").value_or(""));
  }

  /// A parameter of a URL's query, decoded.
  static std::string parameter(const std::string& url, const std::string& name) {
    const std::size_t mark = url.find('?');
    if (mark == std::string::npos) return "";
    const auto form = http::parse_form(std::string_view(url).substr(mark + 1));
    return form ? std::string(http::single(*form, name).value_or("")) : "";
  }

  /// The URL of the login page for an authorization request.
  std::string login_url(const http::Parameters& parameters) {
    return location(get("/dex/auth?" + http::encode_form(parameters)));
  }
  std::string login_url() { return login_url(authorization()); }

  http::Response log_in(const std::string& url, const std::string& login = "alice@example.org",
                        const std::string& password = kPassword) {
    return post(url, {{"login", login}, {"password", password}});
  }

  /// A fresh authorization code.
  std::string code(const http::Parameters& parameters, const char* login = "alice@example.org") {
    return parameter(location(log_in(login_url(parameters), login)), "code");
  }
  std::string code() { return code(authorization()); }

  static http::Parameters redemption(const std::string& code) {
    return {{"grant_type", "authorization_code"},
            {"code", code},
            {"redirect_uri", kCallback},
            {"code_verifier", kVerifier}};
  }

  static http::Request token_request(const http::Parameters& form,
                                     const std::string& client = "gatekeeper",
                                     const std::string& secret = "gatekeeper's secret: a+b%") {
    http::Request made = form_request("/dex/token", form);
    made.headers.set("Authorization", oauth::basic_credentials(client, secret));
    return made;
  }

  http::Response token(const http::Parameters& form) { return send(token_request(form)); }
  http::Response refresh(const std::string& refresh_token) {
    return token({{"grant_type", "refresh_token"}, {"refresh_token", refresh_token}});
  }

  static Json json(const http::Response& response) {
    return parse_json(response.body.bytes).value_or(Json());
  }
  static std::string member(const http::Response& response, std::string_view name) {
    return json_string(json(response), name).value_or("");
  }

  /// Tokens by the whole flow.
  Json tokens(const std::string& scope = "openid profile email groups") {
    const http::Response response = token(redemption(code(authorization(scope))));
    EXPECT_EQ(response.status, 200) << response.body.bytes;
    return json(response);
  }

  http::Response userinfo(const std::string& access_token) {
    http::Request made = request("GET", "/dex/userinfo");
    made.headers.set("Authorization", "Bearer " + access_token);
    return send(std::move(made));
  }

  template <class Work>
  auto transact(Work work) {
    return store::transact_now(database_, std::move(work));
  }

  void disable(const std::string& email) {
    const Result<void> done = transact([&](store::Transaction& transaction) {
      store::User user = transaction.user_by_email(email).value().value();
      user.disabled = true;
      return transaction.update_user(user);
    });
    ASSERT_TRUE(done);
  }

  void maintain() {
    auto run = [](Provider& provider) -> Task<bool> {
      co_await provider.maintain();
      co_return true;
    };
    loop_.wait(run(*provider_));
  }

  std::string address_ = "192.0.2.7";
  ManualClock clock_;
  crypto::SystemEntropy entropy_;
  QueueExecutor loop_;
  FragileDatabase database_;
  BlockingPool store_pool_{{.name = "store"}};
  BlockingPool hash_pool_{{.name = "passwords"}};
  std::shared_ptr<SharedState> shared_;
  std::unique_ptr<Provider> provider_;
};

}  // namespace gatehouse::identity
