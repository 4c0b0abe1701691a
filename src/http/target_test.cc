#include "http/target.h"

#include <gtest/gtest.h>

#include <string>

namespace gatehouse::http {
namespace {

std::string normal(std::string_view raw) {
  const Result<Target, TargetError> target = parse_target(raw);
  return target ? target->str() : std::string("refused: ") + std::string(to_string(target.error()));
}

TargetError error_of(std::string_view raw) {
  const Result<Target, TargetError> target = parse_target(raw);
  EXPECT_FALSE(target) << raw << " became " << target->str();
  return target ? TargetError::kTooLong : target.error();
}

TEST(Target, IsSlashByDefault) {
  EXPECT_EQ(Target().str(), "/");
  EXPECT_EQ(Target().path(), "/");
  EXPECT_EQ(Target().query(), "");
}

TEST(Target, SplitsPathAndQueryAtTheFirstQuestionMark) {
  const Result<Target, TargetError> target = parse_target("/a/b?x=1?y=2");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->path(), "/a/b");
  EXPECT_EQ(target->query(), "x=1?y=2");
}

TEST(Target, KeepsTheQueryByteForByte) {
  EXPECT_EQ(normal("/p/?ns=a%20b&q=%2f..%2F%00%zz\\//;"), "/p/?ns=a%20b&q=%2f..%2F%00%zz\\//;");
}

TEST(Target, KeepsALoneQuestionMark) {
  EXPECT_EQ(normal("/a?"), "/a?");
  EXPECT_EQ(parse_target("/a?")->query(), "");
}

TEST(Target, DecodesEscapesOfUnreservedCharacters) {
  EXPECT_EQ(normal("/%61%2D%2e%5F%7Eb%41%39"), "/a-._~bA9");
}

TEST(Target, KeepsOtherEscapesAsTheyCame) {
  EXPECT_EQ(normal("/a%20b%3bc%3Ad%25"), "/a%20b%3bc%3Ad%25");
  EXPECT_EQ(normal("/%e6%96%87"), "/%e6%96%87");
}

TEST(Target, MergesRunsOfSlashes) {
  EXPECT_EQ(normal("//admin"), "/admin");
  EXPECT_EQ(normal("/a///b//"), "/a/b/");
  EXPECT_EQ(normal("////"), "/");
}

TEST(Target, ReadsTheAbsoluteForm) {
  EXPECT_EQ(normal("http://example.org/a?b"), "/a?b");
  EXPECT_EQ(normal("HTTPS://example.org"), "/");
  EXPECT_EQ(normal("http://example.org?b"), "/?b");
}

TEST(Target, RefusesWhatIsNeitherPathNorUrl) {
  for (const std::string_view raw : {"", "*", "a/b", "http://", "http:///a", "http:/a", "ftp://a/b",
                                     "example.org:443", "javascript:x", "?a", "http:a"}) {
    EXPECT_EQ(error_of(raw), TargetError::kNotOriginForm) << raw;
  }
}

TEST(Target, RefusesTooLong) {
  EXPECT_EQ(error_of("/" + std::string(kTargetLimit, 'a')), TargetError::kTooLong);
  EXPECT_TRUE(parse_target("/" + std::string(kTargetLimit - 1, 'a')));
}

TEST(Target, RefusesRawBytesThatMustBeEscaped) {
  for (const std::string_view raw : {"/a b", "/a\tb", "/a\r\nb", "/a\\b", "\\a", "/\\a", "/a\x7f",
                                     "/caf\xc3\xa9", "/a?b c", "/a?b\n", "/a?\xff", "/a?\x01"}) {
    EXPECT_FALSE(parse_target(raw)) << raw;
  }
  EXPECT_EQ(error_of(std::string_view("/a\0b", 4)), TargetError::kForbiddenByte);
  EXPECT_EQ(error_of("/a\\b"), TargetError::kForbiddenByte);
}

TEST(Target, RefusesBadEscapes) {
  for (const std::string_view raw : {"/%", "/%2", "/%2g", "/a%%41", "/%u002f"}) {
    EXPECT_EQ(error_of(raw), TargetError::kBadEscape) << raw;
  }
}

TEST(Target, RefusesEscapedControlCharacters) {
  for (const std::string_view raw : {"/%01", "/a%0d%0ab", "/%09", "/%7f", "/%1f"}) {
    EXPECT_EQ(error_of(raw), TargetError::kEncodedControl) << raw;
  }
}

TEST(Target, SetPathKeepsTheQuery) {
  Target target = *parse_target("/old/path?q=1");
  target.set_path("/new");
  EXPECT_EQ(target.str(), "/new?q=1");
  EXPECT_EQ(target.path(), "/new");
  EXPECT_EQ(target.query(), "q=1");
}

// Attacks that were published against others.

TEST(TargetAttack, Cve202129492EscapedSeparatorsInThePath) {
  for (const std::string_view raw :
       {"/a%2Fb", "/a%2fb", "/a%5Cb", "/%5c", "/a%00", "/public/..%2fx"}) {
    EXPECT_EQ(error_of(raw), TargetError::kEncodedSeparator) << raw;
  }
}

TEST(TargetAttack, Cve202132779FragmentInTheTarget) {
  for (const std::string_view raw : {"/a#b", "/admin#/public", "/a?b#c", "/#"}) {
    EXPECT_EQ(error_of(raw), TargetError::kForbiddenByte) << raw;
  }
}

TEST(TargetAttack, Cve202626205DoubleSlashIsNoAuthority) {
  EXPECT_EQ(normal("//evil.example/admin"), "/evil.example/admin");
  EXPECT_EQ(normal("http://a//admin"), "/admin");
}

TEST(TargetAttack, Cve20199901DotSegmentsInAnyEncoding) {
  for (const std::string_view raw :
       {"/..",       "/.",           "/a/../b",   "/a/./b",   "/a/..",         "/%2e%2e/b",
        "/.%2E/b",   "/a/%2e",       "/..;x/b",   "/a/..;/b", "/%2e%2e;x=1/b", "/.;/b",
        "/..%3bx/b", "/..%3B",       "/./",       "/../",     "/a/%2e%2e;",    "/..%20/b",
        "/%20../b",  "/%20..%20%20", "/..%3fa/b", "/..%23/b", "/.%20;x/b",     "/a/..%20"}) {
    EXPECT_EQ(error_of(raw), TargetError::kDotSegment) << raw;
  }
}

TEST(TargetAttack, DotSegmentsEscapedTwice) {
  for (const std::string_view raw :
       {"/%252e%252e/b", "/%252e", "/a/.%252e/b", "/%25252e%25252e/b", "/..%252fadmin",
        "/a%252f..%252fadmin", "/x%255c..%255cb", "/%252525252525252e"}) {
    EXPECT_EQ(error_of(raw), TargetError::kDotSegment) << raw;
  }
  EXPECT_EQ(normal("/100%25.txt"), "/100%25.txt");
  EXPECT_EQ(normal("/a%252Fb"), "/a%252Fb");
}

TEST(TargetAttack, OverlongUtf8) {
  for (const std::string_view raw :
       {"/%c0%ae%c0%ae/admin", "/%c0%af", "/%e0%80%ae", "/%f0%80%80%ae", "/%c1%9c", "/%ff", "/%80",
        "/%e6%96", "/%ed%a0%80", "/%f4%90%80%80"}) {
    EXPECT_EQ(error_of(raw), TargetError::kEncodedControl) << raw;
  }
}

TEST(TargetAttack, ManyFoldEscapesCostLittle) {
  std::string raw = "/%";
  while (raw.size() + 2 < kTargetLimit) raw += "25";
  EXPECT_EQ(error_of(raw), TargetError::kDotSegment);
}

TEST(Target, NamesThatOnlyLookLikeDotSegmentsPass) {
  for (const std::string_view raw : {"/...", "/..a", "/a..", "/.git", "/a.b", "/a;..", "/.a;b"}) {
    EXPECT_EQ(normal(raw), raw);
  }
}

TEST(Target, NormalFormIsAFixedPoint) {
  for (const std::string_view raw : {"/", "/a//b/%7euser/?x", "/%41;b%3b", "/%e6%96%87//", "/a?"}) {
    const std::string once = normal(raw);
    EXPECT_EQ(normal(once), once);
  }
}

TEST(PathHasPrefix, MatchesWholeSegments) {
  EXPECT_TRUE(path_has_prefix("/a", "/a"));
  EXPECT_TRUE(path_has_prefix("/a/", "/a"));
  EXPECT_TRUE(path_has_prefix("/a/b", "/a"));
  EXPECT_FALSE(path_has_prefix("/ab", "/a"));
  EXPECT_FALSE(path_has_prefix("/", "/a"));
  EXPECT_TRUE(path_has_prefix("/a/", "/a/"));
  EXPECT_TRUE(path_has_prefix("/a/b", "/a/"));
  EXPECT_FALSE(path_has_prefix("/a", "/a/"));
  EXPECT_TRUE(path_has_prefix("/anything", "/"));
}

}  // namespace
}  // namespace gatehouse::http
