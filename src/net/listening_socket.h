// A TCP socket that listens, with errors that say what to do. For listener.cc.
#pragma once

#include "base/result.h"
#include "net/file_descriptor.h"
#include "net/stream.h"

namespace gatehouse::net {

enum class Sharing { kAlone, kWithOtherLoops };

/// Non-blocking. kConflict if the port is in use, kDenied, kInvalid (no such address here),
/// kUnavailable.
Result<FileDescriptor> open_listening(const Endpoint& endpoint, Sharing sharing);

/// The one that the system chose, if 0 was asked for.
std::uint16_t port_of(const FileDescriptor& socket);

}  // namespace gatehouse::net
