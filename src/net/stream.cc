#include "net/stream.h"

namespace gatehouse::net {

Task<Result<void>> write_all(Stream& stream, std::string_view bytes) {
  while (!bytes.empty()) {
    const iovec piece{.iov_base = const_cast<char*>(bytes.data()), .iov_len = bytes.size()};
    const IoResult written = stream.try_write({&piece, 1});
    if (written.kind == IoResult::Kind::kDone) {
      bytes.remove_prefix(written.bytes);
      continue;
    }
    // Also after a failure: the wait then says at once what it was.
    Result<void> writable = co_await stream.writable();
    if (!writable) co_return fail(std::move(writable));
  }
  co_return Result<void>();
}

}  // namespace gatehouse::net
