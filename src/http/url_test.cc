#include "http/url.h"

#include <gtest/gtest.h>

#include <string>

namespace gatehouse::http {
namespace {

TEST(Url, ReadsItsParts) {
  const Result<Url> url = parse_url("HTTPS://Example.org:8443/a/b?c=d");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->scheme, "https");
  EXPECT_EQ(url->host, "example.org");
  EXPECT_EQ(url->port, 8443);
  EXPECT_EQ(url->path, "/a/b");
  EXPECT_EQ(url->query, "c=d");
  EXPECT_EQ(url->origin(), "https://example.org:8443");
  EXPECT_EQ(url->str(), "https://example.org:8443/a/b?c=d");
}

TEST(Url, LeavesTheSchemesOwnPortOut) {
  EXPECT_EQ(parse_url("http://a:80")->str(), "http://a/");
  EXPECT_EQ(parse_url("https://a:443/")->origin(), "https://a");
  EXPECT_EQ(parse_url("https://a")->port, 443);
}

TEST(Url, WritesIpv6InBrackets) {
  const Result<Url> url = parse_url("http://[::1]:8080/x");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->host, "::1");
  EXPECT_EQ(url->authority(), "[::1]:8080");
}

TEST(Url, ReadsAQueryWithoutPath) {
  const Result<Url> url = parse_url("http://a?b");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->path, "/");
  EXPECT_EQ(url->query, "b");
}

TEST(Url, RefusesWhatIsAmbiguous) {
  for (const std::string_view text : {"",
                                      "http:",
                                      "http://",
                                      "ftp://a",
                                      "//a",
                                      "a",
                                      "http://u@a",
                                      "http://u:p@a/",
                                      "http://a#f",
                                      "http://a/ b",
                                      "http://a\\b",
                                      "http://a:0",
                                      "http://a:65536",
                                      "http://a:",
                                      "http://a:8x",
                                      "http://[::1",
                                      "http://[1]",
                                      "http://a..b",
                                      "http://.a",
                                      "http://a_b%",
                                      "http://a,b",
                                      "http://a\n",
                                      "http:///x",
                                      "javascript://a"}) {
    EXPECT_FALSE(parse_url(text)) << text;
  }
}

TEST(Authority, IsOneHostInLowerCase) {
  EXPECT_EQ(parse_authority("Example.ORG"), "example.org");
  EXPECT_EQ(parse_authority("example.org:8080"), "example.org:8080");
  EXPECT_EQ(parse_authority("[::1]:80"), "[::1]:80");
  EXPECT_EQ(parse_authority("127.0.0.1"), "127.0.0.1");
  EXPECT_EQ(parse_authority("example.org."), "example.org");
}

TEST(Authority, RefusesWhatIsNotExactlyOneHost) {
  for (const std::string_view text : {"",     "a,b",  "a b", " a",      "a ",      "u@a",
                                      "a/b",  "a:",   "a:0", "a:99999", "a:80:80", "::1",
                                      "[::1", "a\\b", "a?b", "a#b",     "[v1.x]",  "a\t",
                                      ".",    "a..",  "%61", "a:+80",   "a:-1"}) {
    EXPECT_FALSE(parse_authority(text)) << text;
  }
  EXPECT_FALSE(parse_authority(std::string_view("a\0b", 3)));
  EXPECT_FALSE(parse_authority(std::string(254, 'a')));
}

TEST(PercentEncoding, EscapesAllButUnreserved) {
  EXPECT_EQ(percent_encode("aZ09-._~"), "aZ09-._~");
  EXPECT_EQ(percent_encode("/ ?\xff+"), "%2F%20%3F%FF%2B");
}

TEST(PercentEncoding, DecodesStrictly) {
  EXPECT_EQ(percent_decode("a%2Fb+%e6"), "a/b+\xe6");
  for (const std::string_view text : {"%", "%4", "%4g", "a%"}) {
    EXPECT_FALSE(percent_decode(text)) << text;
  }
}

TEST(Form, KeepsOrderAndRepetitions) {
  const Result<Parameters> form = parse_form("b=1&a=x+y%2B&b=2&c&=d&&e=f=g");
  ASSERT_TRUE(form);
  const Parameters expected = {{"b", "1"}, {"a", "x y+"}, {"b", "2"},
                               {"c", ""},  {"", "d"},     {"e", "f=g"}};
  EXPECT_EQ(*form, expected);
}

TEST(Form, RefusesBadEscapesNulAndTooMany) {
  EXPECT_FALSE(parse_form("a=%"));
  EXPECT_FALSE(parse_form("%zz=1"));
  EXPECT_FALSE(parse_form("a=%00"));
  EXPECT_FALSE(parse_form("a&b&c", 2));
  EXPECT_TRUE(parse_form("a&b", 2));
}

TEST(Form, RoundTrips) {
  const Parameters parameters = {{"a b", "1&2=3"}, {"ü", "+%"}, {"e", ""}};
  EXPECT_EQ(encode_form({{"scope", "openid profile"}}), "scope=openid+profile");
  EXPECT_EQ(parse_form(encode_form(parameters)).value(), parameters);
}

TEST(Form, SingleTellsAbsentFromRepeated) {
  const Parameters parameters = {{"a", "1"}, {"b", "1"}, {"b", "2"}};
  bool repeated = true;
  EXPECT_EQ(single(parameters, "a", &repeated), "1");
  EXPECT_FALSE(repeated);
  EXPECT_FALSE(single(parameters, "b", &repeated));
  EXPECT_TRUE(repeated);
  EXPECT_FALSE(single(parameters, "c", &repeated));
  EXPECT_FALSE(repeated);
}

TEST(LocalRedirect, PathsOfThisSitePass) {
  for (const std::string_view location :
       {"/", "/pipeline/?ns=a%20b", "/a/b", "/My%20File.ipynb", "/a//b", "/?next=https://evil",
        "/a?b=//evil", "/x?y=%0d%0a", "/%e6%96%87/", "/@evil", "/evil.example"}) {
    EXPECT_TRUE(is_local_redirect(location)) << location;
  }
}

// GHSA-f24x…, CVE-2021-32786 and their kin: open redirects.
TEST(LocalRedirectAttack, OtherHostsInEveryDisguiseAreRefused) {
  for (const std::string_view location : {"",
                                          "//evil.example",
                                          "///evil.example",
                                          "////evil.example",
                                          "/\\evil.example",
                                          "\\\\evil.example",
                                          "\\/evil.example",
                                          "/\\/evil.example",
                                          "/\t/evil.example",
                                          "/\n/evil.example",
                                          "/\r/evil.example",
                                          "\t//evil.example",
                                          " //evil.example",
                                          " /evil.example",
                                          "/ /evil.example",
                                          "/%09/evil.example",
                                          "/%0a/evil.example",
                                          "/%0d%0a/evil.example",
                                          "/%0d%0aLocation:%20//evil",
                                          "/%20/evil.example",
                                          "/%20%20/evil.example",
                                          "/%5cevil.example",
                                          "/%5c%5cevil.example",
                                          "/%2f%2fevil.example",
                                          "/%2Fevil.example",
                                          "https:evil.example",
                                          "https:/evil.example",
                                          "https://evil.example",
                                          "http://evil.example",
                                          "HtTpS://evil.example",
                                          "javascript:alert(1)",
                                          "data:text/html,x",
                                          "evil.example",
                                          "@evil.example",
                                          "?x",
                                          "#x",
                                          "/.//evil.example",
                                          "/..//evil.example",
                                          "/%2e%2e//evil.example",
                                          "/x/..//evil.example",
                                          "/\x01/evil.example",
                                          "/\x7f/evil",
                                          "/\xe3\x80\x82/evil",
                                          "/\xc2\xa0/evil",
                                          "/a#//evil",
                                          "/\\\\evil",
                                          "/;@evil\\"}) {
    EXPECT_FALSE(is_local_redirect(location)) << location;
  }
  EXPECT_FALSE(is_local_redirect(std::string_view("/\0/evil", 7)));
}

}  // namespace
}  // namespace gatehouse::http
