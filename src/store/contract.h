// What is kept: the storage contract that every backend (memory, SQLite, later PostgreSQL) obeys
// and that one conformance suite (store/conformance.h and its tests) holds them to.
//
// The contract blocks. The roles reach it through store::Store (store/store.h), which runs a whole
// transaction on the database's own thread and gives the result back on the caller's loop.
//
// Promises: a transaction is all or nothing, and durable when transact() has returned; transactions
// are serial; a `take_` is atomic: of two callers one gets it. E-mail addresses compare in the form
// the caller gives (identity lower-cases them). Secrets are stored hashed or sealed by the caller;
// the store sees no plain text. Expired rows may still be returned: the caller compares times. A
// row has expired from `expires` on. Strings may hold any bytes.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace gatehouse::store {

/// As Key::expires: the row is never collected.
inline constexpr WallTime kNever{};

struct User {
  std::string id;     // opaque, never reused
  std::string email;  // unique, lower case
  std::string username;
  std::string name;
  std::vector<std::string> groups;
  std::string password_hash;  // empty: no password login
  bool disabled = false;
  WallTime created{};
  WallTime updated{};

  bool operator==(const User&) const = default;
};

/// A symmetric or private key, sealed by its owner. `purpose` names what it is for ("session",
/// "login", "sign/RS256", "seal-check").
struct Key {
  std::string purpose;
  std::string kid;  // unique within the purpose
  std::string sealed;
  WallTime created{};
  WallTime active_from{};  // signs from here on; published or accepted before
  WallTime retires{};      // signs no more
  WallTime expires{};      // accepted no more; collected; kNever for one that stays

  bool operator==(const Key&) const = default;
};

/// Whatever lives under a hash for a limited time and is used once: authorization codes, used
/// states. `kind` keeps them apart.
struct OneTime {
  std::string kind;
  std::string hash;  // of the secret value
  std::string payload;
  WallTime expires{};

  bool operator==(const OneTime&) const = default;
};

/// One refresh token of a family (RFC 9700 §4.14.2). A family is one grant to one client; the reuse
/// of a rotated token revokes it whole.
struct RefreshToken {
  std::string hash;
  std::string family;
  std::string client_id;
  std::string user_id;
  std::string payload;  // the grant: scopes, nonce, auth_time
  bool rotated = false;
  WallTime rotated_at{};
  std::string successor;  // sealed, for a repeat within the reuse interval; empty if none
  WallTime created{};
  WallTime expires{};

  bool operator==(const RefreshToken&) const = default;
};

/// A session that the gatekeeper gave: the row behind the JWT.
struct Session {
  std::string id;
  std::string user;  // the user id header's value
  std::string email;
  std::string device;   // User-Agent, shortened
  std::string address;  // of the client
  WallTime created{};
  WallTime last_seen{};
  WallTime expires{};
  bool revoked = false;

  bool operator==(const Session&) const = default;
};

/// An entry of the revocation log. Sequence numbers only grow.
struct Revocation {
  std::int64_t sequence = 0;
  std::string session_id;
  WallTime expires{};  // when the session would have ended by itself

  bool operator==(const Revocation&) const = default;
};

/// The operations inside one transaction. kNotFound, kConflict as named, which change nothing and
/// which the work may answer itself; kCorrupt, kExhausted (disk full), kUnavailable (locked by
/// another process) from any, after which the transaction cannot be committed.
class Transaction {
 public:
  virtual ~Transaction() = default;

  /// kConflict if id or e-mail exists.
  virtual Result<void> create_user(const User& user) = 0;
  virtual Result<std::optional<User>> user_by_id(std::string_view id) = 0;
  virtual Result<std::optional<User>> user_by_email(std::string_view email) = 0;
  /// All fields of the user of that id but `created`; kNotFound, or kConflict over the e-mail.
  virtual Result<void> update_user(const User& user) = 0;
  /// Ordered by e-mail, those after `after`.
  virtual Result<std::vector<User>> list_users(std::string_view after, std::size_t limit) = 0;

  /// kConflict if purpose and kid exist.
  virtual Result<void> add_key(const Key& key) = 0;
  /// Oldest first.
  virtual Result<std::vector<Key>> keys(std::string_view purpose) = 0;
  /// kNotFound.
  virtual Result<void> update_key(const Key& key) = 0;

  /// Small settings that must survive: a generated client secret, the issuer's instance id.
  virtual Result<std::optional<std::string>> value(std::string_view name) = 0;
  virtual Result<void> set_value(std::string_view name, std::string_view value) = 0;

  /// kConflict if kind and hash exist.
  virtual Result<void> put_one_time(const OneTime& item) = 0;
  /// Gives it and deletes it.
  virtual Result<std::optional<OneTime>> take_one_time(std::string_view kind,
                                                       std::string_view hash) = 0;

  /// kConflict if the hash exists.
  virtual Result<void> add_refresh_token(const RefreshToken& token) = 0;
  virtual Result<std::optional<RefreshToken>> refresh_token(std::string_view hash) = 0;
  /// kNotFound.
  virtual Result<void> update_refresh_token(const RefreshToken& token) = 0;
  /// Deletes all of the family; returns how many.
  virtual Result<std::size_t> revoke_family(std::string_view family) = 0;

  /// kConflict if the id exists.
  virtual Result<void> add_session(const Session& session) = 0;
  virtual Result<std::optional<Session>> session(std::string_view id) = 0;
  /// Newest first.
  virtual Result<std::vector<Session>> sessions_of(std::string_view user) = 0;
  /// Marks the session revoked and appends to the log. False if it is unknown or was revoked; an
  /// unknown id is logged all the same, once, so that its cookie is refused. The entry lasts until
  /// `expires` or the end that the session's row gives, whichever is later.
  virtual Result<bool> revoke_session(std::string_view id, WallTime expires) = 0;
  /// Entries with a greater sequence number, in order.
  virtual Result<std::vector<Revocation>> revocations_after(std::int64_t sequence,
                                                            std::size_t limit) = 0;

  /// Deletes at most `limit` expired rows over all tables; returns how many. Called until it gives
  /// fewer than `limit`.
  virtual Result<std::size_t> collect_expired(WallTime now, std::size_t limit) = 0;
};

/// One database. Called from one thread at a time.
class Database {
 public:
  virtual ~Database() = default;
  /// Runs `work` in a transaction: committed if it returns success, rolled back if it fails or
  /// throws. `work` must not call transact().
  virtual Result<void> transact(const std::function<Result<void>(Transaction&)>& work) = 0;
};

}  // namespace gatehouse::store
