#include "gateway/kept_answer.h"

#include <utility>

namespace gatehouse::gateway {
namespace {

class KeptBody final : public http::BodyReader {
 public:
  KeptBody(AnswerNeeds needs, std::unique_ptr<http::BodyReader> body)
      : needs_(std::move(needs)), body_(std::move(body)) {}
  Task<Result<std::string_view>> read() override { return body_->read(); }
  bool ready() const override { return body_->ready(); }
  http::SocketBytes* in_socket() override { return body_->in_socket(); }
  const http::Headers& trailers() const override { return body_->trailers(); }

 private:
  AnswerNeeds needs_;
  std::unique_ptr<http::BodyReader> body_;  // last: it uses the others
};

class KeptTunnel final : public http::ByteStream {
 public:
  KeptTunnel(AnswerNeeds needs, std::unique_ptr<http::ByteStream> tunnel)
      : needs_(std::move(needs)), tunnel_(std::move(tunnel)) {}
  Task<Result<std::string_view>> read() override { return tunnel_->read(); }
  Task<Result<void>> write(std::string_view bytes) override { return tunnel_->write(bytes); }
  void finish() override { tunnel_->finish(); }
  void abort() override { tunnel_->abort(); }

 private:
  AnswerNeeds needs_;
  std::unique_ptr<http::ByteStream> tunnel_;  // last: it uses the others
};

}  // namespace

bool keep_until_end(http::Response& response, AnswerNeeds& needs) {
  if (response.upgrade) {
    response.upgrade = std::make_unique<KeptTunnel>(std::move(needs), std::move(response.upgrade));
    return true;
  }
  if (response.body.stream) {
    response.body.stream =
        std::make_unique<KeptBody>(std::move(needs), std::move(response.body.stream));
    return true;
  }
  return false;
}

}  // namespace gatehouse::gateway
