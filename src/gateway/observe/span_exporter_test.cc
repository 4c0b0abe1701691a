#include "gateway/observe/span_exporter.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>

#include "base/json.h"
#include "gateway/fakes.h"
#include "net/test_loop.h"

namespace gatehouse::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Span named(std::string name) {
  Span span;
  span.name = std::move(name);
  return span;
}

class SpanQueueTest : public testing::Test {
 protected:
  void add(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) queue_.add(named(std::to_string(added_++)));
  }
  std::size_t added_ = 0;
  TraceCounts counts_;
  SpanQueue queue_{counts_};
};

TEST_F(SpanQueueTest, GivesBatchesInOrder) {
  add(SpanQueue::kBatch + 1);
  EXPECT_TRUE(queue_.full());
  EXPECT_EQ(queue_.batch().size(), SpanQueue::kBatch);
  EXPECT_EQ(queue_.batch()[0].name, "0");
  queue_.delivered();
  EXPECT_FALSE(queue_.full());
  ASSERT_EQ(queue_.batch().size(), 1U);
  EXPECT_EQ(queue_.batch()[0].name, std::to_string(SpanQueue::kBatch));
  queue_.delivered();
  EXPECT_TRUE(queue_.empty());
  EXPECT_EQ(counts_.exported.value(), SpanQueue::kBatch + 1);
}

TEST_F(SpanQueueTest, WhatIsTooMuchIsDroppedAndCounted) {
  add(SpanQueue::kQueueLimit + 3);
  EXPECT_EQ(counts_.dropped.value(), 3U);
}

TEST_F(SpanQueueTest, ABatchThatFailsIsKeptWithGrowingPausesThenDropped) {
  add(2);
  EXPECT_EQ(queue_.batch().size(), 2U);
  EXPECT_EQ(queue_.failed(), seconds(1));
  add(1);
  EXPECT_EQ(queue_.batch().size(), 2U) << "the same batch again";
  EXPECT_EQ(queue_.failed(), seconds(2));
  EXPECT_EQ(queue_.failed(), seconds(4));
  EXPECT_EQ(queue_.failed(), seconds(8));
  EXPECT_EQ(counts_.dropped.value(), 0U);
  EXPECT_EQ(queue_.failed(), seconds(16));
  EXPECT_EQ(counts_.dropped.value(), 2U);
  EXPECT_EQ(queue_.batch().size(), 1U) << "the next one";
  EXPECT_EQ(queue_.failed(), seconds(1));
}

TEST_F(SpanQueueTest, ThePauseThatIsAskedForIsKeptWithinReason) {
  add(1);
  queue_.batch();
  EXPECT_EQ(queue_.failed(seconds(7)), seconds(7));
  EXPECT_EQ(queue_.failed(std::chrono::hours(2)), SpanQueue::kLongestPause);
}

TEST_F(SpanQueueTest, ARefusedBatchIsDropped) {
  add(2);
  queue_.batch();
  queue_.refused();
  EXPECT_EQ(counts_.dropped.value(), 2U);
  EXPECT_TRUE(queue_.empty());
}

class SpanExporterTest : public testing::Test {
 protected:
  SpanExporterTest() {
    auto client = std::make_unique<FakeUpstream>();
    collector_ = client.get();
    exporter_ = std::make_unique<SpanExporter>(
        SpanExporter::Parts{.loop = loop_.get(),
                            .client = std::move(client),
                            .target = http::parse_target("/v1/traces").value(),
                            .service_name = "front",
                            .counts = counts_});
  }
  void answers(int status) {
    collector_->answer = [this, status](http::Request& request) {
      bodies_.push_back(request.body.bytes);
      return Result<http::Response>(http::make_response(status, "application/json", "{}"));
    };
  }
  void take_batch() {
    for (std::size_t i = 0; i < SpanQueue::kBatch; ++i) exporter_->take(named("GET app"));
  }

  net::TestLoop loop_;
  TraceCounts counts_;
  FakeUpstream* collector_ = nullptr;
  std::vector<std::string> bodies_;
  std::unique_ptr<SpanExporter> exporter_;
};

TEST_F(SpanExporterTest, AFullBatchGoesOutAtOnce) {
  answers(200);
  take_batch();
  ASSERT_EQ(bodies_.size(), 1U);
  EXPECT_EQ(counts_.exported.value(), SpanQueue::kBatch);
  EXPECT_EQ(collector_->seen[0].method, "POST");
  EXPECT_EQ(collector_->seen[0].target, "/v1/traces");
  EXPECT_EQ(collector_->seen[0].headers.get("content-type"), "application/json");
  EXPECT_NE(bodies_[0].find("\"GET app\""), std::string::npos);
  EXPECT_NE(bodies_[0].find("\"front\""), std::string::npos);
}

TEST_F(SpanExporterTest, FewSpansGoOutAfterAWhile) {
  answers(200);
  exporter_->take(named("GET app"));
  EXPECT_TRUE(bodies_.empty());
  loop_.run_until([this] { return counts_.exported.value() == 1; });
}

TEST_F(SpanExporterTest, WhatTheCollectorCannotTakeNowIsSentAgain) {
  answers(503);
  take_batch();
  EXPECT_EQ(counts_.dropped.value(), 0U);
  answers(200);
  exporter_->take(named("during the pause"));
  EXPECT_EQ(bodies_.size(), 1U);
  loop_.run_until([this] { return counts_.exported.value() == SpanQueue::kBatch + 1; });
  EXPECT_EQ(bodies_.at(0), bodies_.at(1));
}

TEST_F(SpanExporterTest, WhatTheCollectorDoesNotWantIsDropped) {
  answers(400);
  take_batch();
  EXPECT_EQ(counts_.dropped.value(), SpanQueue::kBatch);
  EXPECT_EQ(counts_.exported.value(), 0U);
}

TEST_F(SpanExporterTest, AnEndpointThatIsNoneIsNamed) {
  const std::unique_ptr<net::Resolver> resolver = net::Resolver::make(loop_.get());
  for (const char* endpoint : {"collector:4318", "http://collector:4318/?a=b"}) {
    const auto made =
        SpanExporter::make({.endpoint = endpoint}, loop_.get(), *resolver, counts_, nullptr);
    ASSERT_FALSE(made);
    EXPECT_NE(made.error().message.find("gateway.tracing.endpoint"), std::string::npos);
  }
}

}  // namespace
}  // namespace gatehouse::gateway
