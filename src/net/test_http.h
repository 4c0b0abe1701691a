// For tests of the server and the client: handlers made of functions, and raw connections that send
// and get bytes as they stand.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/message.h"
#include "net/http_server.h"
#include "net/test_loop.h"

namespace gatehouse::net {

inline Task<http::Response> ready_answer(http::Response response) {
  co_return response;
}

inline Task<http::Response> text_answer(int status, std::string text) {
  http::Response response;
  response.status = status;
  response.body = http::Body(std::move(text));
  co_return response;
}

/// "METHOD target body", or "cut: <error>" with status 502 if the body could not be read.
inline Task<http::Response> echo(http::Request& request) {
  Result<std::string> body = co_await http::read_all(request.body, 64 * 1024 * 1024);
  http::Response response;
  if (!body) {
    response.status = 502;
    response.body = http::Body("cut: " + body.error().message);
    co_return response;
  }
  response.body = http::Body(request.method + " " + request.target.str() + " " + *body);
  co_return response;
}

class FunctionHandler final : public http::Handler {
 public:
  using Function = std::function<Task<http::Response>(http::Request&)>;
  FunctionHandler(Function function)  // NOLINT(google-explicit-constructor)
      : function_(std::move(function)) {}
  Task<http::Response> handle(http::Request& request) override { return function_(request); }

 private:
  Function function_;
};

/// Gives these pieces, each after a wait if `waits`; then its end, or an error if `cut`.
class PieceReader final : public http::BodyReader {
 public:
  PieceReader(Loop& loop, std::vector<std::string> pieces, bool waits, bool cut = false)
      : loop_(loop), pieces_(std::move(pieces)), waits_(waits), cut_(cut) {}
  Task<Result<std::string_view>> read() override {
    if (waits_) co_await loop_.sleep(std::chrono::milliseconds(1));
    if (next_ < pieces_.size()) co_return std::string_view(pieces_[next_++]);
    if (cut_) co_return fail(ErrorCode::kCorrupt, "cut short");
    co_return std::string_view();
  }
  bool ready() const override { return !waits_; }
  const http::Headers& trailers() const override { return trailers_; }
  http::Headers trailers_;

 private:
  Loop& loop_;
  std::vector<std::string> pieces_;
  std::size_t next_ = 0;
  bool waits_, cut_;
};

/// What a raw peer has to say of a connection.
class RawConnection {
 public:
  explicit RawConnection(std::unique_ptr<Stream> stream) : stream_(std::move(stream)) {}
  Stream& stream() { return *stream_; }
  void close() { stream_.reset(); }

  Task<bool> send(std::string bytes) {
    const Result<void> written = co_await write_all(*stream_, bytes);
    co_return written.has_value();
  }
  /// Everything until the peer's end; ends with "<reset>" if it was no end in order.
  Task<std::string> rest() {
    std::string all = std::exchange(early_, {});
    for (;;) {
      const Result<bool> more = co_await read_more(all);
      if (!more) co_return all + "<reset>";
      if (!*more) co_return all;
    }
  }
  /// Up to and with `mark`; more is kept. What came, if it does not come.
  Task<std::string> until(std::string mark) {
    std::string all = std::exchange(early_, {});
    for (;;) {
      const std::size_t at = all.find(mark);
      if (at != std::string::npos) {
        early_ = all.substr(at + mark.size());
        co_return all.substr(0, at + mark.size());
      }
      const Result<bool> more = co_await read_more(all);
      if (!more || !*more) co_return all + "<end>";
    }
  }

 private:
  Task<Result<bool>> read_more(std::string& all) {
    std::vector<char> buffer(64 * 1024);
    for (;;) {
      const IoResult got = stream_->try_read(buffer);
      if (got.kind == IoResult::Kind::kEnd) co_return false;
      if (got.kind == IoResult::Kind::kDone) {
        all.append(buffer.data(), got.bytes);
        co_return true;
      }
      Result<void> readable = co_await stream_->readable();
      if (!readable) co_return fail(std::move(readable));
    }
  }

  std::unique_ptr<Stream> stream_;
  std::string early_;
};

inline Task<std::unique_ptr<RawConnection>> connect_raw(Loop& loop, std::uint16_t port) {
  Result<std::unique_ptr<Stream>> stream = co_await connect(loop, "127.0.0.1", port, {});
  EXPECT_TRUE(stream.has_value());
  co_return std::make_unique<RawConnection>(*std::move(stream));
}

/// Without its Date field.
inline std::string undated(std::string answer) {
  for (;;) {
    const std::size_t at = answer.find("Date: ");
    if (at == std::string::npos) return answer;
    answer.erase(at, answer.find("\r\n", at) + 2 - at);
  }
}

}  // namespace gatehouse::net
