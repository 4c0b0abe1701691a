#include "app/demo.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "app/process.h"
#include "base/clock.h"
#include "crypto/random.h"
#include "identity/identity.h"
#include "net/stream.h"
#include "store/sqlite/sqlite_database.h"
#include "store/store.h"

namespace gatehouse::app {
namespace {

constexpr std::string_view kUser = "user@example.com";
constexpr std::string_view kOldPassword =
    "as printed at the first start (a new one: gatehouse user passwd)";
constexpr std::size_t kPasswordBytes = 12;

std::string browser_origin(const DemoOptions& options, const net::Endpoint& endpoint) {
  const bool loopback = endpoint.host == "127.0.0.1" || endpoint.host == "::1";
  return fmt::format("{}://{}:{}", options.certificate.empty() ? "http" : "https",
                     loopback ? "localhost" : endpoint.host, endpoint.port);
}

Result<void> make_folder(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return fail(ErrorCode::kUnavailable,
              fmt::format("{}: the folder cannot be made: {}; name another with --data", path,
                          std::strerror(errno)));
}

/// The new user's password, or nothing if there is a user already.
Result<std::optional<Secret>> make_first_user(const config::Settings& settings) {
  Result<std::unique_ptr<store::Database>> database =
      store::open_sqlite_database(settings.store.path);
  if (!database) return fail(std::move(database));
  const auto users = store::transact_now(
      **database, [](store::Transaction& transaction) { return transaction.list_users("", 1); });
  if (!users) return std::unexpected(users.error());
  if (!users->empty()) return std::nullopt;
  crypto::SystemEntropy entropy;
  Secret password(entropy.token(kPasswordBytes));
  const Result<store::User> user = identity::add_user(**database, std::string(kUser), password,
                                                      {"kubeflow-users"}, entropy, SystemClock());
  if (!user) return std::unexpected(user.error());
  return password;
}

}  // namespace

config::Settings demo_settings(const DemoOptions& options) {
  config::Settings settings;
  settings.store.path = options.data + "/gatehouse.db";
  settings.operations.listen = "";
  settings.gateway.access_log.form = "text";
  settings.gateway.listen = {
      {.address = options.listen, .tls = {.certificate = options.certificate, .key = options.key}}};
  if (const auto endpoint = net::parse_endpoint(options.listen)) {
    settings.identity.issuer = browser_origin(options, *endpoint) + "/dex";
  }
  config::Route samples;
  samples.name = "samples";
  samples.prefix = "/";
  samples.upstream.service = "demo";
  samples.idle_timeout = config::milliseconds(0);
  settings.gateway.routes.push_back(std::move(samples));
  return settings;
}

int run_demo(const DemoOptions& options, std::shared_ptr<spdlog::logger> log) {
  const Result<void> folder = make_folder(options.data);
  if (!folder) {
    fmt::print(stderr, "gatehouse: {}\n", folder.error().message);
    return kStore;
  }
  ServeOptions serving;
  serving.settings = demo_settings(options);
  const Result<std::optional<Secret>> password = make_first_user(serving.settings);
  if (!password) {
    fmt::print(stderr, "gatehouse: {}\n", password.error().message);
    return kStore;
  }
  serving.on_ready = [&](const std::string& url) {
    fmt::print("url: {}\nuser: {}\npassword: {}\n", url, kUser,
               *password ? (*password)->reveal() : kOldPassword);
    std::fflush(stdout);
  };
  return serve(std::move(serving), std::move(log));
}

}  // namespace gatehouse::app
