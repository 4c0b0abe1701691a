// Any body as one of grpc-web-text in any pieces, and any answer with any trailers: base64 reads
// the same however it is cut, and an answer in text is the answer in bytes.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/encoding.h"
#include "gateway/filters/grpc_web.h"

namespace {

using gatehouse::Result;
using gatehouse::Task;
using gatehouse::gateway::GrpcWebCall;
namespace http = gatehouse::http;

constexpr std::size_t kBodyLimit = 1024 * 1024;

void require(bool holds) {
  if (!holds) std::abort();
}

/// Gives a text in pieces of one size; its trailers are the text's lines.
class Pieces final : public http::BodyReader {
 public:
  Pieces(std::string_view text, std::size_t size) : rest_(text), size_(size) {
    while (!text.empty()) {
      const std::string_view line = text.substr(0, text.find('\n'));
      text.remove_prefix(std::min(line.size() + 1, text.size()));
      const std::string_view name = line.substr(0, line.find(':'));
      if (http::is_token(name))
        trailers_.add(name, line.substr(std::min(name.size() + 1, line.size())));
    }
  }
  Task<Result<std::string_view>> read() override {
    const std::string_view piece = rest_.substr(0, size_);
    rest_.remove_prefix(piece.size());
    co_return piece;
  }
  const http::Headers& trailers() const override { return trailers_; }

 private:
  std::string_view rest_;
  std::size_t size_;
  http::Headers trailers_;
};

Result<std::string> all_of(http::Body& body) {
  return gatehouse::run_now(http::read_all(body, kBodyLimit)).value();
}

http::Request call(std::string_view type, http::Body body) {
  http::Request request;
  request.method = "POST";
  request.headers.add("Content-Type", type);
  request.body = std::move(body);
  return request;
}

Result<std::string> decoded(std::string_view text, std::size_t size) {
  http::Request request =
      call("application/grpc-web-text", http::Body(std::make_unique<Pieces>(text, size)));
  const auto started = GrpcWebCall::start(request);
  require(started && started->has_value());
  return all_of(request.body);
}

/// The answer's body as a client of that type gets it.
std::string answered(std::string_view type, std::string_view text, std::size_t size) {
  http::Request request = call(type, {});
  const auto started = GrpcWebCall::start(request);
  require(started && started->has_value());
  http::Response response;
  response.headers.add("Content-Type", "application/grpc");
  response.body = http::Body(std::make_unique<Pieces>(text, size));
  (*started)->finish(response);
  const Result<std::string> all = all_of(response.body);
  require(all.has_value());
  return *all;
}

/// Behind the messages stands one frame that is as long as it says, or none.
void check_last_frame(std::string_view frame) {
  if (frame.empty()) return;
  require(frame.size() >= 5 && frame[0] == '\x80');
  std::size_t length = 0;
  for (const char c : frame.substr(1, 4)) length = length << 8 | static_cast<unsigned char>(c);
  require(frame.size() == 5 + length && frame.ends_with("\r\n"));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (size > 16 * 1024) return 0;
  const Result<std::string> whole = decoded(text, text.size() + 1);
  for (const std::size_t piece : {1, 3, 5}) {
    const Result<std::string> pieces = decoded(text, piece);
    require(pieces.has_value() == whole.has_value());
    if (whole) require(*pieces == *whole);
  }
  http::Request at_once = call("application/grpc-web-text", http::Body(std::string(text)));
  const auto started = GrpcWebCall::start(at_once);
  require(started.has_value() == whole.has_value());
  if (whole) require(at_once.body.bytes == *whole);

  const std::string bytes = answered("application/grpc-web", text, 7);
  require(bytes.starts_with(text));
  check_last_frame(std::string_view(bytes).substr(text.size()));
  const Result<std::string> read_back = decoded(answered("application/grpc-web-text", text, 7), 5);
  require(read_back && *read_back == bytes);
  return 0;
}
