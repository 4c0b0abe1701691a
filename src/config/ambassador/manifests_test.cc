#include "config/ambassador/manifests.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace gatehouse::config::ambassador {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::string mapping(const std::string& name, const std::string& spec) {
  return "---\napiVersion: getambassador.io/v3alpha1\nkind: Mapping\nmetadata: {name: " + name +
         "}\nspec: " + spec + "\n";
}

Manifests read(const std::string& text, const Gateway& base = {}) {
  return read_manifests({{.name = "a.yaml", .text = text}}, base);
}

TEST(ManifestsTest, AddToWhatIsThere) {
  Gateway base;
  base.listen = {{.address = "0.0.0.0:80"}};
  base.routes = {{.name = "own", .prefix = "/own"}};
  base.hosts = {{.hostname = "own.example.org"}};
  base.authorizer.kind = "none";
  base.ip_deny = {"192.0.2.0/24"};
  const Manifests manifests = read(mapping("a", "{prefix: /a, service: quote}"), base);
  EXPECT_THAT(manifests.problems, IsEmpty());
  EXPECT_THAT(manifests.warnings, IsEmpty());
  ASSERT_THAT(manifests.gateway.routes, SizeIs(2));
  EXPECT_EQ(manifests.gateway.routes[0].name, "own");
  EXPECT_EQ(manifests.gateway.listen, base.listen);
  EXPECT_EQ(manifests.gateway.hosts, base.hosts);
  EXPECT_EQ(manifests.gateway.authorizer, base.authorizer);
  EXPECT_EQ(manifests.gateway.ip_deny, base.ip_deny);
}

TEST(ManifestsTest, WithoutFilesChangeNothing) {
  Gateway base;
  base.server_name = "own";
  const Manifests manifests = read_manifests({}, base);
  EXPECT_EQ(manifests.gateway, base);
}

TEST(ManifestsTest, SeveralMappingsMayMatchTheSame) {
  const Manifests manifests = read(mapping("a", "{prefix: /a, service: one, weight: 10}") +
                                   mapping("b", "{prefix: /a, service: two}"));
  EXPECT_THAT(manifests.problems, IsEmpty());
  ASSERT_THAT(manifests.gateway.routes, SizeIs(2));
  EXPECT_EQ(manifests.gateway.routes[0].weight, 10);
  EXPECT_EQ(manifests.gateway.routes[1].weight, -1);
}

TEST(ManifestsTest, RefuseToSetTheHeadersThatTheBaseManages) {
  Gateway base;
  base.managed_headers = {"X-Who"};
  const std::string text =
      mapping("a", "{prefix: /a, service: quote, add_request_headers: {x_who: admin}}") +
      mapping("b", "{prefix: /b, service: quote, add_request_headers: {kubeflow-userid: a}}");
  const Manifests manifests = read(text, base);
  ASSERT_THAT(manifests.gateway.routes, SizeIs(1));
  EXPECT_EQ(manifests.gateway.routes[0].name, "default/b");
  EXPECT_THAT(manifests.problems, SizeIs(1));
}

TEST(ManifestsTest, ObjectsOfSeveralFilesKnowOneAnother) {
  const Manifests manifests = read_manifests(
      {{.name = "a.yaml", .text = mapping("a", "{prefix: /a, service: quote, tls: context}")},
       {.name = "b.yaml",
        .text = "apiVersion: getambassador.io/v2\nkind: TLSContext\nmetadata: {name: context}\n"
                "spec: {ca_secret: ca}\n"},
       {.name = "c.yaml",
        .text = "apiVersion: v1\nkind: Secret\nmetadata: {name: ca}\n"
                "stringData: {ca.crt: '-----BEGIN CERTIFICATE-----'}\n"}},
      {});
  EXPECT_THAT(manifests.problems, IsEmpty());
  ASSERT_THAT(manifests.gateway.routes, SizeIs(1));
  EXPECT_EQ(manifests.gateway.routes[0].upstream.tls.ca_pem, "-----BEGIN CERTIFICATE-----");
}

TEST(ManifestsTest, NoFindingQuotesASecret) {
  const std::string secret = "c3VwZXItc2VjcmV0LXZhbHVl";  // "super-secret-value"
  const Manifests manifests =
      read("apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {tls.crt: " + secret +
           ", tls.key: '%%super-secret-value%%'}\n---\n"
           "apiVersion: getambassador.io/v2\nkind: Host\nmetadata: {name: h}\n"
           "spec: {hostname: a.org, tlsSecret: {name: s}}\n---\n"
           "apiVersion: v1\nkind: Secret\ndata: {tls.key: super-secret-value\n");
  EXPECT_THAT(manifests.problems, SizeIs(2));
  for (const Problem& problem : manifests.problems) {
    EXPECT_THAT(problem.str(), testing::Not(HasSubstr("secret-value")));
    EXPECT_THAT(problem.str(), testing::Not(HasSubstr(secret)));
  }
}

TEST(ManifestsTest, CountTheFindingsThatAreTooMany) {
  std::string text;
  for (std::size_t i = 0; i < kMostFindings + 5; ++i) {
    text += mapping("m" + std::to_string(i), "{prefix: /a, service: '', unknwon: 1}");
  }
  const Manifests manifests = read(text);
  ASSERT_THAT(manifests.problems, SizeIs(kMostFindings + 1));
  EXPECT_EQ(manifests.problems.back().str(), "manifests: and 5 more problems");
  EXPECT_THAT(manifests.warnings, SizeIs(testing::Le(kMostFindings + 1)));
  EXPECT_THAT(manifests.gateway.routes, IsEmpty());
}

TEST(ManifestsTest, ReadTenThousandMappings) {
  std::string text;
  for (int i = 0; i < 10'000; ++i) {
    const std::string number = std::to_string(i);
    text += mapping("m" + number, "{prefix: /a/" + number + "/, service: s" + number + "}");
  }
  const Manifests manifests = read(text);
  EXPECT_THAT(manifests.problems, IsEmpty());
  EXPECT_THAT(manifests.gateway.routes, SizeIs(10'000));
}

class ManifestFolderTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "manifests-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }

  void write(const std::string& name, const std::string& text) const {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::binary) << text;
  }

  fs::path folder_;
};

TEST_F(ManifestFolderTest, ReadsManifestsBelowItSortedByName) {
  write("b.yaml", "b");
  write("sub/a.yml", "sub");
  write("a.json", "a");
  write("README.md", "no");
  write(".hidden.yaml", "no");
  write("..2026_01/hidden.yaml", "no");
  const auto files = read_folder(folder_.string());
  ASSERT_TRUE(files) << files.error().message;
  std::vector<std::string> names;
  for (const ManifestFile& file : *files) names.push_back(file.name + "=" + file.text);
  EXPECT_THAT(names, ElementsAre("a.json=a", "b.yaml=b", "sub/a.yml=sub"));
}

TEST_F(ManifestFolderTest, FollowsTheLinksOfAMountedConfigMap) {
  write("..2026_01/routes.yaml", "mounted");
  fs::create_directory_symlink("..2026_01", folder_ / "..data");
  fs::create_symlink("..data/routes.yaml", folder_ / "routes.yaml");
  const auto files = read_folder(folder_.string());
  ASSERT_TRUE(files);
  ASSERT_THAT(*files, SizeIs(1));
  EXPECT_EQ((*files)[0].text, "mounted");
}

TEST_F(ManifestFolderTest, AnEmptyFolderHasNoFiles) {
  const auto files = read_folder(folder_.string());
  ASSERT_TRUE(files);
  EXPECT_THAT(*files, IsEmpty());
}

TEST_F(ManifestFolderTest, SaysWhatCannotBeRead) {
  const auto absent = read_folder((folder_ / "none").string());
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().code, ErrorCode::kNotFound);
  write("a.yaml", "a");
  const auto file = read_folder((folder_ / "a.yaml").string());
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code, ErrorCode::kInvalid);
}

TEST_F(ManifestFolderTest, RefusesAFileThatIsTooLarge) {
  write("a.yaml", std::string(kMaxManifestFileBytes, '#'));
  EXPECT_TRUE(read_folder(folder_.string()));
  write("a.yaml", std::string(kMaxManifestFileBytes + 1, '#'));
  const auto files = read_folder(folder_.string());
  ASSERT_FALSE(files);
  EXPECT_EQ(files.error().code, ErrorCode::kExhausted);
  EXPECT_THAT(files.error().message, EndsWith("larger than 16777216 bytes"));
}

TEST_F(ManifestFolderTest, RefusesAFolderThatIsTooLarge) {
  for (const char* name : {"a.yaml", "b.yaml", "c.yaml", "d.yaml"}) {
    write(name, std::string(kMaxManifestFileBytes, '#'));
  }
  EXPECT_TRUE(read_folder(folder_.string()));
  write("e.yaml", "#");
  const auto files = read_folder(folder_.string());
  ASSERT_FALSE(files);
  EXPECT_THAT(files.error().message, HasSubstr("larger than 67108864 bytes in all"));
}

}  // namespace
}  // namespace gatehouse::config::ambassador
