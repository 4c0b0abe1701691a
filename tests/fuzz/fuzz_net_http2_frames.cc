// A server's HTTP/2 connection, fed with any bytes behind the preface: it neither crashes nor hangs
// nor leaks, whatever a client says and however its bytes are cut.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "http/message.h"
#include "net/http2/server_connection.h"
#include "net/loop.h"
#include "net/running_task.h"

namespace {

using namespace gatehouse;
using namespace gatehouse::net;

/// Gives the input in two parts, then its end; takes whatever is written.
class MemoryStream final : public Stream {
 public:
  MemoryStream(Loop& loop, std::string first, std::string second)
      : loop_(loop), parts_{std::move(first), std::move(second)} {}

  IoResult try_read(std::span<char> into) override {
    if (aborted_) return {IoResult::Kind::kFailed};
    if (part_ == 2) return {IoResult::Kind::kEnd};
    std::string& part = parts_[part_];
    const std::size_t size = std::min(part.size(), into.size());
    std::copy_n(part.data(), size, into.data());
    part.erase(0, size);
    if (size != 0) return {IoResult::Kind::kDone, size};
    ++part_;
    return {IoResult::Kind::kWouldBlock};
  }
  IoResult try_write(std::span<const iovec> pieces) override {
    if (aborted_) return {IoResult::Kind::kFailed};
    std::size_t size = 0;
    for (const iovec& piece : pieces) size += piece.iov_len;
    return {IoResult::Kind::kDone, size};
  }
  void finish() override {}
  void set_deadline(Direction /*direction*/, std::optional<MonotonicTime> at) override {
    deadline_ = at;
  }
  void abort() override { aborted_ = true; }
  bool broken() const override { return aborted_; }
  bool gone() const override { return aborted_; }
  void on_hang_up(std::move_only_function<void()> /*call*/) override {}
  int fd() const override { return -1; }

 protected:
  bool wait_is_over(Direction /*direction*/) const override { return aborted_; }
  // Soon, so that the connection has its turns between the parts.
  void suspend(Direction /*direction*/, Resumption& waiting) override { loop_.schedule(waiting); }
  Result<void> outcome(Direction direction) override {
    if (aborted_) return fail(ErrorCode::kCancelled, "aborted");
    if (direction == Direction::kRead && deadline_ && *deadline_ <= loop_.now()) {
      return fail(ErrorCode::kTimeout, "expired");
    }
    return {};
  }

 private:
  Loop& loop_;
  std::string parts_[2];
  std::size_t part_ = 0;
  bool aborted_ = false;
  std::optional<MonotonicTime> deadline_;
};

/// What everything behind the codec relies on; then the request's body is its answer.
class Echo final : public http::Handler {
 public:
  Task<http::Response> handle(http::Request& request) override {
    const bool sound = http::is_token(request.method) && !request.authority.empty() &&
                       request.target.path().starts_with('/');
    if (!sound) std::abort();
    for (const http::Field field : request.headers) {
      if (!http::is_token(field.name) || !http::is_field_value(field.value)) std::abort();
    }
    http::Response response;
    if (!request.upgrade.empty()) {
      response.status = 403;
      co_return response;
    }
    Result<std::string> body = co_await http::read_all(request.body, 1 << 20);
    response.body = http::Body(body ? *body : std::string("cut"));
    co_return response;
  }
};

class Owner final : public ServedConnection::Owner {
 public:
  explicit Owner(Loop& loop) : loop_(loop) {}
  void ended(ServedConnection& /*connection*/) override {
    ended_ = true;
    loop_.stop();
  }
  bool ended_ = false;

 private:
  Loop& loop_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t cut = text.size() * data[0] / 256;
  const SystemClock clock;
  Loop loop(clock);
  Echo echo;
  ServerContext context{loop, {}, echo, nullptr};
  http2::ServerResources resources;
  Owner owner(loop);
  std::string first(http2::kPreface);
  first.append(text.substr(0, cut));
  http2::ServerConnection connection(
      context, resources,
      std::make_unique<MemoryStream>(loop, first, std::string(text.substr(cut))),
      std::make_shared<const http::Peer>(), std::string(), owner);
  Loop::Timer patience(loop, [] { std::abort(); });
  patience.set_after(std::chrono::seconds(20));
  connection.start();
  loop.run();
  if (!owner.ended_) std::abort();
  return 0;
}
