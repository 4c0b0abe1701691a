#include "identity/passwords/password_verifier.h"

#include <fmt/format.h>

#include "base/encoding.h"

namespace gatehouse::identity {
namespace {

constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kDigestBytes = 32;

/// Base64 as the PHC form has it.
std::string unpadded(std::string_view bytes) {
  std::string text = base64_encode(bytes);
  text.erase(text.find_last_not_of('=') + 1);
  return text;
}

}  // namespace

std::string make_decoy(const crypto::Argon2Cost& cost, Entropy& entropy) {
  return fmt::format("$argon2id$v=19$m={},t={},p={}${}${}", cost.memory_kib, cost.passes,
                     cost.lanes, unpadded(entropy.bytes(kSaltBytes)),
                     unpadded(entropy.bytes(kDigestBytes)));
}

Result<PasswordVerdict> PasswordVerifier::verify_now(const Secret& password,
                                                     const std::optional<std::string>& hash) {
  verifications_.fetch_add(1, std::memory_order_relaxed);
  const bool equal = crypto::verify_password(password, hash ? *hash : decoy_);
  PasswordVerdict verdict;
  verdict.matches = equal && hash.has_value();
  if (verdict.matches && crypto::needs_rehash(*hash, cost_)) {
    // Failing to renew the hash is no reason to keep out somebody who has proven his password.
    Result<std::string> fresh = crypto::hash_password(password, entropy_, cost_);
    if (fresh) verdict.rehashed = std::move(*fresh);
  }
  return verdict;
}

Task<Result<PasswordVerdict>> PasswordVerifier::verify(Executor& home, Secret password,
                                                       std::optional<std::string> hash) {
  auto work = [this, password = std::move(password), hash = std::move(hash)] {
    return verify_now(password, hash);
  };
  Result<PasswordVerdict> verdict = co_await pool_.run(home, std::move(work));
  co_return verdict;
}

}  // namespace gatehouse::identity
