// The store in memory, for tests. Each transaction works on a copy of everything, so it costs in
// proportion to what is stored; nothing survives the process.
#pragma once

#include <memory>

#include "store/contract.h"

namespace gatehouse::store {

std::unique_ptr<Database> make_memory_database();

}  // namespace gatehouse::store
