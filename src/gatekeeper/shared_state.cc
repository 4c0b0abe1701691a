#include "gatekeeper/shared_state.h"

#include <utility>

#include "base/encoding.h"
#include "crypto/digest.h"
#include "crypto/sealer.h"

namespace gatehouse::gatekeeper {
namespace {

constexpr std::string_view kClientSecretName = "gatekeeper/client_secret";

config::Gatekeeper completed(config::Gatekeeper settings) {
  while (settings.url_prefix.ends_with('/')) settings.url_prefix.pop_back();
  return settings;
}

}  // namespace

SharedState::SharedState(config::Gatekeeper settings, std::string public_url, Secret sealing_key,
                         Entropy& entropy, const Clock& clock)
    : settings_(completed(std::move(settings))),
      public_url_(std::move(public_url)),
      secrets_key_(crypto::derive_key(sealing_key, "gatehouse gatekeeper secrets")),
      entropy_(entropy),
      keys_(std::move(sealing_key),
            {settings_.key_rotation, settings_.session_max_age, settings_.login_max_age}, entropy,
            clock) {}

Result<void> SharedState::start(store::Database& database) {
  Result<http::TrustedProxies> proxies = http::TrustedProxies::parse(settings_.trusted_proxies);
  if (!proxies) return fail(std::move(proxies));
  trusted_proxies_ = std::move(*proxies);
  Result<Secret> secret =
      store::transact_now(database, [this](store::Transaction& transaction) -> Result<Secret> {
        const Result<void> refreshed = refresh(transaction);
        if (!refreshed) return std::unexpected(refreshed.error());
        return load_client_secret(transaction);
      });
  if (!secret) return fail(std::move(secret));
  client_secret_ = std::move(*secret);
  ready_.store(true, std::memory_order_release);
  return {};
}

Result<void> SharedState::refresh(store::Transaction& transaction) {
  Result<void> keys = keys_.refresh(transaction);
  if (!keys) return keys;
  return revocations_.poll(transaction);
}

Result<Secret> SharedState::load_client_secret(store::Transaction& transaction) {
  if (!settings_.client_secret.empty()) return settings_.client_secret;
  crypto::Sealer sealer(secrets_key_, entropy_);
  Result<std::optional<std::string>> stored = transaction.value(kClientSecretName);
  if (!stored) return fail(std::move(stored));
  if (*stored) {
    const auto sealed = base64url_decode(**stored);
    Result<std::string> secret = sealer.open(sealed.value_or(""), kClientSecretName);
    if (!secret) {
      return fail(ErrorCode::kCorrupt,
                  "the client secret in the store does not open; give the sealing key that it was "
                  "made with");
    }
    return Secret(std::move(*secret));
  }
  Secret made(entropy_.token());
  const std::string sealed = base64url_encode(sealer.seal(made.reveal(), kClientSecretName));
  Result<void> kept = transaction.set_value(kClientSecretName, sealed);
  if (!kept) return fail(std::move(kept));
  return made;
}

std::shared_ptr<Shared> Shared::make(config::Gatekeeper settings, std::string public_url,
                                     Secret sealing_key, Entropy& entropy, const Clock& clock) {
  return std::make_shared<SharedState>(std::move(settings), std::move(public_url),
                                       std::move(sealing_key), entropy, clock);
}

}  // namespace gatehouse::gatekeeper
