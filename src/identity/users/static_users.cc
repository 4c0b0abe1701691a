// The users that the configuration file holds.
#include <algorithm>
#include <set>

#include "base/json.h"
#include "crypto/password.h"
#include "identity/users/users.h"

namespace gatehouse::identity {
namespace {

/// The ids of the users that the file put into the store, as a JSON list.
constexpr std::string_view kStaticUsersKey = "identity/static-users";
constexpr std::size_t kStaticUsersBytes = std::size_t{16} * 1024 * 1024;

Result<void> check_static_user(const config::StaticUser& user) {
  // Not each is an address: Charmed Kubeflow's static user is "admin".
  const std::string email = normalize_login(user.email);
  if (email.empty() || email.find_first_of(" \t\r\n") != std::string::npos) {
    return fail(ErrorCode::kInvalid, "identity.users: \"" + user.email + "\" is not an e-mail");
  }
  const std::string_view hash = user.password_hash.reveal();
  if (!hash.empty() && !crypto::is_password_hash(hash)) {
    return fail(ErrorCode::kInvalid, "identity.users: the password_hash of " + email +
                                         " is neither Argon2id nor bcrypt");
  }
  return {};
}

/// Sets what the file says on a user that may exist; returns his id.
Result<std::string> apply_one(store::Transaction& transaction, const config::StaticUser& wanted,
                              Entropy& entropy, WallTime now) {
  Result<void> checked = check_static_user(wanted);
  if (!checked) return fail(std::move(checked));
  const std::string email = normalize_login(wanted.email);
  Result<std::optional<store::User>> found = wanted.user_id.empty()
                                                 ? transaction.user_by_email(email)
                                                 : transaction.user_by_id(wanted.user_id);
  if (!found) return fail(std::move(found));

  const bool exists = found->has_value();
  store::User user = exists ? std::move(**found) : store::User();
  if (!exists) {
    user.id = wanted.user_id.empty() ? entropy.token(kUserIdBytes) : wanted.user_id;
    user.created = now;
  }
  user.email = email;
  user.username = wanted.username;
  user.name = wanted.name;
  user.groups = wanted.groups;
  user.password_hash = std::string(wanted.password_hash.reveal());
  user.disabled = false;
  user.updated = now;

  Result<void> written = exists ? transaction.update_user(user) : transaction.create_user(user);
  if (written) written = claim_username(transaction, user);
  if (!written) return std::unexpected(std::move(written).error().in("identity.users: " + email));
  return user.id;
}

Result<std::set<std::string>> earlier_static_users(store::Transaction& transaction) {
  const Result<std::optional<std::string>> text = transaction.value(kStaticUsersKey);
  if (!text) return std::unexpected(text.error());
  std::set<std::string> ids;
  if (!*text) return ids;
  const Result<Json> list = parse_json(**text, {.bytes = kStaticUsersBytes});
  if (!list || !list->is_array()) {
    return fail(ErrorCode::kCorrupt, "the list of the file's users is damaged");
  }
  for (const Json& id : *list) {
    if (id.is_string()) ids.insert(id.get<std::string>());
  }
  return ids;
}

Result<void> disable(store::Transaction& transaction, const std::string& id, WallTime now) {
  Result<std::optional<store::User>> user = transaction.user_by_id(id);
  if (!user) return fail(std::move(user));
  if (!*user || (*user)->disabled) return {};
  (*user)->disabled = true;
  (*user)->updated = now;
  return transaction.update_user(**user);
}

}  // namespace

Result<void> apply_static_users(store::Transaction& transaction,
                                const std::vector<config::StaticUser>& users, Entropy& entropy,
                                WallTime now) {
  Result<std::set<std::string>> gone = earlier_static_users(transaction);
  if (!gone) return fail(std::move(gone));
  Json present = Json::array();
  for (const config::StaticUser& wanted : users) {
    Result<std::string> id = apply_one(transaction, wanted, entropy, now);
    if (!id) return fail(std::move(id));
    gone->erase(*id);
    present.push_back(std::move(*id));
  }
  for (const std::string& id : *gone) {
    Result<void> disabled = disable(transaction, id, now);
    if (!disabled) return disabled;
  }
  return transaction.set_value(kStaticUsersKey, dump_json(present));
}

}  // namespace gatehouse::identity
