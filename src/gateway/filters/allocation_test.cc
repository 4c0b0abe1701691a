// The filters run at each request: this counts what they allocate where they are off, and on the
// paths that must cost nothing where they are on. A sanitizer has an operator new of its own, so
// its builds leave the counting to the others.
#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)

#include <gtest/gtest.h>

#include <algorithm>

#include "base/counted_allocations.h"
#include "base/fixed_entropy.h"
#include "gateway/filters/address_rules.h"
#include "gateway/filters/body_limit.h"
#include "gateway/filters/compression.h"
#include "gateway/filters/cors.h"
#include "gateway/filters/error_overrides.h"
#include "gateway/filters/grpc_web.h"
#include "gateway/filters/header_edits.h"
#include "gateway/filters/rate_limiter.h"
#include "gateway/filters/server_name.h"

namespace gatehouse::gateway {
namespace {

http::Request usual_request() {
  http::Request request;
  request.method = "POST";
  request.authority = "example.org";
  request.headers.add("Content-Type", "application/json");
  request.headers.add("Accept-Encoding", "gzip, deflate, br");
  request.headers.add("Authorization", "Bearer 0123456789abcdef0123456789abcdef");
  request.headers.add("Origin", "https://a.example.org");
  request.body = http::Body("body");
  return request;
}

TEST(FilterAllocations, NoneWhereAllIsOff) {
  http::Request request = usual_request();
  http::Response response = http::make_response(503, "text/html", std::string(2000, 'a'));
  const FormatContext context{.request = request, .response = &response};
  const Cors cors;
  const HeaderEdits edits;
  const ErrorOverrides overrides;
  const Compression compression;
  const RateLimiter limiter;
  const AddressRules addresses;
  const ServerName server_name;
  const int before = allocations;
  EXPECT_TRUE(addresses.permits("2001:db8:1111:2222:3333:4444:5555:6666"));
  EXPECT_FALSE(cors.preflight(request));
  EXPECT_FALSE(limiter.over(RateLimiter::Stage::kBeforeVerdict, request, "192.0.2.1", {}));
  EXPECT_TRUE(limit_body(request, 100));
  edits.apply(request.headers, context);
  cors.apply(request, response);
  EXPECT_FALSE(overrides.apply(context, response));
  compression.apply(request, response);
  server_name.apply(response.headers);
  EXPECT_EQ(allocations - before, 0);
}

TEST(FilterAllocations, NoneForRequestsThatAreNotGrpcWeb) {
  http::Request request;
  request.method = "GET";
  const int before = allocations;
  const auto call = GrpcWebCall::start(request);
  EXPECT_FALSE(call->has_value());
  EXPECT_EQ(allocations - before, 0);
}

TEST(FilterAllocations, NoneToCountARequestOrToLookUpItsAddress) {
  FixedEntropy entropy;
  RateLimitTables tables(entropy);
  const RateLimiter limiter = RateLimiter::make({{.key = "address", .requests = 100},
                                                 {.key = "token", .requests = 100},
                                                 {.key = "all", .requests = 100}},
                                                "gateway", tables)
                                  .value();
  const AddressRules addresses = AddressRules::make({"2001:db8::/32"}, {"192.0.2.0/24"}).value();
  const http::Request request = usual_request();
  const std::string_view address = "2001:db8:1111:2222:3333:4444:5555:6666";
  const int before = allocations;
  EXPECT_TRUE(addresses.permits(address));
  EXPECT_FALSE(limiter.over(RateLimiter::Stage::kBeforeVerdict, request, address, {}));
  EXPECT_EQ(allocations - before, 0);
}

TEST(FilterAllocations, NoneForHeadersThatAreAlwaysTheSame) {
  const std::vector<config::FieldEdit> add = {{"X-Frame-Options", "DENY"},
                                              {"X-Content-Type-Options", "nosniff", true}};
  const HeaderEdits edits =
      HeaderEdits::make(HeaderEdits::Of::kResponse,
                        {.add = add, .remove = {"server"}, .managed_headers = {}})
          .value();
  const http::Request request = usual_request();
  http::Response response = http::make_response(200, "text/html", "");
  const int before = allocations;
  edits.apply(response.headers, {.request = request, .response = &response});
  EXPECT_EQ(allocations - before, 0);
  EXPECT_EQ(response.headers.get("X-Frame-Options"), "DENY");
}

}  // namespace
}  // namespace gatehouse::gateway

#endif
