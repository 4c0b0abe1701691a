// For tests over real sockets: a loop on the test's own thread that runs until a task has ended.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "net/loop.h"
#include "net/tcp.h"

namespace gatehouse::net {

class TestLoop {
 public:
  TestLoop() : loop_(clock_) {}
  /// By another clock; it may be moved on while no task runs.
  explicit TestLoop(const Clock& clock) : loop_(clock) {}

  Loop& get() { return loop_; }

  /// A task that does not end is a failure after this time, rather than a test that hangs.
  static constexpr std::chrono::seconds kPatience{60};

  template <class T>
  T run(Task<T> task) {
    std::optional<T> result;
    loop_.spawn(store(std::move(task), result));
    if (!result) run_loop();
    if (!result) {
      ADD_FAILURE() << "the task did not end";
      std::abort();
    }
    return std::move(*result);
  }

  void run(Task<void> task) {
    const bool done = run(always(std::move(task)));
    EXPECT_TRUE(done);
  }

  /// Turns until `condition` holds.
  template <class Condition>
  void run_until(Condition condition) {
    run(poll(std::move(condition)));
  }

 private:
  static Task<bool> always(Task<void> task) {
    co_await std::move(task);
    co_return true;
  }

  template <class T>
  Task<void> store(Task<T> task, std::optional<T>& result) {
    T value = co_await std::move(task);
    result.emplace(std::move(value));
    if (running_) loop_.stop();
  }

  template <class Condition>
  Task<void> poll(Condition condition) {
    while (!condition()) co_await loop_.sleep(std::chrono::milliseconds(1));
  }

  void run_loop() {
    Loop::Timer patience(loop_, [this] { loop_.stop(); });
    patience.set_after(kPatience);
    running_ = true;
    loop_.run();
    running_ = false;
  }

  SystemClock clock_;
  Loop loop_;
  bool running_ = false;
};

/// Runs with the system's, some time ahead of it.
class AheadClock final : public Clock {
 public:
  WallTime now() const override {
    return system_.now() + std::chrono::duration_cast<std::chrono::microseconds>(ahead_);
  }
  MonotonicTime monotonic() const override { return system_.monotonic() + ahead_; }
  void skip(std::chrono::milliseconds time) { ahead_ += time; }

 private:
  SystemClock system_;
  std::chrono::milliseconds ahead_{0};
};

/// Both ends of a TCP connection over loopback.
struct StreamPair {
  std::unique_ptr<Listener> listener;
  std::unique_ptr<Stream> server, client;
  http::Peer peer;
};

inline Task<StreamPair> make_pair(Loop& loop, ConnectOptions connect_options = {},
                                  Listener::Options listen_options = {}) {
  StreamPair pair;
  listen_options.endpoint = {.host = "127.0.0.1", .port = 0};
  struct Accepted {
    std::unique_ptr<Stream> stream;
    http::Peer peer;
  };
  auto accepted = std::make_shared<Accepted>();
  auto listener = Listener::open(loop, std::move(listen_options),
                                 [accepted](std::unique_ptr<Stream> stream, http::Peer peer) {
                                   accepted->stream = std::move(stream);
                                   accepted->peer = std::move(peer);
                                 });
  if (!listener) {
    ADD_FAILURE() << listener.error().message;
    co_return pair;
  }
  pair.listener = *std::move(listener);
  const std::uint16_t port = pair.listener->endpoint().port;
  auto client = co_await connect(loop, "127.0.0.1", port, std::move(connect_options));
  if (!client) {
    ADD_FAILURE() << client.error().message;
    co_return pair;
  }
  pair.client = *std::move(client);
  while (!accepted->stream) co_await loop.sleep(std::chrono::milliseconds(1));
  pair.server = std::move(accepted->stream);
  pair.peer = std::move(accepted->peer);
  co_return pair;
}

/// Until the end; what came before a failure is lost.
inline Task<Result<std::string>> read_until_end(Stream& stream) {
  std::string all;
  std::vector<char> buffer(64 * 1024);
  while (true) {
    const IoResult got = stream.try_read(buffer);
    if (got.kind == IoResult::Kind::kEnd) co_return all;
    if (got.kind == IoResult::Kind::kDone) {
      all.append(buffer.data(), got.bytes);
      continue;
    }
    Result<void> readable = co_await stream.readable();
    if (!readable) co_return fail(std::move(readable));
  }
}

inline Task<Result<std::string>> read_exactly(Stream& stream, std::size_t size) {
  std::string all(size, '\0');
  std::size_t have = 0;
  while (have < size) {
    const IoResult got = stream.try_read(std::span(all).subspan(have));
    if (got.kind == IoResult::Kind::kEnd) co_return fail(ErrorCode::kUnavailable, "early end");
    if (got.kind == IoResult::Kind::kDone) {
      have += got.bytes;
      continue;
    }
    Result<void> readable = co_await stream.readable();
    if (!readable) co_return fail(std::move(readable));
  }
  co_return all;
}

}  // namespace gatehouse::net
