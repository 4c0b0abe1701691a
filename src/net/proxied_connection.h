// Reads the PROXY protocol's header off a connection that has just been accepted.
#pragma once

#include "base/result.h"
#include "base/task.h"
#include "net/proxy_protocol.h"
#include "net/socket_stream.h"

namespace gatehouse::net {

/// What was read beyond the header is put back. kCorrupt if there is no right header; else as
/// Stream::readable() has it. The caller sets a deadline. `stream` must outlive the task.
Task<Result<ProxyHeader>> read_proxy_header(SocketStream& stream);

}  // namespace gatehouse::net
