// The tables of an SQLite store, and the steps by which an older file comes to have them.
#pragma once

#include <cstddef>

#include "base/result.h"
#include "store/sqlite/connection.h"

namespace gatehouse::store::sqlite {

/// How many steps the file has seen; 0 if it is empty. Only reads. kInvalid for a file of another
/// program or of a newer version of this one.
Result<std::size_t> schema_version(Connection& connection);

/// Brings the file to this program's schema: each step is one transaction and leaves a row in the
/// table `migrations`. Fails as schema_version() does, having changed nothing.
Result<void> migrate(Connection& connection);

}  // namespace gatehouse::store::sqlite
