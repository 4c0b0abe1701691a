#include "http/message.h"

#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <vector>

namespace gatehouse::http {
namespace {

class Pieces final : public BodyReader {
 public:
  explicit Pieces(std::deque<Result<std::string>> pieces) : pieces_(std::move(pieces)) {}
  Task<Result<std::string_view>> read() override {
    if (pieces_.empty()) co_return std::string_view();
    current_ = std::move(pieces_.front());
    pieces_.pop_front();
    if (!current_) co_return std::unexpected(current_.error());
    co_return std::string_view(*current_);
  }

 private:
  std::deque<Result<std::string>> pieces_;
  Result<std::string> current_;
};

Result<std::string> read_stream(std::deque<Result<std::string>> pieces, std::size_t limit) {
  Body body(std::make_unique<Pieces>(std::move(pieces)));
  return run_now(read_all(body, limit)).value();
}

TEST(ReadAll, GivesWholeBodiesAndJoinsStreams) {
  Body whole("abc");
  EXPECT_EQ(run_now(read_all(whole, 3)).value().value(), "abc");
  EXPECT_EQ(read_stream({"ab", "c"}, 3).value(), "abc");
}

TEST(ReadAll, RefusesMoreThanTheLimit) {
  Body whole("abcd");
  EXPECT_EQ(run_now(read_all(whole, 3)).value().error().code, ErrorCode::kExhausted);
  EXPECT_EQ(read_stream({"ab", "cd"}, 3).error().code, ErrorCode::kExhausted);
  Body announced(std::make_unique<Pieces>(std::deque<Result<std::string>>{}), 4);
  EXPECT_EQ(run_now(read_all(announced, 3)).value().error().code, ErrorCode::kExhausted);
}

TEST(ReadAll, ABodyCutShortIsAnError) {
  EXPECT_EQ(read_stream({"ab", fail(ErrorCode::kCorrupt, "cut")}, 10).error().code,
            ErrorCode::kCorrupt);
}

TEST(BodyReader, HasNoTrailersByDefault) {
  EXPECT_TRUE(Pieces({}).trailers().empty());
}

TEST(Cancellation, CallsItsListenerOnce) {
  Cancellation cancellation;
  int calls = 0;
  cancellation.listen([&] { ++calls; });
  cancellation.cancel();
  cancellation.cancel();
  EXPECT_EQ(calls, 1);
  EXPECT_TRUE(cancellation.cancelled());
  cancellation.listen([&] { ++calls; });
  EXPECT_EQ(calls, 2);
}

TEST(Cancellation, TellsTheWorkerAndThenTheWaiter) {
  Cancellation cancellation;
  std::string calls;
  cancellation.listen_as_waiter([&] { calls += "waiter "; });
  cancellation.listen([&] { calls += "worker "; });
  cancellation.cancel();
  EXPECT_EQ(calls, "worker waiter ");
}

TEST(HandlerClient, AnswersWithoutASocket) {
  class Echo final : public Handler {
   public:
    Task<Response> handle(Request& request) override {
      co_return make_response(201, "text/plain", request.method);
    }
  } echo;
  HandlerClient client(echo);
  Request request;
  request.method = "PUT";
  const Result<Response> response = run_now(client.send(request)).value();
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 201);
  EXPECT_EQ(response->body.bytes, "PUT");
}

TEST(Answers, AreNeverStored) {
  for (const Response& response :
       {make_response(200, "text/plain", ""), json_error(400, "a", "b"), redirect(303, "/x")}) {
    EXPECT_EQ(response.headers.get("cache-control"), "no-store");
  }
}

TEST(Answers, JsonErrorsEscapeWhatTheySay) {
  const Response response = json_error(400, "invalid_request", "a \"quote\"");
  EXPECT_EQ(response.headers.get("content-type"), "application/json");
  EXPECT_EQ(response.body.bytes,
            R"({"error":"invalid_request","error_description":"a \"quote\""})");
}

TEST(Answers, ALocationCannotAddAHeader) {
  const Response response = redirect(302, "/a\r\nSet-Cookie: x=y\xff");
  EXPECT_EQ(response.headers.get("location"), "/a%0D%0ASet-Cookie:%20x=y%FF");
}

TEST(Answers, ReasonPhrases) {
  EXPECT_EQ(reason_phrase(404), "Not Found");
  EXPECT_EQ(reason_phrase(799), "");
}

}  // namespace
}  // namespace gatehouse::http
