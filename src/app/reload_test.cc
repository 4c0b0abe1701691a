#include "app/reload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "app/gateway_compilation.h"
#include "app/listener_tls.h"
#include "crypto/random.h"
#include "net/test_certificates.h"
#include "net/test_loop.h"

namespace gatehouse::app {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ReloadTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "reload-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    settings_.gateway.authorizer.kind = "none";
    settings_.gateway.access_log.form = "off";
    settings_.gateway.listen = {{.address = "127.0.0.1:0"}};
    settings_.operations.listen = "";
    ServeOptions options;
    options.role = Role::kGateway;
    options.settings = settings_;
    plan_ = make_plan(std::move(options)).value();
    in_force_->listeners = plan_.listeners;
    in_force_->gateway = compile_sources(plan_.settings.gateway, rate_limits_)->gateway;
    in_force_->tcp = gateway::TcpRoutes::make({})->routes;
  }
  void TearDown() override { fs::remove_all(folder_); }

  Result<Reload> prepare() {
    return prepare_reload(settings_, {.plan = plan_,
                                      .serving = *in_force_,
                                      .good = good_.get(),
                                      .sources = sources_,
                                      .rate_limits = rate_limits_});
  }
  /// As the process does once all loops have taken it.
  void put_in_force(Reload reload) {
    in_force_ = std::move(reload.serving);
    good_ = std::move(reload.good);
  }
  void write_object(const std::string& kind, const std::string& spec) {
    settings_.gateway.manifests = folder_.string();
    std::ofstream(folder_ / (kind + ".yaml"))
        << "apiVersion: getambassador.io/v3alpha1\nkind: " << kind
        << "\nmetadata: {name: a}\nspec: " << spec << "\n";
  }
  void write_mapping(const std::string& spec) { write_object("Mapping", spec); }
  /// Without those of probes.
  static std::vector<std::string> prefixes(const Reload& reload) {
    std::vector<std::string> out;
    const gateway::CompiledGateway& made = *reload.serving->gateway;
    for (const std::size_t index : made.table().in_order()) {
      const config::Route& route = made.route(index);
      if (route.upstream.service != "health") out.push_back(route.prefix);
    }
    return out;
  }
  /// Nobody's at the moment.
  std::string free_port() {
    const std::string address = taken_address();
    taken_.reset();
    return address.substr(address.rfind(':') + 1);
  }
  /// Somebody else's address.
  std::string taken_address() {
    taken_ = net::Listener::open(loop_.get(), {.endpoint = {.host = "127.0.0.1"}},
                                 [](std::unique_ptr<net::Stream>, const http::Peer&) {})
                 .value();
    return taken_->endpoint().str();
  }

  fs::path folder_;
  config::Settings settings_;
  Plan plan_;
  crypto::SystemEntropy entropy_;
  gateway::RateLimitTables rate_limits_{entropy_};
  net::TestCertificates certificates_;
  const SourceOptions sources_{.self_signed = make_self_signed_tls().value()};
  std::shared_ptr<Serving> in_force_ = std::make_shared<Serving>();
  std::shared_ptr<config::ambassador::LastGood> good_;
  net::TestLoop loop_;
  std::unique_ptr<net::Listener> taken_;
};

TEST_F(ReloadTest, MakesTheNewStateBesideTheOld) {
  settings_.gateway.routes = {{.prefix = "/new", .upstream = {.service = "http://app:80"}}};
  settings_.gateway.tcp = {{.listen = "127.0.0.1:0", .upstream = {.service = "http://app:80"}}};
  const Result<Reload> reload = prepare();
  ASSERT_TRUE(reload) << reload.error().message;
  EXPECT_THAT(prefixes(*reload), ElementsAre("/new"));
  EXPECT_EQ(reload->serving->tcp->listens().size(), 1U);
  EXPECT_THAT(in_force_->gateway->settings().routes, IsEmpty());
}

TEST_F(ReloadTest, FailsForAnAddressThatSomebodyElseHas) {
  const std::string taken = taken_address();
  settings_.gateway.listen.push_back({.address = taken});
  const Result<Reload> reload = prepare();
  ASSERT_FALSE(reload);
  EXPECT_EQ(reload.error().code, ErrorCode::kConflict);
  EXPECT_THAT(reload.error().message, HasSubstr(taken));
  settings_.gateway.listen.pop_back();
  settings_.gateway.tcp = {{.listen = taken, .upstream = {.service = "http://app:80"}}};
  EXPECT_FALSE(prepare());
}

TEST_F(ReloadTest, FailsForACertificateThatCannotBeRead) {
  settings_.gateway.listen[0].tls = {.certificate = "none.pem", .key = "none.pem"};
  const Result<Reload> reload = prepare();
  ASSERT_FALSE(reload);
  EXPECT_THAT(reload.error().message, HasSubstr("none.pem"));
}

TEST_F(ReloadTest, AListenerWithoutACertificateShowsTheSameSelfSignedOneEachTime) {
  write_object("Listener", "{port: " + free_port() + ", protocol: HTTPS, securityModel: XFP}");
  for (int i = 0; i < 2; ++i) {
    Result<Reload> reload = prepare();
    ASSERT_TRUE(reload) << reload.error().message;
    EXPECT_THAT(reload->problems, IsEmpty());
    EXPECT_THAT(reload->warnings,
                ElementsAre(AllOf(HasSubstr("Listener default/a"), HasSubstr("tlsSecret"))));
    const PlannedListener& listener = reload->serving->listeners.back();
    EXPECT_EQ(listener.settings.tls, sources_.self_signed);
    EXPECT_NE(listener.tls, nullptr);
    put_in_force(std::move(*reload));
  }
}

TEST_F(ReloadTest, KeepsTheAccessLogThatIsOpenUnlessItsPathChanges) {
  settings_.gateway.access_log = {.form = "text", .path = (folder_ / "a.log").string()};
  put_in_force(prepare().value());
  ASSERT_NE(in_force_->access_log, nullptr);
  EXPECT_EQ(prepare()->serving->access_log, in_force_->access_log);
  settings_.gateway.access_log.path = (folder_ / "b.log").string();
  EXPECT_EQ(prepare()->serving->access_log->path(), settings_.gateway.access_log.path);
  settings_.gateway.access_log.path = (folder_ / "none" / "c.log").string();
  EXPECT_FALSE(prepare());
  settings_.gateway.access_log.form = "off";
  EXPECT_EQ(prepare()->serving->access_log, nullptr);
}

TEST_F(ReloadTest, AMappingThatCannotBeCompiledKeepsWhatItSaidBefore) {
  write_mapping("{hostname: '*', prefix: /a/, service: app}");
  put_in_force(prepare().value());
  write_mapping("{hostname: '*', prefix: '/a(', prefix_regex: true, service: app}");
  Result<Reload> reload = prepare();
  ASSERT_TRUE(reload) << reload.error().message;
  EXPECT_THAT(prefixes(*reload), ElementsAre("/a/"));
  EXPECT_THAT(reload->problems, ElementsAre(HasSubstr("its last good version stays in force")));
  put_in_force(std::move(*reload));
  EXPECT_THAT(prefixes(prepare().value()), ElementsAre("/a/")) << "and so it does later on";
}

TEST_F(ReloadTest, ATcpMappingThatConflictsIsItsObjectsFaultAlone) {
  const std::string one = free_port(), other = free_port();
  write_object("TCPMapping", "{port: " + one + ", host: a.org, service: app}");
  write_object("TLSContext",
               "{hosts: [a.org], cert_chain_file: /none.pem, private_key_file: /none}");
  const auto ports = [](const Reload& reload) {
    std::vector<std::string> out;
    for (const auto& listen : reload.serving->tcp->listens()) out.push_back(listen.endpoint.str());
    return out;
  };
  // A certificate that cannot be read is the TLSContext's, and its TCPMapping goes with it.
  EXPECT_THAT(ports(prepare().value()), IsEmpty());
  fs::remove(folder_ / "TLSContext.yaml");
  put_in_force(prepare().value());
  write_object("TCPMapping", "{port: " + other + ", host: a.org, service: app}");
  const net::TestCertificates::Issued issued = certificates_.issue("a", {.names = "DNS:a.org"});
  settings_.gateway.tcp = {
      {.name = "mine",
       .listen = ":" + other,
       .host = "a.org",
       .upstream = {.service = "http://app:80"},
       .tls = {.certificate = issued.certificate_file, .key = issued.key_file}}};
  Result<Reload> reload = prepare();
  ASSERT_TRUE(reload) << reload.error().message;
  EXPECT_THAT(ports(*reload), ElementsAre(HasSubstr(":" + other), HasSubstr(":" + one)));
  EXPECT_THAT(reload->problems,
              ElementsAre(AllOf(HasSubstr("TCPMapping default/a in TCPMapping.yaml:1"),
                                HasSubstr("\"mine\" has the same address and host"),
                                HasSubstr("its last good version stays in force"))));
  put_in_force(std::move(*reload));
  settings_.gateway.tcp[0].listen = ":" + one;
  reload = prepare();
  ASSERT_TRUE(reload) << reload.error().message;
  EXPECT_THAT(ports(*reload), ElementsAre(HasSubstr(":" + one), HasSubstr(":" + other)));
  settings_.gateway.tcp.push_back(settings_.gateway.tcp[0]);
  settings_.gateway.tcp.back().tls = {};
  const Result<Reload> refused = prepare();
  ASSERT_FALSE(refused) << "the file has to be right as a whole";
  EXPECT_THAT(refused.error().message, HasSubstr("other TLS settings"));
}

TEST_F(ReloadTest, AMappingThatNeverCouldBeCompiledIsLeftOut) {
  write_mapping("{hostname: '*', prefix: '/a(', prefix_regex: true, service: app}");
  put_in_force(prepare().value());
  const Result<Reload> reload = prepare();
  EXPECT_THAT(prefixes(*reload), IsEmpty());
  EXPECT_THAT(reload->problems, testing::SizeIs(1));
}

}  // namespace
}  // namespace gatehouse::app
