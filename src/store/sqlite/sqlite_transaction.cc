#include "store/sqlite/sqlite_transaction.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "base/json.h"

namespace gatehouse::store::sqlite {
namespace {

std::string groups_to_text(const std::vector<std::string>& groups) {
  return dump_json(Json(groups));
}

Result<std::vector<std::string>> groups_from_text(std::string_view text) {
  constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();
  const Result<Json> list = parse_json(text, {.bytes = kNoLimit, .depth = 1});
  const auto is_string = [](const Json& item) { return item.is_string(); };
  if (!list || !list->is_array() || !std::ranges::all_of(*list, is_string)) {
    return fail(ErrorCode::kCorrupt, "a user's groups are not a list of names");
  }
  return list->get<std::vector<std::string>>();
}

Result<User> read_user(const Row& row) {
  Result<std::vector<std::string>> groups = groups_from_text(row.bytes(4));
  if (!groups) return std::unexpected(std::move(groups).error());
  return User{.id = row.bytes(0),
              .email = row.bytes(1),
              .username = row.bytes(2),
              .name = row.bytes(3),
              .groups = std::move(*groups),
              .password_hash = row.bytes(5),
              .disabled = row.flag(6),
              .created = row.time(7),
              .updated = row.time(8)};
}

Result<Key> read_key(const Row& row) {
  return Key{.purpose = row.bytes(0),
             .kid = row.bytes(1),
             .sealed = row.bytes(2),
             .created = row.time(3),
             .active_from = row.time(4),
             .retires = row.time(5),
             .expires = row.time(6)};
}

Result<std::string> read_bytes(const Row& row) {
  return row.bytes(0);
}

Result<OneTime> read_one_time(const Row& row) {
  return OneTime{
      .kind = row.bytes(0), .hash = row.bytes(1), .payload = row.bytes(2), .expires = row.time(3)};
}

Result<RefreshToken> read_refresh_token(const Row& row) {
  return RefreshToken{.hash = row.bytes(0),
                      .family = row.bytes(1),
                      .client_id = row.bytes(2),
                      .user_id = row.bytes(3),
                      .payload = row.bytes(4),
                      .rotated = row.flag(5),
                      .rotated_at = row.time(6),
                      .successor = row.bytes(7),
                      .created = row.time(8),
                      .expires = row.time(9)};
}

Result<Session> read_session(const Row& row) {
  return Session{.id = row.bytes(0),
                 .user = row.bytes(1),
                 .email = row.bytes(2),
                 .device = row.bytes(3),
                 .address = row.bytes(4),
                 .created = row.time(5),
                 .last_seen = row.time(6),
                 .expires = row.time(7),
                 .revoked = row.flag(8)};
}

Result<Revocation> read_revocation(const Row& row) {
  return Revocation{.sequence = row.number(0), .session_id = row.bytes(1), .expires = row.time(2)};
}

/// SQLite takes a negative limit for none, which a greater number would become.
std::int64_t limit_value(std::size_t limit) {
  constexpr auto kMost = static_cast<std::size_t>(std::numeric_limits<std::int64_t>::max());
  return static_cast<std::int64_t>(std::min(limit, kMost));
}

}  // namespace

Result<void> SqliteTransaction::insert(std::string_view sql, Values values) {
  const auto done = connection_.execute(sql, values);
  if (!done) return std::unexpected(done.error());
  return {};
}

Result<void> SqliteTransaction::update(std::string_view sql, Values values, std::string_view what) {
  const auto changed = connection_.execute(sql, values);
  if (!changed) return std::unexpected(changed.error());
  if (*changed == 0) return fail(ErrorCode::kNotFound, std::string(what) + " is not there");
  return {};
}

Result<void> SqliteTransaction::create_user(const User& user) {
  return insert(
      "INSERT INTO users (id, email, username, name, groups, password_hash, disabled, created,"
      " updated) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      {user.id, user.email, user.username, user.name, groups_to_text(user.groups),
       user.password_hash, user.disabled, user.created, user.updated});
}

Result<std::optional<User>> SqliteTransaction::user_by_id(std::string_view id) {
  return connection_.select_one<User>(
      "SELECT id, email, username, name, groups, password_hash, disabled, created, updated"
      " FROM users WHERE id = ?",
      {id}, read_user);
}

Result<std::optional<User>> SqliteTransaction::user_by_email(std::string_view email) {
  return connection_.select_one<User>(
      "SELECT id, email, username, name, groups, password_hash, disabled, created, updated"
      " FROM users WHERE email = ?",
      {email}, read_user);
}

Result<void> SqliteTransaction::update_user(const User& user) {
  return update(
      "UPDATE users SET email = ?, username = ?, name = ?, groups = ?, password_hash = ?,"
      " disabled = ?, updated = ? WHERE id = ?",
      {user.email, user.username, user.name, groups_to_text(user.groups), user.password_hash,
       user.disabled, user.updated, user.id},
      "the user");
}

Result<std::vector<User>> SqliteTransaction::list_users(std::string_view after, std::size_t limit) {
  return connection_.select<User>(
      "SELECT id, email, username, name, groups, password_hash, disabled, created, updated"
      " FROM users WHERE email > ? ORDER BY email LIMIT ?",
      {after, limit_value(limit)}, read_user);
}

Result<void> SqliteTransaction::add_key(const Key& key) {
  return insert(
      "INSERT INTO keys (purpose, kid, sealed, created, active_from, retires, expires)"
      " VALUES (?, ?, ?, ?, ?, ?, ?)",
      {key.purpose, key.kid, Blob{key.sealed}, key.created, key.active_from, key.retires,
       key.expires});
}

Result<std::vector<Key>> SqliteTransaction::keys(std::string_view purpose) {
  return connection_.select<Key>(
      "SELECT purpose, kid, sealed, created, active_from, retires, expires"
      " FROM keys WHERE purpose = ? ORDER BY created, kid",
      {purpose}, read_key);
}

Result<void> SqliteTransaction::update_key(const Key& key) {
  return update(
      "UPDATE keys SET sealed = ?, created = ?, active_from = ?, retires = ?, expires = ?"
      " WHERE purpose = ? AND kid = ?",
      {Blob{key.sealed}, key.created, key.active_from, key.retires, key.expires, key.purpose,
       key.kid},
      "the key");
}

Result<std::optional<std::string>> SqliteTransaction::value(std::string_view name) {
  return connection_.select_one<std::string>("SELECT value FROM settings WHERE name = ?", {name},
                                             read_bytes);
}

Result<void> SqliteTransaction::set_value(std::string_view name, std::string_view value) {
  return insert(
      "INSERT INTO settings (name, value) VALUES (?, ?)"
      " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
      {name, Blob{value}});
}

Result<void> SqliteTransaction::put_one_time(const OneTime& item) {
  return insert("INSERT INTO one_time (kind, hash, payload, expires) VALUES (?, ?, ?, ?)",
                {item.kind, Blob{item.hash}, Blob{item.payload}, item.expires});
}

Result<std::optional<OneTime>> SqliteTransaction::take_one_time(std::string_view kind,
                                                                std::string_view hash) {
  return connection_.select_one<OneTime>(
      "DELETE FROM one_time WHERE kind = ? AND hash = ? RETURNING kind, hash, payload, expires",
      {kind, Blob{hash}}, read_one_time);
}

Result<void> SqliteTransaction::add_refresh_token(const RefreshToken& token) {
  return insert(
      "INSERT INTO refresh_tokens (hash, family, client_id, user_id, payload, rotated, rotated_at,"
      " successor, created, expires) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      {Blob{token.hash}, token.family, token.client_id, token.user_id, Blob{token.payload},
       token.rotated, token.rotated_at, Blob{token.successor}, token.created, token.expires});
}

Result<std::optional<RefreshToken>> SqliteTransaction::refresh_token(std::string_view hash) {
  return connection_.select_one<RefreshToken>(
      "SELECT hash, family, client_id, user_id, payload, rotated, rotated_at, successor, created,"
      " expires FROM refresh_tokens WHERE hash = ?",
      {Blob{hash}}, read_refresh_token);
}

Result<void> SqliteTransaction::update_refresh_token(const RefreshToken& token) {
  return update(
      "UPDATE refresh_tokens SET family = ?, client_id = ?, user_id = ?, payload = ?, rotated = ?,"
      " rotated_at = ?, successor = ?, created = ?, expires = ? WHERE hash = ?",
      {token.family, token.client_id, token.user_id, Blob{token.payload}, token.rotated,
       token.rotated_at, Blob{token.successor}, token.created, token.expires, Blob{token.hash}},
      "the refresh token");
}

Result<std::size_t> SqliteTransaction::revoke_family(std::string_view family) {
  const auto deleted = connection_.execute("DELETE FROM refresh_tokens WHERE family = ?", {family});
  if (!deleted) return std::unexpected(deleted.error());
  return static_cast<std::size_t>(*deleted);
}

Result<void> SqliteTransaction::add_session(const Session& session) {
  return insert(
      "INSERT INTO sessions (id, user, email, device, address, created, last_seen, expires,"
      " revoked) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      {session.id, session.user, session.email, session.device, session.address, session.created,
       session.last_seen, session.expires, session.revoked});
}

Result<std::optional<Session>> SqliteTransaction::session(std::string_view id) {
  return connection_.select_one<Session>(
      "SELECT id, user, email, device, address, created, last_seen, expires, revoked"
      " FROM sessions WHERE id = ?",
      {id}, read_session);
}

Result<std::vector<Session>> SqliteTransaction::sessions_of(std::string_view user) {
  return connection_.select<Session>(
      "SELECT id, user, email, device, address, created, last_seen, expires, revoked"
      " FROM sessions WHERE user = ? ORDER BY created DESC, id DESC",
      {user}, read_session);
}

Result<bool> SqliteTransaction::revoke_session(std::string_view id, WallTime expires) {
  const auto stored = session(id);
  if (!stored) return std::unexpected(stored.error());
  if (!*stored) {
    const auto logged = is_logged(id, expires);
    if (!logged) return std::unexpected(logged.error());
    if (*logged) return false;
    if (auto done = log_revocation(id, expires); !done) return std::unexpected(done.error());
    return false;
  }
  if ((*stored)->revoked) return false;
  const auto marked = connection_.execute("UPDATE sessions SET revoked = 1 WHERE id = ?", {id});
  if (!marked) return std::unexpected(marked.error());
  const WallTime last = std::max(expires, (*stored)->expires);
  if (auto done = log_revocation(id, last); !done) return std::unexpected(done.error());
  return true;
}

Result<bool> SqliteTransaction::is_logged(std::string_view session_id, WallTime expires) {
  const auto found = connection_.select_one<Revocation>(
      "SELECT sequence, session_id, expires FROM revocations"
      " WHERE session_id = ? AND expires >= ? LIMIT 1",
      {session_id, expires}, read_revocation);
  if (!found) return std::unexpected(found.error());
  return found->has_value();
}

Result<void> SqliteTransaction::log_revocation(std::string_view session_id, WallTime expires) {
  return insert("INSERT INTO revocations (session_id, expires) VALUES (?, ?)",
                {session_id, expires});
}

Result<std::vector<Revocation>> SqliteTransaction::revocations_after(std::int64_t sequence,
                                                                     std::size_t limit) {
  return connection_.select<Revocation>(
      "SELECT sequence, session_id, expires FROM revocations WHERE sequence > ?"
      " ORDER BY sequence LIMIT ?",
      {sequence, limit_value(limit)}, read_revocation);
}

Result<std::size_t> SqliteTransaction::collect_expired(WallTime now, std::size_t limit) {
  // kNever is 0.
  constexpr std::array<std::string_view, 5> kDeletions{
      "DELETE FROM one_time WHERE rowid IN"
      " (SELECT rowid FROM one_time WHERE expires <= ? LIMIT ?)",
      "DELETE FROM refresh_tokens WHERE rowid IN"
      " (SELECT rowid FROM refresh_tokens WHERE expires <= ? LIMIT ?)",
      "DELETE FROM sessions WHERE rowid IN"
      " (SELECT rowid FROM sessions WHERE expires <= ? LIMIT ?)",
      "DELETE FROM revocations WHERE sequence IN"
      " (SELECT sequence FROM revocations WHERE expires <= ? LIMIT ?)",
      "DELETE FROM keys WHERE rowid IN"
      " (SELECT rowid FROM keys WHERE expires <> 0 AND expires <= ? LIMIT ?)",
  };
  std::size_t collected = 0;
  for (const std::string_view deletion : kDeletions) {
    const auto deleted = connection_.execute(deletion, {now, limit_value(limit - collected)});
    if (!deleted) return std::unexpected(deleted.error());
    collected += static_cast<std::size_t>(*deleted);
  }
  return collected;
}

}  // namespace gatehouse::store::sqlite
