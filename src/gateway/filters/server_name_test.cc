#include "gateway/filters/server_name.h"

#include <gtest/gtest.h>

namespace gatehouse::gateway {
namespace {

TEST(ServerName, ReplacesTheUpstreams) {
  http::Headers headers;
  headers.add("server", "upstream/1");
  headers.add("Server", "upstream/2");
  headers.add("X-Powered-By", "kept");
  ServerName::make("gatehouse").value().apply(headers);
  EXPECT_EQ(headers.only("Server"), "gatehouse");
  EXPECT_TRUE(headers.has("X-Powered-By"));
}

TEST(ServerName, KeepsTheUpstreamsByDefault) {
  http::Headers headers;
  headers.add("Server", "upstream/1");
  ServerName::make("").value().apply(headers);
  EXPECT_EQ(headers.get("Server"), "upstream/1");
}

TEST(ServerName, CannotSplitAHeader) {
  EXPECT_FALSE(ServerName::make("a\r\nX: y"));
}

}  // namespace
}  // namespace gatehouse::gateway
