#include "store/sqlite/connection.h"

#include <array>
#include <utility>

namespace gatehouse::store::sqlite {
namespace {

struct Told {
  int result_code;  // extended, or primary for all that extend it
  ErrorCode code;
  std::string_view what_to_do;
};

constexpr std::string_view kFull =
    "the disk, or the size allowed for the database, is full; free some space";

/// SQLite's result codes, as the one who runs the program can act on them. The first that fits is
/// told.
constexpr std::array kTold{
    Told{SQLITE_BUSY, ErrorCode::kUnavailable,
         "the database is locked; stop the other process that has it open (a backup, an sqlite3 "
         "shell, a second server)"},
    Told{SQLITE_LOCKED, ErrorCode::kUnavailable, "the database is locked by this process"},
    Told{SQLITE_FULL, ErrorCode::kExhausted, kFull},
    Told{SQLITE_IOERR_SHMSIZE, ErrorCode::kExhausted, kFull},
    Told{SQLITE_CORRUPT, ErrorCode::kCorrupt,
         "the database is damaged; stop the server, keep a copy of the file, and restore a backup "
         "or recover it with sqlite3's .recover"},
    Told{SQLITE_NOTADB, ErrorCode::kCorrupt,
         "this is not an SQLite database; name another file, or restore a backup"},
    Told{SQLITE_CANTOPEN, ErrorCode::kUnavailable,
         "the file cannot be opened; check that this user may write to it and to its folder"},
    Told{SQLITE_READONLY, ErrorCode::kUnavailable,
         "the file or its folder cannot be written; check its owner, mode and mount"},
    Told{SQLITE_PERM, ErrorCode::kUnavailable, "access is denied; check the file's owner and mode"},
    Told{SQLITE_IOERR, ErrorCode::kUnavailable,
         "the disk cannot be read or written; look for its fault in the kernel's log"},
    Told{SQLITE_NOMEM, ErrorCode::kExhausted, "out of memory"},
};

Error tell(const std::string& path, sqlite3* connection, int code) {
  const std::string detail = std::string(sqlite3_errmsg(connection)) + " (SQLite code " +
                             std::to_string(sqlite3_extended_errcode(connection)) + ")";
  for (const Told& told : kTold) {
    if (code == told.result_code || (code & 0xff) == told.result_code) {
      return {told.code, path + ": " + std::string(told.what_to_do) + ": " + detail};
    }
  }
  return {ErrorCode::kInternal, path + ": " + detail};
}

/// Gives the statement back as it was, so that no view stays bound and no lock stays held.
class Use {
 public:
  explicit Use(sqlite3_stmt* statement) : statement_(statement) {}
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;
  ~Use() {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  }

 private:
  sqlite3_stmt* statement_;
};

}  // namespace

int Value::bind_to(sqlite3_stmt* statement, int index) const {
  if (const auto* number = std::get_if<std::int64_t>(&value_)) {
    return sqlite3_bind_int64(statement, index, *number);
  }
  // A null pointer would bind NULL; an empty view may have one.
  const auto start = [](std::string_view bytes) { return bytes.empty() ? "" : bytes.data(); };
  if (const auto* text = std::get_if<std::string_view>(&value_)) {
    return sqlite3_bind_text64(statement, index, start(*text), text->size(), SQLITE_STATIC,
                               SQLITE_UTF8);
  }
  const std::string_view bytes = std::get<Blob>(value_).bytes;
  return sqlite3_bind_blob64(statement, index, start(bytes), bytes.size(), SQLITE_STATIC);
}

std::int64_t Row::number(int column) const {
  return sqlite3_column_int64(statement_, column);
}

std::string Row::bytes(int column) const {
  const void* start = sqlite3_column_blob(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  if (start == nullptr) return {};
  return {static_cast<const char*>(start), static_cast<std::size_t>(size)};
}

Result<Connection> Connection::open(const std::string& path,
                                    std::chrono::milliseconds busy_timeout) {
  sqlite3* opened = nullptr;
  const int code =
      sqlite3_open_v2(path.c_str(), &opened,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  Connection connection(path, opened);
  if (code != SQLITE_OK) return connection.failed(code);
  sqlite3_busy_timeout(opened, static_cast<int>(busy_timeout.count()));
  // A file that somebody prepared must not make us run code of theirs.
  sqlite3_db_config(opened, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(opened, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(opened, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  sqlite3_db_config(opened, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
  return connection;
}

Result<std::int64_t> Connection::execute(std::string_view sql, Values values) {
  const Result<void> done = run(sql, values, [](const Row&) -> Result<void> { return {}; });
  if (!done) return std::unexpected(done.error());
  return sqlite3_changes64(connection_.get());
}

Result<void> Connection::run_script(const std::string& sql) {
  if (broken_) return std::unexpected(*broken_);
  const int code = sqlite3_exec(connection_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return failed(code);
  return {};
}

Result<void> Connection::in_transaction(const std::function<Result<void>()>& work) {
  if (in_transaction_) {
    broken_ = Error{ErrorCode::kInternal, path_ + ": a transaction within a transaction"};
    return std::unexpected(*broken_);
  }
  Result<void> done = begin();
  if (!done) return done;
  in_transaction_ = true;
  struct End {
    Connection& connection;
    ~End() { connection.end(); }
  } const end{*this};
  done = work();
  if (done) done = commit();
  return done;
}

Result<void> Connection::begin() {
  const Result<std::int64_t> done = execute("BEGIN IMMEDIATE");
  if (done) return {};
  return std::unexpected(done.error());
}

Result<void> Connection::commit() {
  const Result<std::int64_t> done = execute("COMMIT");
  if (done) return {};
  return std::unexpected(done.error());
}

void Connection::end() {
  in_transaction_ = false;
  broken_.reset();
  const bool is_over = sqlite3_get_autocommit(connection_.get()) != 0;
  // Cannot fail in a way that matters: what is not committed is gone when the file is next opened.
  if (!is_over) (void)execute("ROLLBACK");
}

Result<void> Connection::run(std::string_view sql, Values values, const OnRow& on_row) {
  if (broken_) return std::unexpected(*broken_);
  const Result<sqlite3_stmt*> statement = prepared(sql);
  if (!statement) return std::unexpected(statement.error());
  const Use use(*statement);
  int index = 0;
  for (const Value& value : values) {
    const int code = value.bind_to(*statement, ++index);
    if (code != SQLITE_OK) return failed(code);
  }
  return step_all(*statement, on_row);
}

Result<void> Connection::step_all(sqlite3_stmt* statement, const OnRow& on_row) {
  for (;;) {
    const int code = sqlite3_step(statement);
    if (code == SQLITE_DONE) return {};
    if (code != SQLITE_ROW) return failed(code);
    Result<void> read = on_row(Row(statement));
    if (!read) {
      return broken(std::move(read).error().in(path_));
    }
  }
}

Result<sqlite3_stmt*> Connection::prepared(std::string_view sql) {
  Statement& kept = statements_[sql];
  if (!kept) {
    sqlite3_stmt* statement = nullptr;
    const int code = sqlite3_prepare_v3(connection_.get(), sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) return failed(code);
    kept.reset(statement);
  }
  return kept.get();
}

std::unexpected<Error> Connection::failed(int code) {
  if (code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY) {
    return fail(ErrorCode::kConflict,
                "it exists already: " + std::string(sqlite3_errmsg(connection_.get())));
  }
  return broken(tell(path_, connection_.get(), code));
}

std::unexpected<Error> Connection::broken(Error error) {
  if (in_transaction_) broken_ = error;
  return std::unexpected(std::move(error));
}

}  // namespace gatehouse::store::sqlite
