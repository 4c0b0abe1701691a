// Where OpenSSL takes its memory from.
#pragma once

namespace gatehouse::crypto {

/// From base/thread_memory.h, for the whole process from now on. Before anything else is done with
/// OpenSSL, else the process ends.
void use_thread_memory();

}  // namespace gatehouse::crypto
