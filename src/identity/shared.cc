#include "identity/shared.h"

#include <algorithm>

#include "http/url.h"
#include "identity/users/users.h"

namespace gatehouse::identity {
namespace {

ThrottleLimits throttle_limits(const config::Passwords& passwords) {
  return {passwords.free_failures, passwords.slow_down, passwords.slow_down_limit};
}

crypto::Argon2Cost argon2_cost(const config::Passwords& passwords) {
  crypto::Argon2Cost cost;
  cost.memory_kib = passwords.argon2_memory_kib;
  cost.passes = passwords.argon2_passes;
  return cost;
}

}  // namespace

SharedState::SharedState(config::Identity settings, Secret sealing_key, BlockingPool& passwords,
                         Entropy& entropy, const Clock& clock,
                         std::vector<std::string> trusted_proxies)
    : settings_(std::move(settings)),
      sealing_key_(std::move(sealing_key)),
      pool_(passwords),
      entropy_(entropy),
      clock_(clock),
      clients_(settings_.clients),
      trusted_proxy_entries_(std::move(trusted_proxies)),
      throttle_(throttle_limits(settings_.passwords), clock),
      verifier_(passwords, argon2_cost(settings_.passwords), entropy),
      vault_(sealing_key_, entropy) {}

RotationTimes SharedState::rotation_times() const {
  return {settings_.key_rotation,
          std::max(settings_.id_token_lifetime, settings_.access_token_lifetime)};
}

Result<void> SharedState::start(store::Database& database) {
  if (!http::parse_url(settings_.issuer)) {
    return fail(ErrorCode::kInvalid,
                "identity.issuer: \"" + settings_.issuer + "\" is no http or https URL");
  }
  Result<http::TrustedProxies> trusted = http::TrustedProxies::parse(trusted_proxy_entries_);
  if (!trusted) return fail(std::move(trusted));
  trusted_proxies_ = std::move(*trusted);
  Result<void> done = clients_.check();
  if (done) {
    done = store::transact_now(database, [this](store::Transaction& transaction) {
      return apply_static_users(transaction, settings_.users, entropy_, clock_.now());
    });
  }
  if (done) done = load_keys(database);
  return done;
}

Result<void> SharedState::load_keys(store::Database& database) {
  MadeKeys made;
  for (int i = 0; i < kKeyPassLimit; ++i) {
    const Result<KeyPass> pass =
        store::transact_now(database, [this, &made](store::Transaction& transaction) {
          return pass_over_keys(transaction, vault_, made, rotation_times(), clock_.now());
        });
    if (!pass) return std::unexpected(pass.error());
    if (pass->missing.empty()) {
      keys_.publish(pass->keys);
      return {};
    }
    Result<MadeKeys> more = make_keys(pass->missing);
    if (!more) return fail(std::move(more));
    made = std::move(*more);
  }
  return fail(ErrorCode::kInternal, "the signing keys could not be completed");
}

std::shared_ptr<Shared> Shared::make(config::Identity settings, Secret sealing_key,
                                     BlockingPool& passwords, Entropy& entropy, const Clock& clock,
                                     std::vector<std::string> trusted_proxies) {
  return std::make_shared<SharedState>(std::move(settings), std::move(sealing_key), passwords,
                                       entropy, clock, std::move(trusted_proxies));
}

}  // namespace gatehouse::identity
