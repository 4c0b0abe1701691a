// For the tests of this folder: answers of a gRPC server.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "http/message.h"

namespace gatehouse::gateway {

/// A body in two pieces, as it may arrive, with trailers.
class GrpcBody final : public http::BodyReader {
 public:
  GrpcBody(std::string bytes, http::Headers trailers)
      : bytes_(std::move(bytes)), trailers_(std::move(trailers)) {}
  Task<Result<std::string_view>> read() override {
    const std::size_t length = at_ == 0 ? bytes_.size() / 2 : bytes_.size() - at_;
    const std::size_t piece = length == 0 ? bytes_.size() - at_ : length;
    const std::size_t start = std::exchange(at_, at_ + piece);
    co_return std::string_view(bytes_).substr(start, piece);
  }
  const http::Headers& trailers() const override { return trailers_; }

 private:
  std::string bytes_;
  http::Headers trailers_;
  std::size_t at_ = 0;
};

inline std::string grpc_frame(std::string_view message) {
  std::string out(5, '\0');
  out[3] = static_cast<char>(message.size() >> 8 & 0xff);
  out[4] = static_cast<char>(message.size() & 0xff);
  return out.append(message);
}

inline http::Headers grpc_status(std::string_view status) {
  http::Headers trailers;
  trailers.add("grpc-status", status);
  return trailers;
}

inline http::Response grpc_answer(std::string bytes, http::Headers trailers) {
  http::Response response;
  response.headers.add("content-type", "application/grpc");
  response.body = http::Body(std::make_unique<GrpcBody>(std::move(bytes), std::move(trailers)));
  return response;
}

}  // namespace gatehouse::gateway
