#include "store/memory/memory_database.h"

#include <algorithm>
#include <functional>
#include <map>
#include <tuple>
#include <utility>

namespace gatehouse::store {
namespace {

using Pair = std::pair<std::string, std::string>;

struct Tables {
  std::map<std::string, User, std::less<>> users;  // by id
  std::map<Pair, Key> keys;                        // by purpose and kid
  std::map<std::string, std::string, std::less<>> values;
  std::map<Pair, OneTime> one_times;  // by kind and hash
  std::map<std::string, RefreshToken, std::less<>> refresh_tokens;
  std::map<std::string, Session, std::less<>> sessions;
  std::map<std::int64_t, Revocation> revocations;
  std::int64_t last_sequence = 0;
};

template <class Map, class Name>
auto find(const Map& map, const Name& name) -> std::optional<typename Map::mapped_type> {
  const auto found = map.find(name);
  if (found == map.end()) return std::nullopt;
  return found->second;
}

template <class Map, class Name, class Row>
Result<void> insert(Map& map, Name name, const Row& row, std::string_view what) {
  if (!map.emplace(std::move(name), row).second) {
    return fail(ErrorCode::kConflict, std::string(what) + " exists already");
  }
  return {};
}

template <class Map, class Name, class Row>
Result<void> replace(Map& map, const Name& name, const Row& row, std::string_view what) {
  const auto found = map.find(name);
  if (found == map.end()) return fail(ErrorCode::kNotFound, std::string(what) + " is not there");
  found->second = row;
  return {};
}

template <class Map, class Expired>
std::size_t erase_some(Map& map, std::size_t limit, Expired expired) {
  return std::erase_if(map, [&](const auto& item) {
    if (limit == 0 || !expired(item.second)) return false;
    --limit;
    return true;
  });
}

class MemoryTransaction final : public Transaction {
 public:
  explicit MemoryTransaction(Tables& tables) : tables_(tables) {}

  Result<void> create_user(const User& user) override {
    if (owner_of(user.email)) return email_taken();
    return insert(tables_.users, user.id, user, "the user");
  }
  Result<std::optional<User>> user_by_id(std::string_view id) override {
    return find(tables_.users, id);
  }
  Result<std::optional<User>> user_by_email(std::string_view email) override {
    return owner_of(email);
  }
  Result<void> update_user(const User& user) override {
    const auto stored = find(tables_.users, user.id);
    const auto owner = owner_of(user.email);
    if (stored && owner && owner->id != user.id) return email_taken();
    User updated = user;
    if (stored) updated.created = stored->created;
    return replace(tables_.users, user.id, updated, "the user");
  }
  Result<std::vector<User>> list_users(std::string_view after, std::size_t limit) override {
    std::vector<User> users;
    for (const auto& [id, user] : tables_.users) {
      if (user.email > after) users.push_back(user);
    }
    std::ranges::sort(users, {}, &User::email);
    if (users.size() > limit) users.resize(limit);
    return users;
  }

  Result<void> add_key(const Key& key) override {
    return insert(tables_.keys, Pair(key.purpose, key.kid), key, "the key");
  }
  Result<std::vector<Key>> keys(std::string_view purpose) override {
    std::vector<Key> keys;
    for (const auto& [name, key] : tables_.keys) {
      if (key.purpose == purpose) keys.push_back(key);
    }
    std::ranges::sort(keys, {}, [](const Key& key) { return std::tie(key.created, key.kid); });
    return keys;
  }
  Result<void> update_key(const Key& key) override {
    return replace(tables_.keys, Pair(key.purpose, key.kid), key, "the key");
  }

  Result<std::optional<std::string>> value(std::string_view name) override {
    return find(tables_.values, name);
  }
  Result<void> set_value(std::string_view name, std::string_view value) override {
    tables_.values.insert_or_assign(std::string(name), std::string(value));
    return {};
  }

  Result<void> put_one_time(const OneTime& item) override {
    return insert(tables_.one_times, Pair(item.kind, item.hash), item, "the one-time value");
  }
  Result<std::optional<OneTime>> take_one_time(std::string_view kind,
                                               std::string_view hash) override {
    auto node = tables_.one_times.extract(Pair(kind, hash));
    if (node.empty()) return std::nullopt;
    return std::move(node.mapped());
  }

  Result<void> add_refresh_token(const RefreshToken& token) override {
    return insert(tables_.refresh_tokens, token.hash, token, "the refresh token");
  }
  Result<std::optional<RefreshToken>> refresh_token(std::string_view hash) override {
    return find(tables_.refresh_tokens, hash);
  }
  Result<void> update_refresh_token(const RefreshToken& token) override {
    return replace(tables_.refresh_tokens, token.hash, token, "the refresh token");
  }
  Result<std::size_t> revoke_family(std::string_view family) override {
    return std::erase_if(tables_.refresh_tokens,
                         [&](const auto& item) { return item.second.family == family; });
  }

  Result<void> add_session(const Session& session) override {
    return insert(tables_.sessions, session.id, session, "the session");
  }
  Result<std::optional<Session>> session(std::string_view id) override {
    return find(tables_.sessions, id);
  }
  Result<std::vector<Session>> sessions_of(std::string_view user) override {
    std::vector<Session> sessions;
    for (const auto& [id, session] : tables_.sessions) {
      if (session.user == user) sessions.push_back(session);
    }
    std::ranges::sort(sessions, std::greater(),
                      [](const Session& session) { return std::tie(session.created, session.id); });
    return sessions;
  }
  Result<bool> revoke_session(std::string_view id, WallTime expires) override {
    const auto found = tables_.sessions.find(id);
    if (found == tables_.sessions.end()) {
      if (!is_logged(id, expires)) log_revocation(id, expires);
      return false;
    }
    if (std::exchange(found->second.revoked, true)) return false;
    log_revocation(id, std::max(expires, found->second.expires));
    return true;
  }
  Result<std::vector<Revocation>> revocations_after(std::int64_t sequence,
                                                    std::size_t limit) override {
    std::vector<Revocation> entries;
    for (auto entry = tables_.revocations.upper_bound(sequence);
         entry != tables_.revocations.end() && entries.size() < limit; ++entry) {
      entries.push_back(entry->second);
    }
    return entries;
  }

  Result<std::size_t> collect_expired(WallTime now, std::size_t limit) override {
    const auto expired = [now](const auto& row) { return row.expires <= now; };
    const auto expired_key = [now](const Key& key) {
      return key.expires != kNever && key.expires <= now;
    };
    std::size_t left = limit;
    left -= erase_some(tables_.one_times, left, expired);
    left -= erase_some(tables_.refresh_tokens, left, expired);
    left -= erase_some(tables_.sessions, left, expired);
    left -= erase_some(tables_.revocations, left, expired);
    left -= erase_some(tables_.keys, left, expired_key);
    return limit - left;
  }

 private:
  std::optional<User> owner_of(std::string_view email) const {
    const auto found = std::ranges::find_if(
        tables_.users, [&](const auto& item) { return item.second.email == email; });
    if (found == tables_.users.end()) return std::nullopt;
    return found->second;
  }
  static std::unexpected<Error> email_taken() {
    return fail(ErrorCode::kConflict, "a user with this e-mail address exists already");
  }
  bool is_logged(std::string_view id, WallTime expires) const {
    return std::ranges::any_of(tables_.revocations, [&](const auto& item) {
      return item.second.session_id == id && item.second.expires >= expires;
    });
  }
  void log_revocation(std::string_view id, WallTime expires) {
    const std::int64_t sequence = ++tables_.last_sequence;
    tables_.revocations.emplace(sequence, Revocation{sequence, std::string(id), expires});
  }

  Tables& tables_;
};

class MemoryDatabase final : public Database {
 public:
  Result<void> transact(const std::function<Result<void>(Transaction&)>& work) override {
    Tables copy = tables_;
    MemoryTransaction transaction(copy);
    Result<void> done = work(transaction);
    if (done) tables_ = std::move(copy);
    return done;
  }

 private:
  Tables tables_;
};

}  // namespace

std::unique_ptr<Database> make_memory_database() {
  return std::make_unique<MemoryDatabase>();
}

}  // namespace gatehouse::store
