// A connection to an upstream as what a net::Tunnel joins a client with.
#pragma once

#include <memory>
#include <string_view>

#include "http/message.h"
#include "net/loop.h"
#include "net/read_buffer.h"
#include "net/stream.h"

namespace gatehouse::gateway {

class StreamBytes final : public http::ByteStream {
 public:
  StreamBytes(net::Loop& loop, std::unique_ptr<net::Stream> stream)
      : loop_(loop), stream_(std::move(stream)) {}

  Task<Result<std::string_view>> read() override;
  Task<Result<void>> write(std::string_view bytes) override;
  void finish() override { stream_->finish(); }
  void abort() override { stream_->abort(); }

 private:
  net::Loop& loop_;
  std::unique_ptr<net::Stream> stream_;
  net::ReadBuffer buffer_;
};

}  // namespace gatehouse::gateway
