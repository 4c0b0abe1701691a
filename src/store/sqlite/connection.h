// One connection to an SQLite file: typed binding and reading, statements prepared once and kept,
// transactions, and SQLite's result codes told as errors that say what to do.
//
// States: idle, in a transaction, broken. An error other than kConflict breaks the transaction:
// SQLite may have rolled back by itself, and what came after would be committed piece by piece. All
// that follows then fails with that error, and so does the commit.
#pragma once

#include <sqlite3.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace gatehouse::store::sqlite {

/// Bound as a BLOB, which SQLite never equals to a TEXT.
struct Blob {
  std::string_view bytes;
};

/// What a parameter is bound to. Views must live until the statement has run.
class Value {
 public:
  Value(std::int64_t number) : value_(number) {}
  Value(bool flag) : value_(std::int64_t{flag}) {}
  Value(WallTime time) : value_(std::int64_t{time.time_since_epoch().count()}) {}
  Value(std::string_view text) : value_(text) {}
  Value(const std::string& text) : value_(std::string_view(text)) {}
  Value(Blob blob) : value_(blob) {}

  int bind_to(sqlite3_stmt* statement, int index) const;

 private:
  std::variant<std::int64_t, std::string_view, Blob> value_;
};
using Values = std::initializer_list<Value>;

/// A result row; valid while its reader runs. Columns count from 0.
class Row {
 public:
  explicit Row(sqlite3_stmt* statement) : statement_(statement) {}
  std::int64_t number(int column) const;
  bool flag(int column) const { return number(column) != 0; }
  WallTime time(int column) const { return WallTime(std::chrono::microseconds(number(column))); }
  std::string bytes(int column) const;

 private:
  sqlite3_stmt* statement_;
};

/// Makes a T of a row; kCorrupt if it holds what was never written.
template <class T>
using Reader = Result<T> (*)(const Row&);

class Connection {
 public:
  /// The file must exist. Errors name `path`.
  static Result<Connection> open(const std::string& path, std::chrono::milliseconds busy_timeout);

  /// Runs one statement that gives no rows; returns how many rows it changed. `sql` must be a
  /// literal: the prepared statement is kept under it.
  Result<std::int64_t> execute(std::string_view sql, Values values = {});

  template <class T>
  Result<std::vector<T>> select(std::string_view sql, Values values, Reader<T> read);
  /// For statements that give at most one row.
  template <class T>
  Result<std::optional<T>> select_one(std::string_view sql, Values values, Reader<T> read);

  /// Runs a script of statements once: pragmas and migrations.
  Result<void> run_script(const std::string& sql);

  /// Runs `work` between taking the write lock, for which it waits at most the busy time-out, and
  /// the commit; rolls back if it fails or throws.
  Result<void> in_transaction(const std::function<Result<void>()>& work);

  const std::string& path() const { return path_; }

 private:
  struct Close {
    void operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }
  };
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;
  using OnRow = std::function<Result<void>(const Row&)>;

  Connection(std::string path, sqlite3* connection)
      : path_(std::move(path)), connection_(connection) {}

  Result<void> begin();
  Result<void> commit();
  /// Rolls back what was not committed.
  void end();

  Result<void> run(std::string_view sql, Values values, const OnRow& on_row);
  Result<void> step_all(sqlite3_stmt* statement, const OnRow& on_row);
  Result<sqlite3_stmt*> prepared(std::string_view sql);
  /// The error of the last call, which gave `code`; breaks the transaction unless it is kConflict.
  std::unexpected<Error> failed(int code);
  std::unexpected<Error> broken(Error error);

  std::string path_;
  std::unique_ptr<sqlite3, Close> connection_;
  std::unordered_map<std::string_view, Statement> statements_;  // gone before the connection
  bool in_transaction_ = false;
  std::optional<Error> broken_;
};

template <class T>
Result<std::vector<T>> Connection::select(std::string_view sql, Values values, Reader<T> read) {
  std::vector<T> rows;
  const Result<void> done = run(sql, values, [&](const Row& row) -> Result<void> {
    Result<T> item = read(row);
    if (!item) return std::unexpected(std::move(item).error());
    rows.push_back(std::move(*item));
    return {};
  });
  if (!done) return std::unexpected(done.error());
  return rows;
}

template <class T>
Result<std::optional<T>> Connection::select_one(std::string_view sql, Values values,
                                                Reader<T> read) {
  Result<std::vector<T>> rows = select(sql, values, read);
  if (!rows) return std::unexpected(std::move(rows).error());
  if (rows->empty()) return std::nullopt;
  return std::move(rows->front());
}

}  // namespace gatehouse::store::sqlite
