#include "config/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/json.h"
#include "config/yaml.h"

namespace gatehouse::config {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr std::string_view kMarker = "planted-7f3a9c";
constexpr std::string_view kKey = "cGxhbnRlZC03ZjNhOWMtcGxhbnRlZC03ZjNhOWMtITE=";  // 32 bytes

std::string messages(const Loaded& loaded) {
  std::string out;
  for (const Problem& problem : loaded.problems) out += problem.str() + "\n";
  return out;
}

class TemporaryFile {
 public:
  explicit TemporaryFile(std::string_view content) {
    std::string name = (std::filesystem::temp_directory_path() / "config_test_XXXXXX").string();
    const int fd = mkstemp(name.data());
    EXPECT_GE(fd, 0);
    close(fd);
    path_ = name;
    std::ofstream(path_, std::ios::binary) << content;
  }
  ~TemporaryFile() { std::filesystem::remove(path_); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

TEST(LoadTest, SecretComesByValueFileOrVariable) {
  const TemporaryFile file(std::string(kMarker) + "\n");
  const std::string by_file = "gatekeeper: {client_secret_file: " + file.path() + "}";
  const Environment environment = {{"SECRET", std::string(kMarker)}};
  for (const std::string& yaml :
       {"gatekeeper: {client_secret: " + std::string(kMarker) + "}", by_file,
        std::string("gatekeeper: {client_secret_env: SECRET}")}) {
    const Loaded loaded = load(yaml, "f", environment);
    EXPECT_EQ(messages(loaded), "");
    EXPECT_EQ(loaded.settings.gatekeeper.client_secret.reveal(), kMarker) << yaml;
  }
}

TEST(LoadTest, SecretFileOfAVariableWinsOverTheFile) {
  const TemporaryFile file(kMarker);
  const Loaded loaded = load("gatekeeper: {client_secret: other}", "f",
                             {{"GATEHOUSE_GATEKEEPER_CLIENT_SECRET_FILE", file.path()}});
  EXPECT_EQ(messages(loaded), "");
  EXPECT_EQ(loaded.settings.gatekeeper.client_secret.reveal(), kMarker);
}

TEST(LoadTest, SecretVariableAndItsFileTogetherAreRefused) {
  const TemporaryFile file(kMarker);
  const Loaded loaded = load("", "f",
                             {{"GATEHOUSE_GATEKEEPER_CLIENT_SECRET_FILE", file.path()},
                              {"GATEHOUSE_GATEKEEPER_CLIENT_SECRET", "x"}});
  EXPECT_THAT(messages(loaded), HasSubstr("given in two ways"));
}

TEST(LoadTest, SecretFileMustBeARegularSmallFileWithSomethingInIt) {
  const TemporaryFile empty("\n");
  const TemporaryFile large(std::string(70'000, 'x'));
  for (const std::string& path : {empty.path(), large.path(), std::string("/"),
                                  std::string("/dev/zero"), std::string("/no/such/file")}) {
    const Loaded loaded = load("gatekeeper: {client_secret_file: " + path + "}", "f", {});
    EXPECT_EQ(loaded.problems.size(), 1U) << path;
    EXPECT_TRUE(loaded.settings.gatekeeper.client_secret.empty()) << path;
  }
}

/// A marker in every place where a secret may stand, rightly or by mistake.
const std::vector<std::string>& files_with_markers() {
  static const std::vector<std::string> kFiles = [] {
    const std::string marker(kMarker);
    return std::vector<std::string>{
        "gatekeeper: {client_secret: " + marker + "}",
        "gatekeeper:\n  client_secret: " + marker + "\n  client_secret: " + marker + "\n",
        "gatekeeper: {client_secret: [" + marker + "]}",
        "gatekeeper: {client_secret: {a: " + marker + "}}",
        "gatekeeper: {client_secret: *" + marker + "}",
        "gatekeeper: {client_secret: !" + marker + " x}",
        "gatekeeper: {client_secret: \"" + marker + "\\q\"}",
        "gatekeeper: {client_secret: \"" + marker + "}",
        "gatekeeper: {client_secret: a: " + marker + "}",
        "gatekeeper: {client_secret: \"a\\n" + marker + "\"}",
        "gatekeeper: {client_secret_file: " + marker + "}",
        "gatekeeper: {client_secret_env: " + marker + "}",
        "gatekeeper: {client_secert: " + marker + "}",
        "store: {sealing_key: " + marker + "}",
        "store: {sealing_key: \"" + std::string(kKey) + "\"}",
        "identity: {clients: [{id: a, secret: " + marker + ", redirect_uris: ['https://a/cb']}]}",
        "identity: {clients: [{id: a, public: true, secret: " + marker + "}]}",
        "identity: {users: [{email: a@b, password_hash: " + marker + "}]}",
        "identity: {users: [{email: a@b, password_hash: $2b$10$" + marker + "}]}",
        "gateway: {routes: [{service: 'http://u:" + marker + "@h'}]}",
    };
  }();
  return kFiles;
}

TEST(SecretTest, NeverAppearsInProblemsOrShow) {
  for (const std::string& yaml : files_with_markers()) {
    const Loaded loaded = load(yaml, "f", {});
    const std::string outputs = messages(loaded) + show(loaded.settings);
    EXPECT_THAT(outputs, Not(HasSubstr(kMarker))) << yaml;
    EXPECT_THAT(outputs, Not(HasSubstr(kKey))) << yaml;
  }
}

TEST(SecretTest, NeverAppearsWhenItLooksLikeANumber) {
  for (const char* yaml :
       {"store: {sealing_key: 9876543210123}", "gatekeeper: {client_secret: 9876543210123}",
        "identity: {clients: [{id: a, secret: 9876543210123}]}",
        "identity: {users: [{email: a@b, password_hash: 9876543210123}]}"}) {
    const Loaded loaded = load(yaml, "f", {});
    EXPECT_THAT(loaded.problems, Not(IsEmpty())) << yaml;
    EXPECT_THAT(messages(loaded) + show(loaded.settings), Not(HasSubstr("9876543210123"))) << yaml;
  }
}

TEST(SecretTest, NeverAppearsWhenAVariableHoldsIt) {
  for (const char* variable :
       {"GATEHOUSE_STORE_SEALING_KEY", "GATEHOUSE_STORE_SEALING_KEY_FILE",
        "GATEHOUSE_GATEKEEPER_CLIENT_SECRET", "GATEHOUSE_GATEKEEPER_CLIENT_SECRET_FILE",
        "GATEHOUSE_GATEKEEPER_CLIENT_SECRT", "GATEHOUSE_IDENTITY_CLIENTS",
        "GATEHOUSE_IDENTITY_USERS"}) {
    const Loaded loaded = load("", "f", {{variable, "[{secret: " + std::string(kMarker) + "}]"}});
    EXPECT_THAT(messages(loaded) + show(loaded.settings), Not(HasSubstr(kMarker))) << variable;
  }
}

TEST(SecretTest, IsShownAsPresent) {
  for (const char* yaml : {"store: {sealing_key: \"cGxhbnRlZC03ZjNhOWMtcGxhbnRlZC03ZjNhOWMtITE=\"}",
                           "gatekeeper: {client_secret: x}"}) {
    const Loaded loaded = load(yaml, "f", {});
    EXPECT_THAT(loaded.problems, IsEmpty());
    EXPECT_THAT(show(loaded.settings), HasSubstr("\"<secret>\""));
  }
}

TEST(ShowTest, LoadsBackToTheSame) {
  const Loaded first = load(
      "gatekeeper: {userid_prefix: \"a: 'b' #\\\"\\\\ä\", skip_auth: []}\n"
      "gateway:\n"
      "  listen: [{address: '[::1]:0'}, {address: 'h:1', tls: {certificate: 'yes', key: ' k '}}]\n"
      "  routes: [{service: demo, name: 'null', timeout: 90500ms}]\n"
      "  limits: {head_bytes: 1025}\n"
      "operations: {listen: ''}\n"
      "identity: {clients: [{id: '007', public: true, redirect_uris: ['https://a/cb?x=1']}]}\n",
      "f", {});
  ASSERT_EQ(messages(first), "");
  const std::string shown = show(first.settings);
  const Loaded second = load(shown, "shown", {});
  EXPECT_EQ(messages(second), "");
  EXPECT_EQ(show(second.settings), shown);
  EXPECT_EQ(second.settings.gatekeeper.userid_prefix, "a: 'b' #\"\\ä");
  EXPECT_EQ(second.settings.gateway.routes[0].name, "null");
  EXPECT_EQ(second.settings.gateway.listen[1].tls.key, " k ");
}

TEST(ShowTest, MarkOfASecretLoadsBackButIsNeverTheSecret) {
  const Loaded original = load("gatekeeper: {client_secret: x}", "f", {});
  const Loaded shown = load(show(original.settings), "f", {});
  EXPECT_EQ(messages(shown), "");
  EXPECT_TRUE(shown.settings.gatekeeper.client_secret.empty());

  const Loaded completed =
      load(show(original.settings), "f", {{"GATEHOUSE_GATEKEEPER_CLIENT_SECRET", "x"}});
  EXPECT_EQ(completed.settings.gatekeeper.client_secret.reveal(), "x");
  EXPECT_EQ(show(completed.settings), show(original.settings));
}

TEST(ShowTest, MarkOfASecretIsRefusedWhereTheSecretIsNeeded) {
  EXPECT_EQ(
      load("identity: {users: [{email: a@b, password_hash: <secret>}]}", "f", {}).problems.size(),
      1U);
  EXPECT_EQ(load("identity: {clients: [{id: a, secret: <secret>, redirect_uris: [/cb]}]}", "f", {})
                .problems.size(),
            1U);
  EXPECT_EQ(load("", "f", {{"GATEHOUSE_GATEKEEPER_CLIENT_SECRET", "<secret>"}}).problems.size(),
            1U);
}

TEST(RouteTest, OnlyWhatIsGivenEndsACallOfGrpc) {
  const auto idle_timeouts = [](const std::string& yaml, const Environment& environment = {}) {
    const Loaded loaded = load(yaml, "f", environment);
    EXPECT_EQ(messages(loaded), "");
    std::vector<milliseconds> out;
    for (const Route& route : loaded.settings.gateway.routes) out.push_back(route.idle_timeout);
    return out;
  };
  const std::string routes =
      "[{service: demo, prefix: /a}, {service: demo, prefix: /b, grpc: true}, "
      "{service: demo, prefix: /c, grpc: true, idle_timeout: 5m}]";
  const std::vector<milliseconds> wanted = {kIdleTimeout, kGrpcIdleTimeout, milliseconds(300'000)};
  const std::string file = "gateway: {routes: " + routes + "}";
  EXPECT_EQ(idle_timeouts(file), wanted);
  EXPECT_EQ(idle_timeouts(show(load(file, "f", {}).settings)), wanted);
  EXPECT_EQ(idle_timeouts("gateway: {routes: [{service: demo}, {service: demo, prefix: /x, "
                          "idle_timeout: 1s}]}",
                          {{"GATEHOUSE_GATEWAY_ROUTES", routes}}),
            wanted);
}

TEST(EnvironmentTest, AmbassadorsOwnVariableNamesItsId) {
  const auto id = [](const char* file, const Environment& environment) {
    const Loaded loaded = load(file, "f", environment);
    EXPECT_EQ(messages(loaded), "");
    return loaded.settings.gateway.ambassador_id;
  };
  constexpr const char* kFile = "gateway: {ambassador_id: file}";
  EXPECT_EQ(id("", {}), "default");
  EXPECT_EQ(id("", {{"AMBASSADOR_ID", ""}}), "default");
  EXPECT_EQ(id(kFile, {{"AMBASSADOR_ID", ""}}), "file");
  EXPECT_EQ(id(kFile, {{"AMBASSADOR_ID", "theirs"}}), "theirs");
  EXPECT_EQ(id(kFile, {{"AMBASSADOR_ID", "theirs"}, {"GATEHOUSE_GATEWAY_AMBASSADOR_ID", "ours"}}),
            "ours");
}

TEST(EnvironmentTest, AmbassadorsOwnVariableNamesItsNamespace) {
  const auto name_space = [](const Environment& environment) {
    const Loaded loaded = load("", "f", environment);
    EXPECT_EQ(messages(loaded), "");
    return loaded.settings.gateway.ambassador_namespace;
  };
  EXPECT_EQ(name_space({}), "default");
  EXPECT_EQ(name_space({{"AMBASSADOR_NAMESPACE", "kubeflow"}}), "kubeflow");
  EXPECT_EQ(load("", "f", {{"AMBASSADOR_NAMESPACE", "a.b"}}).problems.size(), 1U);
}

TEST(EnvironmentTest, VariablesOfOtherProgramsAreNotOurs) {
  const Environment other = {{"GATEHOUSE_BINARY", "x"},
                             {"GATEHOUSE_PORT", "tcp://10.0.0.1:80"},
                             {"GATEHOUSE_SERVICE_HOST", "10.0.0.1"},
                             {"GATEHOUSE_PORT_80_TCP", "tcp://10.0.0.1:80"},
                             {"GATEHOUSE_STORE_SERVICE_PORT_HTTP", "80"},
                             {"GATEHOUSE_STORE_PORT_5432_TCP_ADDR", "10.0.0.1"},
                             {"GATEHOUS_LOG_LEVEL", "x"}};
  EXPECT_EQ(messages(load("", "f", other)), "");
  for (const char* ours : {"GATEHOUSE_THREAD", "GATEHOUSE_LOG_COLOUR", "GATEHOUSE_GATEKEEPER_",
                           "GATEHOUSE_PUBLIC_URI", "GATEHOUSE_STORE_SEALING_KEY_FILES"}) {
    EXPECT_EQ(load("", "f", {{ours, "1"}}).problems.size(), 1U) << ours;
  }
}

TEST(LoadTest, FileLargerThanTheLimitIsRefused) {
  const std::string yaml(kMaxFileBytes + 1, '#');
  EXPECT_THAT(messages(load(yaml, "f", {})), HasSubstr("larger than"));
  EXPECT_THAT(load(yaml.substr(1), "f", {}).problems, IsEmpty());
}

TEST(LoadTest, TenThousandRoutesAreNotTooMany) {
  std::string yaml = "gateway:\n  routes:\n";
  for (int i = 0; i < 10'000; ++i) {
    const std::string number = std::to_string(i);
    yaml += "    - {name: route " + number + ", host: h" + number + ".example.org, prefix: /p" +
            number + ", service: 'http://service.namespace:80', headers: {x-team: a}}\n";
  }
  const Loaded loaded = load(yaml, "f", {});
  EXPECT_EQ(messages(loaded), "");
  ASSERT_EQ(loaded.settings.gateway.routes.size(), 10'000U);
  EXPECT_EQ(loaded.settings.gateway.routes[9'999].origin, "gateway.routes[9999] in f:10002");
}

TEST(LoadTest, BytesThatAreNotTextAreRefusedWithTheirPlace) {
  EXPECT_THAT(messages(load("log:\n  level: \xFF\n", "f", {})), HasSubstr("f:2:10: a byte"));
  EXPECT_THAT(messages(load(std::string("a\0b", 3), "f", {})), HasSubstr("f:1:2: a byte"));
  EXPECT_THAT(messages(load("\xFF\xFEl\0o\0g\0", "f", {})), HasSubstr("f:1:1: a byte"));
}

TEST(LoadTest, ManyProblemsAreCountedNotListed) {
  std::string yaml = "gateway:\n  managed_headers:\n";
  for (int i = 0; i < 500; ++i) yaml += "    - 'a b'\n";
  const Loaded loaded = load(yaml, "f", {});
  EXPECT_EQ(loaded.problems.size(), 101U);
  EXPECT_EQ(loaded.problems.back().str(), "f: and 400 more problems");
}

TEST(LoadTest, AliasesThatUnfoldIntoMillionsOfListEntriesAreRefused) {
  std::string yaml = "identity:\n  clients:\n    - &c {id: a, redirect_uris: [";
  for (int i = 0; i < 1000; ++i) yaml += "'https://a/cb',";
  yaml += "]}\n";
  for (int i = 0; i < 20'000; ++i) yaml += "    - *c\n";
  EXPECT_THAT(messages(load(yaml, "f", {})), HasSubstr("more than 150000 values"));
}

TEST(LoadFileTest, NamesTheFileInProblemsAndErrors) {
  const TemporaryFile file("colour: red\n");
  const Result<Loaded> loaded = load_file(file.path(), {});
  ASSERT_TRUE(loaded.has_value());
  EXPECT_THAT(messages(*loaded), HasSubstr(file.path() + ":1:1: colour: no such field"));

  const Result<Loaded> missing = load_file("/no/such/file.yaml", {});
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(missing.error().message,
            "/no/such/file.yaml: cannot be read: No such file or directory");
  const Result<Loaded> folder = load_file("/", {});
  ASSERT_FALSE(folder.has_value());
  EXPECT_EQ(folder.error().code, ErrorCode::kInvalid);
}

TEST(SchemaTest, IsStrictJsonWithEveryFieldAndNoUnknownOnes) {
  const Result<Json> schema = parse_json(json_schema(), {.bytes = 1 << 20, .depth = 32});
  ASSERT_TRUE(schema.has_value()) << schema.error().message;
  EXPECT_EQ((*schema)["$schema"], "https://json-schema.org/draft/2020-12/schema");
  EXPECT_EQ((*schema)["additionalProperties"], false);
  const Json& gatekeeper = (*schema)["properties"]["gatekeeper"];
  EXPECT_EQ(gatekeeper["additionalProperties"], false);
  EXPECT_EQ(gatekeeper["properties"]["redirect_status"]["enum"], Json({301, 302, 303}));
  EXPECT_TRUE(gatekeeper["properties"].contains("client_secret_file"));
  const Json& route = (*schema)["properties"]["gateway"]["properties"]["routes"]["items"];
  EXPECT_EQ(route["properties"]["retry"]["properties"]["status_codes"]["items"]["type"], "integer");
  EXPECT_EQ(route["properties"]["headers"]["anyOf"][1]["type"], "object");
  const Json& listen = (*schema)["properties"]["gateway"]["properties"]["listen"]["items"];
  EXPECT_EQ(listen["properties"]["tls"]["properties"]["min_version"]["enum"],
            Json({"1.2", "1.3", 1.2, 1.3}));
  EXPECT_EQ(listen["allOf"][0]["required"], Json({"address"}));
}

TEST(ProcessEnvironmentTest, HoldsThisProcesss) {
  ASSERT_EQ(setenv("CONFIG_TEST_VARIABLE", "a=b", 1), 0);
  EXPECT_EQ(process_environment().at("CONFIG_TEST_VARIABLE"), "a=b");
}

}  // namespace
}  // namespace gatehouse::config
