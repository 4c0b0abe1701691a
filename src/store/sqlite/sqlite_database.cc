#include "store/sqlite/sqlite_database.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "store/sqlite/connection.h"
#include "store/sqlite/schema.h"
#include "store/sqlite/sqlite_transaction.h"

namespace gatehouse::store {
namespace {

using sqlite::Connection;
using sqlite::Row;

constexpr mode_t kOwnerOnly = 0600;
constexpr std::int64_t kPageSize = 4096;
constexpr int kSwitchAttempts = 100;

class SqliteDatabase final : public Database {
 public:
  explicit SqliteDatabase(Connection connection) : connection_(std::move(connection)) {}

  Result<void> transact(const std::function<Result<void>(Transaction&)>& work) override {
    return connection_.in_transaction([&] {
      sqlite::SqliteTransaction transaction(connection_);
      return work(transaction);
    });
  }

 private:
  Connection connection_;
};

std::string system_message(int error) {
  return std::generic_category().message(error);
}

Result<std::string> absolute_path(const std::string& path) {
  if (path.empty() || path.ends_with('/') || path.find('\0') != std::string::npos) {
    return fail(ErrorCode::kInvalid,
                "the path of the database is empty, ends with a slash, or holds a NUL byte");
  }
  // SQLite gives names such as ":memory:" a meaning of their own; an absolute path has none.
  std::error_code error;
  const std::filesystem::path absolute = std::filesystem::absolute(path, error);
  if (error) return fail(ErrorCode::kUnavailable, path + ": " + error.message());
  return absolute.string();
}

Result<void> check_folder(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  struct stat status{};
  if (::stat(folder.c_str(), &status) != 0) {
    return fail(ErrorCode::kUnavailable,
                path + ": the folder " + folder +
                    " cannot be used; create it or name another: " + system_message(errno));
  }
  if (!S_ISDIR(status.st_mode)) {
    return fail(ErrorCode::kUnavailable, path + ": " + folder + " is not a folder; name another");
  }
  // SQLite must be able to make its -wal and -shm files there.
  if (::faccessat(AT_FDCWD, folder.c_str(), W_OK | X_OK, AT_EACCESS) != 0) {
    return fail(ErrorCode::kUnavailable,
                path + ": the folder " + folder +
                    " cannot be written; make this user its owner or name another: " +
                    system_message(errno));
  }
  return {};
}

/// Makes the file if it is missing, and takes from others what access they had. SQLite gives -wal
/// and -shm the file's mode.
Result<void> prepare_file(const std::string& path) {
  const int created = ::open(path.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, kOwnerOnly);
  if (created >= 0) {
    ::close(created);
    return {};
  }
  if (errno != EEXIST) {
    return fail(ErrorCode::kUnavailable,
                path + ": the file cannot be made: " + system_message(errno));
  }
  // By its path, for closing a descriptor of the file would drop the locks of any connection that
  // this process has to it (POSIX locks belong to the process).
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) {
    return fail(ErrorCode::kUnavailable, path + ": " + system_message(errno));
  }
  if (!S_ISREG(status.st_mode)) {
    return fail(ErrorCode::kInvalid, path + ": this is not a regular file; name another");
  }
  if ((status.st_mode & 0777 & ~kOwnerOnly) != 0 && ::chmod(path.c_str(), kOwnerOnly) != 0) {
    return fail(ErrorCode::kUnavailable,
                path +
                    ": others may read this file, and its mode cannot be changed; make this "
                    "user its owner: " +
                    system_message(errno));
  }
  return {};
}

/// A connection that is closed in order takes its log with it. (Another process that has the file
/// open leaves one too; then the check is only not needed.)
bool was_closed_in_order(const std::string& path) {
  struct stat status{};
  return ::stat((path + "-wal").c_str(), &status) != 0 || status.st_size == 0;
}

Result<std::string> read_text(const Row& row) {
  return row.bytes(0);
}

Result<void> check_pages(Connection& connection) {
  const auto verdict = connection.select_one<std::string>("PRAGMA quick_check(1)", {}, read_text);
  if (!verdict) return std::unexpected(verdict.error());
  if (verdict->value_or("") == "ok") return {};
  return fail(ErrorCode::kCorrupt,
              connection.path() +
                  ": the database was not closed in order and is damaged; keep a copy of the "
                  "file, and restore a backup or recover it with sqlite3's .recover: " +
                  verdict->value_or(""));
}

bool error_is_lock(const Result<std::optional<std::string>>& result) {
  return !result && result.error().code == ErrorCode::kUnavailable;
}

Result<void> use_write_ahead_log(Connection& connection) {
  auto mode = connection.select_one<std::string>("PRAGMA journal_mode = WAL", {}, read_text);
  // Where two make the file at once, SQLite refuses this one change without waiting; the write lock
  // is waited for.
  for (int attempt = 1; error_is_lock(mode) && attempt < kSwitchAttempts; ++attempt) {
    if (auto waited = connection.in_transaction([] { return Result<void>(); }); !waited) {
      return waited;
    }
    mode = connection.select_one<std::string>("PRAGMA journal_mode = WAL", {}, read_text);
  }
  if (!mode) return std::unexpected(mode.error());
  if (mode->value_or("") == "wal") return {};
  return fail(ErrorCode::kUnavailable,
              connection.path() +
                  ": this file system cannot hold a database with a write-ahead log (a network "
                  "share?); name a file on a local disk");
}

/// synchronous=FULL: the log is flushed at each commit, so that a power cut loses nothing that
/// transact() has returned. NORMAL spares that flush (measured: 0.02 ms a commit for 3.8 ms on a
/// virtual disk) and could lose the last commits, though never the file: a logout, the use of a
/// code, a rotated refresh token. Those are what must not be lost.
Result<void> configure(Connection& connection, const SqliteOptions& options) {
  if (auto done = use_write_ahead_log(connection); !done) return done;
  return connection.run_script(
      "PRAGMA synchronous = FULL;"
      "PRAGMA foreign_keys = ON;"
      "PRAGMA cell_size_check = ON;"
      "PRAGMA temp_store = MEMORY;"
      "PRAGMA max_page_count = " +
      std::to_string(options.size_limit / kPageSize) + ";");
}

}  // namespace

Result<std::unique_ptr<Database>> open_sqlite_database(const std::string& path,
                                                       SqliteOptions options) {
  const Result<std::string> file = absolute_path(path);
  if (!file) return std::unexpected(file.error());
  if (auto done = check_folder(*file); !done) return fail(std::move(done));
  if (auto done = prepare_file(*file); !done) return fail(std::move(done));
  const bool in_order = was_closed_in_order(*file);

  Result<Connection> connection = Connection::open(*file, options.busy_timeout);
  if (!connection) return fail(std::move(connection));
  // Before anything is written to a file that may not be ours.
  if (auto version = schema_version(*connection); !version) return fail(std::move(version));
  if (!in_order) {
    if (auto done = check_pages(*connection); !done) return fail(std::move(done));
  }
  if (auto done = configure(*connection, options); !done) return fail(std::move(done));
  if (auto done = sqlite::migrate(*connection); !done) return fail(std::move(done));
  return std::make_unique<SqliteDatabase>(std::move(*connection));
}

}  // namespace gatehouse::store
