// `gatehouse user add|passwd`, declared in identity/identity.h.
#include "crypto/password.h"
#include "identity/identity.h"
#include "identity/passwords/password_rules.h"
#include "identity/users/users.h"

namespace gatehouse::identity {
namespace {

/// The name before the '@', if nobody has it yet: people type it instead of the whole address.
Result<void> offer_username(store::Transaction& transaction, store::User& user) {
  const std::string local_part = user.email.substr(0, user.email.find('@'));
  const Result<std::optional<store::User>> holder = find_by_login(transaction, local_part);
  if (!holder) return std::unexpected(holder.error());
  if (!*holder) user.username = local_part;
  return {};
}

Result<store::User> create(store::Transaction& transaction, store::User user) {
  Result<void> done = offer_username(transaction, user);
  if (done) done = transaction.create_user(user);
  if (done) done = claim_username(transaction, user);
  if (!done) return fail(std::move(done));
  return user;
}

Result<void> replace_hash(store::Transaction& transaction, const std::string& email,
                          const std::string& hash, WallTime now) {
  Result<std::optional<store::User>> user = transaction.user_by_email(email);
  if (!user) return fail(std::move(user));
  if (!*user) return fail(ErrorCode::kNotFound, "there is no user " + email);
  (*user)->password_hash = hash;
  (*user)->updated = now;
  return transaction.update_user(**user);
}

}  // namespace

Result<store::User> add_user(store::Database& database, std::string email, const Secret& password,
                             std::vector<std::string> groups, Entropy& entropy,
                             const Clock& clock) {
  store::User user;
  user.email = normalize_login(email);
  Result<void> checked = check_email(user.email);
  if (checked) checked = check_password(password, user.email);
  if (!checked) return fail(std::move(checked));
  Result<std::string> hash = crypto::hash_password(password, entropy);
  if (!hash) return fail(std::move(hash));
  user.id = entropy.token(kUserIdBytes);
  user.groups = std::move(groups);
  user.password_hash = std::move(*hash);
  user.created = user.updated = clock.now();
  return store::transact_now(
      database, [&](store::Transaction& transaction) { return create(transaction, user); });
}

Result<void> set_password(store::Database& database, std::string_view email, const Secret& password,
                          Entropy& entropy, const Clock& clock) {
  const std::string address = normalize_login(email);
  Result<void> checked = check_password(password, address);
  if (!checked) return checked;
  const Result<std::string> hash = crypto::hash_password(password, entropy);
  if (!hash) return std::unexpected(hash.error());
  return store::transact_now(database, [&](store::Transaction& transaction) {
    return replace_hash(transaction, address, *hash, clock.now());
  });
}

}  // namespace gatehouse::identity
