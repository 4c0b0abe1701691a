#include "identity/provider.h"

#include <utility>

#include "http/url.h"
#include "identity/maintenance.h"

namespace gatehouse::identity {
namespace {

constexpr std::string_view kLoginPath = "/auth/local/login";
constexpr std::string_view kStaticPath = "/static/";

std::string path_of(const std::string& issuer) {
  const Result<http::Url> url = http::parse_url(issuer);
  if (!url || url->path == "/") return "";
  return url->path;
}

GrantLifetimes grant_lifetimes(const config::Identity& settings) {
  return {settings.access_token_lifetime, settings.refresh_idle, settings.refresh_absolute,
          settings.refresh_reuse_interval};
}

}  // namespace

LoopProvider::LoopProvider(std::shared_ptr<SharedState> shared, Executor& home, store::Store store,
                           Entropy& entropy, const Clock& clock)
    : shared_(std::move(shared)),
      home_(home),
      store_(std::move(store)),
      clock_(clock),
      issuer_(shared_->settings().issuer),
      path_(path_of(issuer_)),
      static_files_(path_ + std::string(kStaticPath)),
      pages_(static_files_),
      sealer_(shared_->sealing_key(), shared_->settings().login_lifetime, entropy, clock),
      token_issuer_(
          issuer_,
          {shared_->settings().id_token_lifetime, shared_->settings().access_token_lifetime},
          shared_->keys(), entropy, clock),
      discovery_(issuer_),
      keys_(shared_->keys(), jwks_max_age(shared_->settings().key_rotation)),
      authorize_(issuer_, path_ + std::string(kLoginPath), shared_->clients(), sealer_, pages_),
      login_(issuer_, shared_->settings().code_lifetime,
             {shared_->clients(), sealer_, pages_, shared_->throttle(), shared_->trusted_proxies(),
              shared_->passwords(), store_, home, entropy, clock}),
      token_(shared_->clients(), token_issuer_, grant_lifetimes(shared_->settings()), store_,
             entropy, clock),
      userinfo_(issuer_, shared_->keys(), store_, clock),
      health_(shared_->keys(), store_),
      mounts_(mounts(), pages_) {}

std::vector<Mount> LoopProvider::mounts() {
  using enum CrossOrigin;
  return {
      {path_ + "/.well-known/openid-configuration", {"GET"}, kAllowed, &discovery_},
      {path_ + "/keys", {"GET"}, kAllowed, &keys_},
      {path_ + "/auth", {"GET", "POST"}, kRefused, &authorize_},
      {path_ + "/auth/local", {"GET", "POST"}, kRefused, &authorize_},
      {path_ + std::string(kLoginPath), {"GET", "POST"}, kRefused, &login_},
      {path_ + "/token", {"POST"}, kAllowed, &token_},
      {path_ + "/userinfo", {"GET", "POST"}, kAllowed, &userinfo_},
      {path_ + "/healthz", {"GET"}, kRefused, &health_},
      {path_ + std::string(kStaticPath), {"GET"}, kRefused, &static_files_},
  };
}

Task<http::Response> LoopProvider::handle(http::Request& request) {
  return mounts_.handle(request);
}

Task<void> LoopProvider::maintain() {
  co_await renew_keys(*shared_, home_, store_, clock_);
  co_await sweep(store_, clock_);
}

std::unique_ptr<Provider> Provider::make(std::shared_ptr<Shared> shared, Executor& home,
                                         store::Store store, Entropy& entropy, const Clock& clock) {
  // make() of Shared is the only maker, and it makes nothing else.
  return std::make_unique<LoopProvider>(std::static_pointer_cast<SharedState>(std::move(shared)),
                                        home, std::move(store), entropy, clock);
}

}  // namespace gatehouse::identity
