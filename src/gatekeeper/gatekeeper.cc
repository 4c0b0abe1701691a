#include "gatekeeper/gatekeeper.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "base/json.h"
#include "gatekeeper/callback.h"
#include "gatekeeper/known_sessions.h"
#include "gatekeeper/login_redirect.h"
#include "gatekeeper/login_state.h"
#include "gatekeeper/logout.h"
#include "gatekeeper/loop_parts.h"
#include "gatekeeper/request_kind.h"
#include "gatekeeper/session_page.h"
#include "gatekeeper/shared_state.h"
#include "gatekeeper/verdict.h"
#include "http/url.h"

namespace gatehouse::gatekeeper {
namespace {

constexpr std::chrono::seconds kCollectEvery{60};
constexpr std::size_t kCollectedAtOnce = 500;
constexpr int kCollectSteps = 10;  // one round of collecting: bounded, the next one goes on

/// The path of a redirect URI, which may be absolute.
std::string path_of(const std::string& redirect_uri) {
  const Result<http::Url> url = http::parse_url(redirect_uri);
  return url ? url->path : redirect_uri;
}

class LoopGatekeeper final : public Gatekeeper {
 public:
  LoopGatekeeper(std::shared_ptr<SharedState> shared, store::Store store, http::Client& provider,
                 Entropy& entropy, const Clock& clock);

  Task<http::Verdict> judge(const http::Request& request) override;
  const http::Allow* allowed_at_once(const http::Request& request) override;
  const std::vector<std::string>& managed_headers() const override { return managed_headers_; }
  const std::vector<std::string>& private_cookies() const override { return private_cookies_; }
  bool is_own_credential(std::string_view authorization) override {
    return sessions_.is_bearer_of_ours(authorization);
  }
  Task<http::Response> handle(http::Request& request) override;
  http::Handler& external_authorization() override { return external_authorization_; }
  Task<void> maintain() override;

 private:
  /// Serves our own paths, judges all others (ext_authz over HTTP).
  class ExternalAuthorization final : public http::Handler {
   public:
    explicit ExternalAuthorization(LoopGatekeeper& gatekeeper) : gatekeeper_(gatekeeper) {}
    Task<http::Response> handle(http::Request& request) override;

   private:
    LoopGatekeeper& gatekeeper_;
  };

  const config::Gatekeeper& settings() const { return shared_->settings(); }
  void forget_if_keys_changed();
  bool is_own_path(std::string_view path) const;
  bool passes_unasked(std::string_view path) const;
  /// Who asks, whatever for. `target`: where a login returns to; outlives the task.
  Task<http::Verdict> judge_session(const http::Request& request, std::string_view target);
  Task<http::Response> refuse(const http::Request& request, const Presented& presented,
                              std::string_view target);
  Task<http::Response> verify(http::Request& request);
  std::optional<http::Response> page(const http::Request& request, std::string_view path);
  Task<void> collect();

  const std::shared_ptr<SharedState> shared_;
  store::Store store_;
  const Clock& clock_;
  const std::string callback_path_;
  const CookieNames names_;
  const RequestOrigin origin_;
  const SessionTokens tokens_;
  const Pages pages_;
  const AuthorizationRequest authorization_;
  KeyView keys_;
  RevocationView revocations_;
  SessionReader sessions_;
  ProviderClient provider_;
  const LoopParts parts_;
  LoginRedirect login_;
  Callback callback_;
  Logout logout_;
  ExternalAuthorization external_authorization_;
  const std::vector<std::string> managed_headers_;
  const std::vector<std::string> private_cookies_;
  const http::Allow unasked_;
  KnownSessions known_;
  std::uint64_t known_under_ = 0;  // the version of the keys
  MonotonicTime collected_{};
};

LoopGatekeeper::LoopGatekeeper(std::shared_ptr<SharedState> shared, store::Store store,
                               http::Client& provider, Entropy& entropy, const Clock& clock)
    : shared_(std::move(shared)),
      store_(store),
      clock_(clock),
      callback_path_(path_of(settings().redirect_uri)),
      names_(settings().cookie_name),
      origin_(settings(), shared_->public_url(), shared_->trusted_proxies()),
      tokens_(settings().client_id),
      pages_(settings().url_prefix),
      authorization_(settings(), origin_),
      keys_(shared_->keys(), entropy, clock),
      revocations_(shared_->revocations()),
      sessions_(tokens_, names_, origin_, keys_, revocations_, clock),
      provider_(settings(), shared_->client_secret(), provider, clock),
      parts_{settings(),
             origin_,
             names_,
             tokens_,
             pages_,
             authorization_,
             shared_->revocations(),
             keys_,
             sessions_,
             provider_,
             store_,
             entropy,
             clock_},
      login_(parts_),
      callback_(parts_, login_),
      logout_(parts_),
      external_authorization_(*this),
      managed_headers_(gatekeeper::managed_headers(settings())),
      private_cookies_(names_.all()),
      unasked_(allow_unasked(settings())) {}

bool LoopGatekeeper::is_own_path(std::string_view path) const {
  return path == callback_path_ || http::path_has_prefix(path, settings().url_prefix);
}

bool LoopGatekeeper::passes_unasked(std::string_view path) const {
  if (is_own_path(path)) return true;
  return std::ranges::any_of(settings().skip_auth, [path](const std::string& prefix) {
    return http::path_has_prefix(path, prefix);
  });
}

Task<http::Verdict> LoopGatekeeper::judge(const http::Request& request) {
  if (passes_unasked(request.target.path())) co_return unasked_;
  http::Verdict verdict = co_await judge_session(request, request.target.str());
  co_return verdict;
}

const http::Allow* LoopGatekeeper::allowed_at_once(const http::Request& request) {
  if (passes_unasked(request.target.path())) return &unasked_;
  if (!shared_->ready()) return nullptr;
  const std::string_view token = sessions_.lone_cookie(request);
  if (token.empty()) return nullptr;
  forget_if_keys_changed();
  const http::Allow* const allow = known_.find(token, clock_.now());
  const bool good = allow != nullptr && !revocations_.contains(allow->session);
  return good ? allow : nullptr;
}

void LoopGatekeeper::forget_if_keys_changed() {
  const std::uint64_t version = keys_.version();
  if (std::exchange(known_under_, version) != version) known_.clear();
}

Task<http::Verdict> LoopGatekeeper::judge_session(const http::Request& request,
                                                  std::string_view target) {
  if (!shared_->ready()) {
    co_return http::Failure{{ErrorCode::kUnavailable, "the gatekeeper has not started yet"}};
  }
  const Presented presented = sessions_.read(request);
  if (presented.session) {
    http::Allow allow = allow_session(settings(), presented);
    const std::string_view token = sessions_.lone_cookie(request);
    if (!token.empty()) known_.remember(token, *presented.session, allow);
    co_return allow;
  }
  http::Response response = co_await refuse(request, presented, target);
  co_return http::Deny{std::move(response)};
}

Task<http::Response> LoopGatekeeper::refuse(const http::Request& request,
                                            const Presented& presented, std::string_view target) {
  if (!can_log_in(request)) co_return unauthorized(presented);
  http::Response response = co_await login_.start(request, std::string(target), 0);
  if (presented.bad_cookie) {
    const bool secure = origin_.secure_cookies(request);
    response.headers.add("Set-Cookie", delete_cookie(names_.session(secure), secure));
  }
  co_return response;
}

Task<http::Response> LoopGatekeeper::handle(http::Request& request) {
  const std::string_view path = request.target.path();
  if (!is_own_path(path)) co_return pages_.not_found();
  if (path == pages_.stylesheet_path()) co_return pages_.stylesheet();
  if (!shared_->ready()) co_return pages_.try_later("/");
  if (path == callback_path_) {
    http::Response response = co_await callback_.handle(request);
    co_return response;
  }
  const std::string_view below = path.substr(settings().url_prefix.size());
  if (below == "/logout") {
    http::Response response = co_await logout_.handle(request);
    co_return response;
  }
  if (below == "/verify") {
    http::Response response = co_await verify(request);
    co_return response;
  }
  std::optional<http::Response> shown = page(request, below);
  if (shown) co_return std::move(*shown);
  co_return pages_.not_found();
}

std::optional<http::Response> LoopGatekeeper::page(const http::Request& request,
                                                   std::string_view path) {
  if (request.method != "GET" && request.method != "HEAD") return std::nullopt;
  if (path == "/site/after_logout") return pages_.signed_out();
  if (path == "/session") return session_document(request, sessions_.read(request));
  if (path == "/site/homepage") {
    const Presented presented = sessions_.read(request);
    return presented.session ? pages_.home(presented.session->user) : pages_.signed_out();
  }
  return std::nullopt;
}

/// The verdict on who asks, whatever for: no header that anybody may write (X-Forwarded-Uri,
/// X-Original-URL) names another path to be judged.
Task<http::Response> LoopGatekeeper::verify(http::Request& request) {
  http::Verdict verdict = co_await judge_session(request, "/");
  co_return to_response(std::move(verdict), 204);
}

Task<http::Response> LoopGatekeeper::ExternalAuthorization::handle(http::Request& request) {
  if (gatekeeper_.is_own_path(request.target.path())) {
    http::Response response = co_await gatekeeper_.handle(request);
    co_return response;
  }
  http::Verdict verdict = co_await gatekeeper_.judge(request);
  co_return to_response(std::move(verdict), 200);
}

Task<void> LoopGatekeeper::maintain() {
  // What fails here is tried again at the next round; what was known stays in force.
  const Result<void> refreshed = co_await store_.transact(
      [shared = shared_](store::Transaction& transaction) { return shared->refresh(transaction); });
  if (!refreshed) co_return;
  const bool due =
      collected_ == MonotonicTime{} || clock_.monotonic() - collected_ >= kCollectEvery;
  if (due) co_await collect();
}

Task<void> LoopGatekeeper::collect() {
  collected_ = clock_.monotonic();
  const WallTime now = clock_.now();
  shared_->revocations().forget(now);
  for (int step = 0; step < kCollectSteps; ++step) {
    const Result<std::size_t> collected =
        co_await store_.transact([now](store::Transaction& transaction) {
          return transaction.collect_expired(now, kCollectedAtOnce);
        });
    if (!collected || *collected < kCollectedAtOnce) co_return;
  }
}

}  // namespace

std::unique_ptr<Gatekeeper> Gatekeeper::make(std::shared_ptr<Shared> shared, store::Store store,
                                             http::Client& provider, Entropy& entropy,
                                             const Clock& clock) {
  return std::make_unique<LoopGatekeeper>(std::static_pointer_cast<SharedState>(std::move(shared)),
                                          store, provider, entropy, clock);
}

}  // namespace gatehouse::gatekeeper
