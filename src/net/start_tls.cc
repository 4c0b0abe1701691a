#include <utility>

#include "net/socket_stream.h"
#include "net/tcp.h"
#include "net/tls_stream.h"

namespace gatehouse::net {

Task<Result<std::unique_ptr<Stream>>> start_tls(Loop& loop, std::unique_ptr<Stream> plain,
                                                std::string_view early,
                                                std::shared_ptr<const ServerTls> tls,
                                                std::chrono::milliseconds timeout) {
  auto* const socket = dynamic_cast<SocketStream*>(plain.get());
  if (socket == nullptr || plain->secure()) {
    co_return fail(ErrorCode::kInternal, "TLS can be put on a plain socket alone");
  }
  SocketStream::Detached detached = socket->detach();
  detached.put_back.insert(0, early);
  Result<std::unique_ptr<TlsStream>> secured =
      TlsStream::accept(loop, std::move(detached.socket), std::move(tls), detached.put_back);
  if (!secured) co_return fail(std::move(secured));
  (*secured)->keep(std::move(detached.place));
  (*secured)->set_deadline(Stream::Direction::kRead, loop.now() + timeout);
  Result<void> shaken = co_await (*secured)->handshake();
  if (!shaken) co_return fail(std::move(shaken));
  (*secured)->set_deadline(Stream::Direction::kRead, std::nullopt);
  co_return *std::move(secured);
}

}  // namespace gatehouse::net
