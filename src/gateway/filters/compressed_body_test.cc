#include "gateway/filters/compressed_body.h"

#include <gtest/gtest.h>

#include "gateway/fakes.h"
#include "gateway/filters/test_decoders.h"

namespace gatehouse::gateway {
namespace {

/// Bytes that hardly compress, always the same.
std::string noise(std::size_t size) {
  std::string out;
  std::uint64_t state = 1;
  while (out.size() < size) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    out.push_back(static_cast<char>(state >> 56));
  }
  return out;
}

/// Gives its pieces; says it is not ready where a test asks it to.
class LiveBody final : public http::BodyReader {
 public:
  struct Piece {
    Result<std::string> bytes;
    bool ready = true;  // there without waiting
  };
  explicit LiveBody(std::deque<Piece> pieces) : pieces_(std::move(pieces)) {
    trailers_.add("X-Trailer", "t");
  }
  Task<Result<std::string_view>> read() override {
    if (pieces_.empty()) co_return std::string_view();
    current_ = std::move(pieces_.front().bytes);
    pieces_.pop_front();
    if (!current_) co_return std::unexpected(current_.error());
    co_return std::string_view(*current_);
  }
  bool ready() const override { return pieces_.empty() || pieces_.front().ready; }
  const http::Headers& trailers() const override { return trailers_; }

 private:
  std::deque<Piece> pieces_;
  Result<std::string> current_;
  http::Headers trailers_;
};

class CompressedBodies : public testing::TestWithParam<Coding> {
 protected:
  std::unique_ptr<CompressedBody> make(std::deque<LiveBody::Piece> pieces) {
    return std::make_unique<CompressedBody>(std::make_unique<LiveBody>(std::move(pieces)),
                                            make_encoder(GetParam(), levels_of(GetParam()).usual));
  }
  /// The next piece, which the body must give without the source.
  static std::string read(CompressedBody& body) {
    const auto piece = run_now(body.read()).value();
    return piece ? std::string(*piece) : "error";
  }
  static std::string read_all(CompressedBody& body) {
    std::string out;
    for (;;) {
      const std::string piece = read(body);
      EXPECT_LE(piece.size(), 16U * 1024);
      if (piece.empty()) return out;
      out += piece;
    }
  }
};

TEST_P(CompressedBodies, ComeOutAsTheyWentIn) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{100'000}}) {
    const std::string text = noise(size) + std::string(size, 'a');
    std::deque<LiveBody::Piece> pieces;
    for (std::size_t i = 0; i < text.size(); i += 7001) pieces.push_back({text.substr(i, 7001)});
    const auto body = make(std::move(pieces));
    const Decoded decoded = decode(GetParam(), read_all(*body));
    EXPECT_TRUE(decoded.complete) << size;
    EXPECT_EQ(decoded.text, text);
    EXPECT_TRUE(body->trailers().has("X-Trailer"));
  }
}

TEST_P(CompressedBodies, StayAsLiveAsTheyWere) {
  const auto body = make({{"first "}, {"and second", true}, {"third", false}, {"last", false}});
  std::string seen = read(*body);
  EXPECT_EQ(decode(GetParam(), seen).text, "first and second");
  EXPECT_FALSE(body->ready());
  seen += read(*body);
  EXPECT_EQ(decode(GetParam(), seen).text, "first and secondthird");
  seen += read_all(*body);
  EXPECT_EQ(decode(GetParam(), seen).text, "first and secondthirdlast");
  EXPECT_TRUE(decode(GetParam(), seen).complete);
}

TEST_P(CompressedBodies, LargeLiveStreamsFlushOverSeveralPieces) {
  const std::string large = noise(100'000);
  const auto body = make({{large}, {"b", false}});
  std::string seen;
  while (decode(GetParam(), seen).text.size() < large.size()) {
    ASSERT_TRUE(body->ready());
    seen += read(*body);
  }
  EXPECT_EQ(decode(GetParam(), seen).text, large);
  seen += read_all(*body);
  EXPECT_EQ(decode(GetParam(), seen).text, large + "b");
}

TEST_P(CompressedBodies, ASourceThatNeverWaitsStillGivesWay) {
  std::deque<LiveBody::Piece> pieces;
  for (int i = 0; i < 64; ++i) pieces.push_back({std::string(64 * 1024, 'z')});
  const auto body = make(std::move(pieces));
  const std::string first = read(*body);
  const std::size_t seen = decode(GetParam(), first).text.size();
  EXPECT_GE(seen, 256U * 1024);
  EXPECT_LE(seen, 384U * 1024);
}

TEST_P(CompressedBodies, ABodyThatIsCutShortStaysSo) {
  const auto body = make({{"abc"}, {fail(ErrorCode::kCorrupt, "cut"), false}});
  EXPECT_EQ(decode(GetParam(), read(*body)).text, "abc");
  const auto piece = run_now(body->read()).value();
  ASSERT_FALSE(piece);
  EXPECT_EQ(piece.error().code, ErrorCode::kCorrupt);
}

INSTANTIATE_TEST_SUITE_P(All, CompressedBodies,
                         testing::Values(Coding::kGzip, Coding::kBrotli, Coding::kZstd));

}  // namespace
}  // namespace gatehouse::gateway
