#include "gateway/observe/tracing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/fixed_entropy.h"
#include "base/json.h"
#include "gateway/observe/trace_context.h"

namespace gatehouse::gateway {
namespace {

constexpr std::string_view kParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
constexpr std::string_view kUnsampled = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

class KeptSpans final : public SpanSink {
 public:
  void take(Span span) override { spans.push_back(std::move(span)); }
  std::vector<Span> spans;
};

class TracingTest : public testing::Test {
 protected:
  TracingTest() {
    request_.method = "POST";
    request_.target = http::parse_target("/a?token=secret").value();
    request_.authority = "front.example";
    request_.headers.add("Cookie", "session=secret");
    request_.headers.add("User-Agent", "curl/8");
    request_.peer = std::make_shared<http::Peer>(http::Peer{.address = "192.0.2.1", .tls = true});
    request_.trace.route = "app";
    request_.trace.request_id = "r1";
    clock_.advance(std::chrono::hours(1));
  }
  Tracing& tracing() {
    if (!tracing_) tracing_ = make().value();
    return *tracing_;
  }
  Result<std::unique_ptr<Tracing>> make() {
    return Tracing::make(settings_,
                         {.forwarded = Forwarded(http::TrustedProxies::parse(trusted_).value()),
                          .entropy = entropy_,
                          .clock = clock_,
                          .sink = sink_});
  }
  void begin() {
    tracing().begin(request_);
    onward_ = request_.headers;
    Tracing::tell(request_, onward_);
  }
  void end(int status, bool complete = true) {
    net::Exchange exchange{.request = request_, .status = status, .received = 3, .sent = 4};
    exchange.started = clock_.monotonic() - std::chrono::milliseconds(5);
    exchange.answered = exchange.started;
    exchange.finished = clock_.monotonic() - std::chrono::milliseconds(2);
    exchange.complete = complete;
    tracing().ended(exchange);
  }
  std::optional<TraceParent> told() const { return traceparent_of(onward_); }
  std::string attribute(const std::string& name) const {
    const auto& all = sink_.spans.at(0).attributes;
    const auto found =
        std::ranges::find_if(all, [&name](const auto& pair) { return pair.first == name; });
    if (found == all.end()) return "none";
    if (const auto* number = std::get_if<std::int64_t>(&found->second)) {
      return std::to_string(*number);
    }
    return std::get<std::string>(found->second);
  }

  ManualClock clock_;
  FixedEntropy entropy_;
  KeptSpans sink_;
  config::Tracing settings_;
  std::vector<std::string> trusted_;
  std::unique_ptr<Tracing> tracing_;
  http::Request request_;
  http::Headers onward_;
};

TEST_F(TracingTest, ARequestWithoutATraceBeginsOne) {
  request_.headers.add("tracestate", "a=1");
  begin();
  ASSERT_TRUE(told());
  EXPECT_TRUE(told()->sampled);
  EXPECT_EQ(told()->trace_id, request_.trace.span.trace_id);
  EXPECT_EQ(told()->parent_id, request_.trace.span.span_id);
  EXPECT_EQ(request_.trace.span.parent_id, http::SpanId{});
  EXPECT_FALSE(onward_.has("tracestate")) << "a state without its parent";
}

TEST_F(TracingTest, ATraceGoesOnAsAChild) {
  request_.headers.add("Traceparent", kParent);
  request_.headers.add("tracestate", "a=1");
  request_.headers.add("tracestate", "b=2");
  begin();
  const TraceParent parent = *parse_traceparent(kParent);
  EXPECT_EQ(told()->trace_id, parent.trace_id);
  EXPECT_NE(told()->parent_id, parent.parent_id);
  EXPECT_EQ(request_.trace.span.parent_id, parent.parent_id);
  EXPECT_EQ(onward_.only("tracestate"), "a=1,b=2");
}

TEST_F(TracingTest, WhatIsNoTraceparentIsReplaced) {
  request_.headers.add("traceparent", kParent);
  request_.headers.add("traceparent", kParent);
  request_.headers.add("tracestate", "a=1");
  begin();
  ASSERT_TRUE(told()) << "exactly one goes on";
  EXPECT_NE(told()->trace_id, parse_traceparent(kParent)->trace_id);
  EXPECT_FALSE(onward_.has("tracestate"));
}

TEST_F(TracingTest, FieldsOfOtherTracersPassUnchanged) {
  request_.headers.add("b3", "80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1");
  request_.headers.add("X-B3-TraceId", "463ac35c9f6413ad48485a3953bb6124");
  begin();
  EXPECT_EQ(onward_.get("b3"), "80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1");
  EXPECT_EQ(onward_.get("x-b3-traceid"), "463ac35c9f6413ad48485a3953bb6124");
}

TEST_F(TracingTest, IdsDiffer) {
  begin();
  const http::SpanContext first = request_.trace.span;
  begin();
  EXPECT_NE(request_.trace.span.trace_id, first.trace_id);
  EXPECT_NE(request_.trace.span.span_id, first.span_id);
}

TEST_F(TracingTest, NoClientDecidesThatItIsTraced) {
  settings_.sampling_percent = 0;
  request_.headers.add("traceparent", kParent);
  begin();
  EXPECT_FALSE(told()->sampled);
  end(200);
  EXPECT_TRUE(sink_.spans.empty());
}

TEST_F(TracingTest, ATrustedProxyDecides) {
  trusted_ = {"192.0.2.1"};
  settings_.sampling_percent = 0;
  request_.headers.add("traceparent", kParent);
  begin();
  EXPECT_TRUE(told()->sampled);
  settings_.sampling_percent = 100;
  tracing_.reset();
  request_.headers.set("traceparent", kUnsampled);
  begin();
  EXPECT_FALSE(told()->sampled);
}

TEST_F(TracingTest, TheShareThatIsAskedForIsSampled) {
  settings_.sampling_percent = 25;
  int sampled = 0;
  for (int i = 0; i < 4000; ++i) {
    begin();
    sampled += told()->sampled ? 1 : 0;
  }
  EXPECT_GT(sampled, 880);
  EXPECT_LT(sampled, 1120);
}

TEST_F(TracingTest, ASpanTellsOfItsExchange) {
  begin();
  request_.trace.upstream = "10.0.0.9:80";
  end(201);
  ASSERT_EQ(sink_.spans.size(), 1U);
  const Span& span = sink_.spans[0];
  EXPECT_EQ(span.name, "POST app");
  EXPECT_EQ(span.span_id, request_.trace.span.span_id);
  EXPECT_EQ(span.started, clock_.now() - std::chrono::milliseconds(5));
  EXPECT_EQ(span.ended, clock_.now() - std::chrono::milliseconds(2));
  EXPECT_FALSE(span.failed);
  EXPECT_EQ(attribute("http.request.method"), "POST");
  EXPECT_EQ(attribute("http.response.status_code"), "201");
  EXPECT_EQ(attribute("url.path"), "/a");
  EXPECT_EQ(attribute("url.scheme"), "https");
  EXPECT_EQ(attribute("client.address"), "192.0.2.1");
  EXPECT_EQ(attribute("user_agent.original"), "curl/8");
  EXPECT_EQ(attribute("gatehouse.upstream"), "10.0.0.9:80");
  EXPECT_EQ(attribute("gatehouse.request_id"), "r1");
  EXPECT_EQ(attribute("error.type"), "none");
}

TEST_F(TracingTest, OnlyFaultsOfTheServerAreErrors) {
  begin();
  end(404);
  end(503);
  end(200, /*complete=*/false);
  ASSERT_EQ(sink_.spans.size(), 3U);
  EXPECT_FALSE(sink_.spans[0].failed);
  EXPECT_TRUE(sink_.spans[1].failed);
  EXPECT_TRUE(sink_.spans[2].failed);
}

TEST_F(TracingTest, AMethodOfTheClientsOwnMakesNoNameOfASpan) {
  request_.method = "BREW";
  begin();
  end(405);
  EXPECT_EQ(sink_.spans.at(0).name, "HTTP app");
  EXPECT_EQ(attribute("http.request.method"), "_OTHER");
  EXPECT_EQ(attribute("http.request.method_original"), "BREW");
}

TEST_F(TracingTest, TagsAreFilledInWithoutSecrets) {
  settings_.tags = {{.name = "team", .value = "%REQ(X-Team)%"},
                    {.name = "fixed", .value = "a"},
                    {.name = "cookie", .value = "%REQ(COOKIE)%"},
                    {.name = "path", .value = "%REQ(:PATH)%"}};
  request_.headers.add("X-Team", "red");
  begin();
  end(200);
  EXPECT_EQ(attribute("team"), "red");
  EXPECT_EQ(attribute("fixed"), "a");
  EXPECT_EQ(otlp_json(sink_.spans, "s").find("secret"), std::string::npos);
}

TEST_F(TracingTest, SettingsThatCannotBeAreNamed) {
  settings_.tags = {{.name = "team", .value = "%NONSENSE%"}};
  EXPECT_NE(make().error().message.find("team"), std::string::npos);
  settings_.tags.clear();
  settings_.sampling_percent = 101;
  EXPECT_NE(make().error().message.find("sampling_percent"), std::string::npos);
}

TEST_F(TracingTest, ARequestThatWasRefusedBeforeHasNoSpan) {
  end(400);
  EXPECT_TRUE(sink_.spans.empty());
}

TEST(OtlpJson, IsWhatCollectorsRead) {
  Span span;
  span.trace_id.fill(0xab);
  span.span_id.fill(0x01);
  span.parent_id.fill(0x02);
  span.name = "GET \"a\"";
  span.trace_state = "a=1";
  span.started = WallTime(std::chrono::microseconds(1'700'000'000'000'001));
  span.ended = span.started + std::chrono::milliseconds(1);
  span.attributes = {{"text", "x\xff"}, {"number", std::int64_t{200}}};
  span.failed = true;
  const Result<Json> json = parse_json(otlp_json({span, Span{}}, "front"));
  ASSERT_TRUE(json);
  const Json& resource = (*json)["resourceSpans"][0];
  EXPECT_EQ(resource["resource"]["attributes"][0]["value"]["stringValue"], "front");
  const Json& spans = resource["scopeSpans"][0]["spans"];
  ASSERT_EQ(spans.size(), 2U);
  EXPECT_EQ(spans[0]["traceId"], "abababababababababababababababab");
  EXPECT_EQ(spans[0]["spanId"], "0101010101010101");
  EXPECT_EQ(spans[0]["parentSpanId"], "0202020202020202");
  EXPECT_EQ(spans[0]["kind"], 2);
  EXPECT_EQ(spans[0]["startTimeUnixNano"], "1700000000000001000");
  EXPECT_EQ(spans[0]["endTimeUnixNano"], "1700000000001001000");
  EXPECT_EQ(spans[0]["attributes"][1]["value"]["intValue"], "200");
  EXPECT_EQ(spans[0]["status"]["code"], 2);
  EXPECT_FALSE(spans[1].contains("parentSpanId"));
  EXPECT_FALSE(spans[1].contains("status"));
}

}  // namespace
}  // namespace gatehouse::gateway
