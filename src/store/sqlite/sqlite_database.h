// The store in an SQLite file: the default, for one server or a few on one machine.
//
// The file is made if it is missing, for its owner alone (mode 0600); its folder must exist. Beside
// it lie "-wal" and "-shm" while it is open: they belong to it, and a backup takes all three or
// uses SQLite's own .backup. What transact() has returned is on the disk.
//
// open_sqlite_database() fails with kInvalid (the path, a file of another program or of a newer
// version), kCorrupt (not a database; damaged), kUnavailable (folder or file missing, not
// accessible, locked). Each message names the file and what to do.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "store/contract.h"

namespace gatehouse::store {

struct SqliteOptions {
  /// How long a transaction waits for another process that has the file locked.
  std::chrono::milliseconds busy_timeout{5000};
  /// Bytes that the file may grow to, so that a flood of logins cannot fill a disk that others
  /// need.
  std::int64_t size_limit = std::int64_t{16} << 30;
};

Result<std::unique_ptr<Database>> open_sqlite_database(const std::string& path,
                                                       SqliteOptions options = {});

}  // namespace gatehouse::store
