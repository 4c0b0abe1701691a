// Lets the kernel move a long body from one socket to another (splice(2)), through a pipe, so that
// its bytes are not copied through this process.
//
// For bytes that nobody has to see: between two connections of plain TCP, of a body whose length
// was said and that goes on unchanged. Where no pipe can be had (descriptors, or the kernel's limit
// of their memory), bodies are read and written as ever. SIGPIPE must be ignored.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>

#include "base/result.h"
#include "base/task.h"
#include "http/message.h"
#include "net/file_descriptor.h"
#include "net/loop.h"
#include "net/stream.h"

namespace gatehouse::net {

class Splice {
 public:
  /// Each wait for `to` is at most `idle_timeout` long (0: no limit).
  Splice(Loop& loop, Stream& to, std::chrono::milliseconds idle_timeout)
      : loop_(loop), to_(to), idle_timeout_(idle_timeout) {}

  /// Where the next bytes of `body` are to be taken from; null: read() them.
  http::SocketBytes* source(http::BodyReader& body);
  /// The next bytes of a source, into the pipe: how many. Send them before the next are taken.
  Task<Result<std::size_t>> take(http::SocketBytes& source);
  /// Sends what was taken. kUnavailable, kTimeout, kCancelled.
  Task<Result<void>> send(std::size_t bytes);

 private:
  struct Pipe {
    FileDescriptor out, in;
  };
  /// Null if there is none that is worth its while.
  static std::unique_ptr<Pipe> make_pipe();

  Loop& loop_;
  Stream& to_;
  std::chrono::milliseconds idle_timeout_;
  bool tried_ = false;
  std::unique_ptr<Pipe> pipe_;
};

}  // namespace gatehouse::net
