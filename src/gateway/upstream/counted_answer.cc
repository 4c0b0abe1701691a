#include "gateway/upstream/counted_answer.h"

#include <memory>
#include <utility>

namespace gatehouse::gateway::upstream {
namespace {

class CountedBody final : public http::BodyReader {
 public:
  CountedBody(std::unique_ptr<http::BodyReader> body, Use use, BreakerPlace place)
      : use_(std::move(use)), place_(std::move(place)), body_(std::move(body)) {}
  Task<Result<std::string_view>> read() override { return body_->read(); }
  bool ready() const override { return body_->ready(); }
  http::SocketBytes* in_socket() override { return body_->in_socket(); }
  const http::Headers& trailers() const override { return body_->trailers(); }

 private:
  const Use use_;
  const BreakerPlace place_;
  std::unique_ptr<http::BodyReader> body_;  // last: it uses the endpoint's client
};

class CountedTunnel final : public http::ByteStream {
 public:
  CountedTunnel(std::unique_ptr<http::ByteStream> stream, Use use, BreakerPlace place)
      : use_(std::move(use)), place_(std::move(place)), stream_(std::move(stream)) {}
  Task<Result<std::string_view>> read() override { return stream_->read(); }
  Task<Result<void>> write(std::string_view bytes) override { return stream_->write(bytes); }
  void finish() override { stream_->finish(); }
  void abort() override { stream_->abort(); }

 private:
  const Use use_;
  const BreakerPlace place_;
  std::unique_ptr<http::ByteStream> stream_;
};

}  // namespace

void count_until_end(http::Response& response, Use use, BreakerPlace place) {
  if (response.upgrade) {
    response.upgrade = std::make_unique<CountedTunnel>(std::move(response.upgrade), std::move(use),
                                                       std::move(place));
  } else if (response.body.stream) {
    response.body.stream = std::make_unique<CountedBody>(std::move(response.body.stream),
                                                         std::move(use), std::move(place));
  }
}

}  // namespace gatehouse::gateway::upstream
