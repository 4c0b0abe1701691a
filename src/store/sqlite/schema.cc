#include "store/sqlite/schema.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace gatehouse::store::sqlite {
namespace {

/// Step n leads from schema n to schema n+1. A step that was released is never changed.
///
/// Times are microseconds since 1970. Groups are a JSON array of strings. What callers hash or seal
/// is a BLOB. AUTOINCREMENT keeps a sequence number from being given again after its row is gone.
constexpr std::array<std::string_view, 1> kSteps{R"sql(
CREATE TABLE users (
  id            TEXT PRIMARY KEY,
  email         TEXT NOT NULL UNIQUE,
  username      TEXT NOT NULL,
  name          TEXT NOT NULL,
  groups        TEXT NOT NULL,
  password_hash TEXT NOT NULL,
  disabled      INTEGER NOT NULL,
  created       INTEGER NOT NULL,
  updated       INTEGER NOT NULL
) STRICT;

CREATE TABLE keys (
  purpose     TEXT NOT NULL,
  kid         TEXT NOT NULL,
  sealed      BLOB NOT NULL,
  created     INTEGER NOT NULL,
  active_from INTEGER NOT NULL,
  retires     INTEGER NOT NULL,
  expires     INTEGER NOT NULL,
  PRIMARY KEY (purpose, kid)
) STRICT;

CREATE TABLE settings (
  name  TEXT PRIMARY KEY,
  value BLOB NOT NULL
) STRICT;

CREATE TABLE one_time (
  kind    TEXT NOT NULL,
  hash    BLOB NOT NULL,
  payload BLOB NOT NULL,
  expires INTEGER NOT NULL,
  PRIMARY KEY (kind, hash)
) STRICT;
CREATE INDEX one_time_by_expiry ON one_time (expires);

CREATE TABLE refresh_tokens (
  hash       BLOB PRIMARY KEY NOT NULL,
  family     TEXT NOT NULL,
  client_id  TEXT NOT NULL,
  user_id    TEXT NOT NULL,
  payload    BLOB NOT NULL,
  rotated    INTEGER NOT NULL,
  rotated_at INTEGER NOT NULL,
  successor  BLOB NOT NULL,
  created    INTEGER NOT NULL,
  expires    INTEGER NOT NULL
) STRICT;
CREATE INDEX refresh_tokens_by_family ON refresh_tokens (family);
CREATE INDEX refresh_tokens_by_expiry ON refresh_tokens (expires);

CREATE TABLE sessions (
  id        TEXT PRIMARY KEY NOT NULL,
  user      TEXT NOT NULL,
  email     TEXT NOT NULL,
  device    TEXT NOT NULL,
  address   TEXT NOT NULL,
  created   INTEGER NOT NULL,
  last_seen INTEGER NOT NULL,
  expires   INTEGER NOT NULL,
  revoked   INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_by_user ON sessions (user, created);
CREATE INDEX sessions_by_expiry ON sessions (expires);

CREATE TABLE revocations (
  sequence   INTEGER PRIMARY KEY AUTOINCREMENT,
  session_id TEXT NOT NULL,
  expires    INTEGER NOT NULL
) STRICT;
CREATE INDEX revocations_by_session ON revocations (session_id);
CREATE INDEX revocations_by_expiry ON revocations (expires);
)sql"};

/// "GATE" in the file's header: tells our file from another program's.
constexpr std::int64_t kApplicationId = 0x47415445;

Result<std::int64_t> read_number(const Row& row) {
  return row.number(0);
}

Result<std::int64_t> number(Connection& connection, std::string_view sql) {
  const auto found = connection.select_one<std::int64_t>(sql, {}, read_number);
  if (!found) return std::unexpected(found.error());
  return found->value_or(0);
}

std::unexpected<Error> refuse(const Connection& connection, const std::string& why) {
  return fail(ErrorCode::kInvalid, connection.path() + ": " + why);
}

/// The time is for people who look into the file.
Result<void> record(Connection& connection, std::size_t version) {
  const auto done = connection.execute(
      "INSERT INTO migrations (version, applied)"
      " VALUES (?, strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))",
      {static_cast<std::int64_t>(version)});
  if (!done) return std::unexpected(done.error());
  return {};
}

/// A new file becomes ours.
Result<void> claim(Connection& connection) {
  return connection.run_script("PRAGMA application_id = " + std::to_string(kApplicationId) +
                               "; CREATE TABLE migrations (version INTEGER PRIMARY KEY,"
                               " applied TEXT NOT NULL) STRICT;");
}

/// One step forward from `version`.
Result<void> advance(Connection& connection, std::size_t version) {
  if (version == 0) {
    if (auto claimed = claim(connection); !claimed) return claimed;
  }
  if (auto applied = connection.run_script(std::string(kSteps[version])); !applied) return applied;
  return record(connection, version + 1);
}

}  // namespace

Result<std::size_t> schema_version(Connection& connection) {
  // In this order, for another process may be claiming the file between the two.
  const auto tables = number(connection, "SELECT count(*) FROM sqlite_schema");
  if (!tables) return std::unexpected(tables.error());
  const auto application = number(connection, "PRAGMA application_id");
  if (!application) return std::unexpected(application.error());
  if (*application == 0 && *tables == 0) return 0;
  if (*application != kApplicationId) {
    return refuse(connection,
                  "this is the SQLite database of another program; name a file of gatehouse's own, "
                  "or one that does not exist yet");
  }
  const auto version = number(connection, "SELECT max(version) FROM migrations");
  if (!version) return std::unexpected(version.error());
  if (*version < 1 || static_cast<std::size_t>(*version) > kSteps.size()) {
    return refuse(connection, "the database has schema " + std::to_string(*version) +
                                  ", and this program knows none beyond " +
                                  std::to_string(kSteps.size()) +
                                  "; run the version that wrote it or a newer one, or restore a "
                                  "backup from before the update");
  }
  return static_cast<std::size_t>(*version);
}

Result<void> migrate(Connection& connection) {
  for (;;) {
    bool finished = false;
    // The version is read under the write lock: another process may be migrating too.
    Result<void> done = connection.in_transaction([&]() -> Result<void> {
      const auto version = schema_version(connection);
      if (!version) return std::unexpected(version.error());
      finished = *version == kSteps.size();
      if (finished) return {};
      return advance(connection, *version);
    });
    if (!done || finished) return done;
  }
}

}  // namespace gatehouse::store::sqlite
