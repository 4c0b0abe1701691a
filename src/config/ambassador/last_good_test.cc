#include "config/ambassador/last_good.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "config/ambassador/manifests.h"

namespace gatehouse::config::ambassador {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::string_view kStays = "; its last good version stays in force";
constexpr std::string_view kSecret =
    "---\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\n"
    "stringData: {tls.crt: '-----BEGIN CERTIFICATE-----', tls.key: '-----BEGIN KEY-----'}\n";

std::string object(const std::string& kind, const std::string& name, const std::string& spec) {
  return "---\napiVersion: getambassador.io/v3alpha1\nkind: " + kind +
         "\nmetadata: {name: " + name + "}\nspec: " + spec + "\n";
}

std::string mapping(const std::string& name, const std::string& spec) {
  return object("Mapping", name, spec);
}

Manifests read(const std::string& text, const Manifests* before = nullptr) {
  return read_manifests({{.name = "a.yaml", .text = text}}, {}, {},
                        before == nullptr ? nullptr : before->good.get());
}

std::vector<std::string> prefixes(const Manifests& manifests) {
  std::vector<std::string> out;
  for (const Route& route : manifests.gateway.routes) out.push_back(route.prefix);
  return out;
}

struct Kind {
  std::string kind, name, good, wrong;
};

class LastGoodOfEachKind : public testing::TestWithParam<Kind> {};

TEST_P(LastGoodOfEachKind, StaysWhileTheObjectIsWrong) {
  const Kind& kind = GetParam();
  const std::string others = std::string(kSecret);
  const Manifests first = read(others + object(kind.kind, kind.name, kind.good));
  ASSERT_THAT(first.problems, IsEmpty()) << first.problems.front().str();
  ASSERT_NE(first.gateway, Gateway());
  Manifests now = read(others + object(kind.kind, kind.name, kind.wrong), &first);
  EXPECT_EQ(now.gateway, first.gateway);
  ASSERT_THAT(now.problems, SizeIs(1));
  EXPECT_THAT(now.problems[0].str(),
              AllOf(HasSubstr(kind.kind + " default/" + kind.name), EndsWith(kStays)));
  const Manifests later = read(others + object(kind.kind, kind.name, kind.wrong), &now);
  EXPECT_EQ(later.gateway, first.gateway);
  const Manifests torn = read(others + "---\nkind: [" + kind.kind, &later);
  EXPECT_EQ(torn.gateway, first.gateway);
  const Manifests gone = read(others, &torn);
  EXPECT_EQ(gone.gateway, Gateway());
  EXPECT_THAT(gone.problems, IsEmpty());
  EXPECT_EQ(read(others + "---\nkind: [" + kind.kind, &gone).gateway.routes, Gateway().routes);
}

INSTANTIATE_TEST_SUITE_P(
    All, LastGoodOfEachKind,
    testing::Values(
        Kind{"Mapping", "a", "{prefix: /a, service: quote}",
             "{prefix: /b, service: quote, timeout_ms: soon}"},
        Kind{"TCPMapping", "a", "{port: 9000, service: 'quote:1'}",
             "{port: none, service: 'quote:1'}"},
        Kind{"Host", "a", "{hostname: a.org, tlsSecret: {name: s}}",
             "{hostname: b.org, tlsSecret: {name: none}}"},
        Kind{"TLSContext", "a", "{hosts: [a.org], secret: s}", "{hosts: [b.org], secret: none}"},
        Kind{"Listener", "a", "{port: 8081, protocol: HTTP, securityModel: XFP}",
             "{port: none, protocol: HTTP, securityModel: XFP}"},
        Kind{"AuthService", "a", "{auth_service: 'quote:80'}",
             "{auth_service: 'other:80', timeout_ms: soon}"},
        Kind{"TracingService", "a", "{driver: opentelemetry, service: 'quote:4318'}",
             "{driver: opentelemetry, service: 'other:4318', sampling: {overall: 900}}"},
        Kind{"Module", "ambassador", "{config: {server_name: a, xff_num_trusted_hops: 1}}",
             "{config: {server_name: b, xff_num_trusted_hops: some}}"}),
    [](const auto& info) { return info.param.kind; });

TEST(LastGoodTest, IsOfTheObjectThatIsWrongAlone) {
  const Manifests first = read(mapping("a", "{prefix: /a, service: quote}") +
                               mapping("b", "{prefix: /b, service: quote}"));
  const Manifests now = read(mapping("a", "{prefix: /new, service: quote, weight: much}") +
                                 mapping("b", "{prefix: /newer, service: quote}"),
                             &first);
  EXPECT_THAT(prefixes(now), ElementsAre("/a", "/newer"));
  const Manifests mended = read(mapping("a", "{prefix: /new, service: quote}"), &now);
  EXPECT_THAT(prefixes(mended), ElementsAre("/new"));
  EXPECT_THAT(mended.problems, IsEmpty());
}

TEST(LastGoodTest, WithoutOneTheObjectIsLeftOut) {
  const std::string wrong = mapping("a", "{prefix: /a, service: quote, weight: much}");
  const Manifests first = read(wrong);
  EXPECT_THAT(prefixes(first), IsEmpty());
  const Manifests now = read(wrong, &first);
  EXPECT_THAT(prefixes(now), IsEmpty());
  ASSERT_THAT(now.problems, SizeIs(1));
  EXPECT_THAT(now.problems[0].str(), testing::Not(EndsWith(kStays)));
}

TEST(LastGoodTest, OfATornFileTheObjectsStayThatAreNotFoundElsewhere) {
  const std::string a = mapping("a", "{prefix: /a, service: quote}");
  const std::string b = mapping("b", "{prefix: /b, service: quote}");
  const std::string c = mapping("c", "{prefix: /c, service: quote}");
  const Manifests first =
      read_manifests({{.name = "1.yaml", .text = a + b}, {.name = "2.yaml", .text = c}}, {});
  const Manifests now =
      read_manifests({{.name = "1.yaml", .text = a + "---\nkind: ["},
                      {.name = "2.yaml", .text = mapping("b", "{prefix: /moved, service: quote}")}},
                     {}, {}, first.good.get());
  EXPECT_THAT(prefixes(now), ElementsAre("/a", "/moved"));
  const Manifests again =
      read_manifests({{.name = "1.yaml", .text = "kind: ["}, {.name = "2.yaml", .text = c}}, {}, {},
                     first.good.get());
  EXPECT_THAT(prefixes(again), ElementsAre("/a", "/b", "/c"));
  ASSERT_THAT(again.problems, SizeIs(2));
  EXPECT_EQ(again.problems[0].str(),
            "1.yaml: the last good version stays in force of Mapping default/a, Mapping default/b");
}

TEST(LastGoodTest, TheFirstAuthServiceStaysTheFirst) {
  const std::string one = object("AuthService", "one", "{auth_service: 'one:80'}");
  const std::string two = object("AuthService", "two", "{auth_service: 'two:80'}");
  const Manifests first =
      read_manifests({{.name = "1.yaml", .text = one}, {.name = "2.yaml", .text = two}}, {});
  const Manifests now = read_manifests(
      {{.name = "1.yaml", .text = "kind: [AuthService"}, {.name = "2.yaml", .text = two}}, {}, {},
      first.good.get());
  EXPECT_EQ(now.gateway.authorizer.url, "http://one");
}

TEST(LastGoodTest, AHostKeepsTheCertificateThatIsTakenAway) {
  const std::string host = object("Host", "a", "{hostname: a.org, tlsSecret: {name: s}}");
  const Manifests first = read(std::string(kSecret) + host);
  ASSERT_THAT(first.problems, IsEmpty());
  const Manifests now = read(host, &first);
  EXPECT_EQ(now.gateway.hosts, first.gateway.hosts);
  EXPECT_THAT(now.problems, SizeIs(1));
}

TEST(LastGoodTest, OfARouteThatCannotBeCompiledIsTheOneBefore) {
  const Manifests first = read(mapping("a", "{prefix: /a, service: quote}"));
  const Manifests now =
      read(mapping("a", "{prefix: '/a(', prefix_regex: true, service: quote}"), &first);
  const Route* const last = keep_last_good(now.gateway.routes[0], first.good.get(), *now.good);
  ASSERT_NE(last, nullptr);
  EXPECT_EQ(last->prefix, "/a");
  const Manifests later = read(mapping("a", "{prefix: /a, service: quote, weight: much}"), &now);
  EXPECT_THAT(prefixes(later), ElementsAre("/a"));
  EXPECT_EQ(keep_last_good(now.gateway.routes[0], nullptr, *now.good), nullptr);
  EXPECT_THAT(prefixes(read(mapping("a", "{prefix: /a, service: quote, weight: much}"), &now)),
              IsEmpty());
}

}  // namespace
}  // namespace gatehouse::config::ambassador
