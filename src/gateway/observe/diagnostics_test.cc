#include "gateway/observe/diagnostics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/json.h"
#include "gateway/observe/diagnostics_page.h"
#include "gateway/observe/reload_history.h"

namespace gatehouse::gateway {
namespace {

using testing::HasSubstr;
using testing::Not;

DiagnosticSnapshot example() {
  DiagnosticSnapshot snapshot;
  snapshot.version = "1.2.3";
  snapshot.started = from_unix_seconds(1'700'000'000);
  snapshot.ready = true;
  snapshot.authorizer = "http://user:secret@gatekeeper:8080/?key=secret";
  snapshot.routes = {{.name = "first <b>",
                      .origin = "Mapping a in b.yaml:12",
                      .match = "prefix /a",
                      .upstream = "http://user:secret@a:80",
                      .weight = "30 %",
                      .hits = 7},
                     {.name = "second", .upstream = "demo", .authenticate = false, .shadow = true}};
  snapshot.clusters = {{.service = "http://a:80",
                        .endpoints = {{.address = "192.0.2.1:80", .requests = 5, .failures = 2},
                                      {.address = "192.0.2.2:80", .healthy = false}},
                        .breakers = {{.name = "requests", .limit = 10, .refused = 3}}},
                       {.service = "http://b:80", .dns_error = "no such host"}};
  snapshot.listeners = {{.address = "127.0.0.1:8080", .protocol = "http", .serves = "gateway"}};
  snapshot.problems = {{.what = "Mapping c has no service"}};
  snapshot.reloads = {{.time = from_unix_seconds(1'700'000'060), .what = "line 3"}};
  return snapshot;
}

std::string page(const DiagnosticSnapshot& snapshot) {
  return diagnostics_page(snapshot, "/style.css", "/?json=true");
}

TEST(Diagnostics, JsonHasEveryPart) {
  const Result<Json> json = parse_json(diagnostics_json(example()));
  ASSERT_TRUE(json);
  EXPECT_EQ((*json)["routes"][0]["name"], "first <b>");
  EXPECT_EQ((*json)["routes"][0]["hits"], 7);
  EXPECT_EQ((*json)["routes"][1]["authenticate"], false);
  EXPECT_EQ((*json)["clusters"][0]["endpoints"][1]["healthy"], false);
  EXPECT_EQ((*json)["clusters"][0]["breakers"][0]["refused"], 3);
  EXPECT_EQ((*json)["clusters"][1]["dns_error"], "no such host");
  EXPECT_EQ((*json)["listeners"][0]["serves"], "gateway");
  EXPECT_EQ((*json)["problems"][0]["severity"], "error");
  EXPECT_EQ((*json)["reloads"][0]["time"], "2023-11-14T22:14:20Z");
  EXPECT_EQ((*json)["started"], "2023-11-14T22:13:20Z");
}

TEST(Diagnostics, ThePageShowsEveryPart) {
  const std::string html = page(example());
  for (const char* part :
       {"1.2.3", "Mapping a in b.yaml:12", "prefix /a", "30 %", "192.0.2.2:80", "fails its checks",
        "no such host", "127.0.0.1:8080", "has no service", "line 3", "gets a copy", "refused"}) {
    EXPECT_THAT(html, HasSubstr(part));
  }
  EXPECT_LT(html.find("first"), html.find("second"));
}

TEST(Diagnostics, AServiceThatIsWellAgainShowsItsLastFailure) {
  DiagnosticSnapshot snapshot;
  snapshot.clusters = {{.endpoints = {{.last_error = "cannot connect"}}}};
  EXPECT_THAT(page(snapshot), HasSubstr("well<small>last failure: cannot connect</small>"));
}

TEST(Diagnostics, NumbersAndTheirHeadingsStandAtTheRight) {
  const std::string html = page(example());
  EXPECT_THAT(html, HasSubstr("<th scope=\"col\" class=\"number\">Requests</th>"));
  EXPECT_THAT(html, HasSubstr("<td data-label=\"Requests\" class=\"number\">7</td>"));
}

TEST(Diagnostics, NothingIsMarkupThatIsNotOurs) {
  DiagnosticSnapshot snapshot = example();
  snapshot.problems[0].what = "<script>alert(1)</script>";
  snapshot.routes[1].upstream = "\"><img src=x>";
  const std::string html = page(snapshot);
  EXPECT_THAT(html, HasSubstr("first &lt;b&gt;"));
  EXPECT_THAT(html, Not(HasSubstr("<script")));
  EXPECT_THAT(html, Not(HasSubstr("<img")));
  EXPECT_THAT(html, Not(HasSubstr("style=")));
}

TEST(Diagnostics, NoSecretIsShown) {
  EXPECT_THAT(page(example()), Not(HasSubstr("secret")));
  EXPECT_THAT(diagnostics_json(example()), Not(HasSubstr("secret")));
}

TEST(Diagnostics, UrlsLoseUserInfoQueryAndFragment) {
  EXPECT_EQ(without_secrets("https://a:b@c:1/d?e#f"), "https://c:1/d");
  EXPECT_EQ(without_secrets("https://a@b@c"), "https://c");
  EXPECT_EQ(without_secrets("http://c/@d"), "http://c/@d");
  EXPECT_EQ(without_secrets("http http://a:b@c?d"), "http http://c");
  EXPECT_EQ(without_secrets("demo"), "demo");
}

TEST(Diagnostics, ALongTableIsCutAndSaysSo) {
  DiagnosticSnapshot snapshot;
  snapshot.routes.resize(kDiagnosticRows + 5);
  snapshot.routes.back().name = "the last";
  const std::string html = page(snapshot);
  EXPECT_THAT(html, HasSubstr("The first 1000 of 1005"));
  EXPECT_THAT(html, Not(HasSubstr("the last")));
  EXPECT_THAT(diagnostics_json(snapshot), HasSubstr("the last"));
}

TEST(Diagnostics, AnEmptyGatewaySaysSo) {
  EXPECT_THAT(page({}), HasSubstr("not ready"));
  EXPECT_THAT(page({}), HasSubstr("every request is answered 404"));
}

TEST(ReloadHistory, KeepsTheNewestFirstAndCountsAll) {
  ReloadHistory history;
  for (int i = 0; i < 30; ++i) {
    history.add({.time = from_unix_seconds(i), .applied = i % 3 != 0});
  }
  EXPECT_EQ(history.entries().size(), ReloadHistory::kKept);
  EXPECT_EQ(history.entries()[0].time, from_unix_seconds(29));
  EXPECT_EQ(history.totals().applied, 20U);
  EXPECT_EQ(history.totals().refused, 10U);
  EXPECT_EQ(history.totals().last_applied, from_unix_seconds(29));
}

}  // namespace
}  // namespace gatehouse::gateway
