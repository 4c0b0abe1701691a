#include "app/commands.h"

#include <fmt/format.h>
#include <termios.h>
#include <unistd.h>

#include <iostream>
#include <memory>
#include <utility>

#include "app/exit_code.h"
#include "base/clock.h"
#include "base/json.h"
#include "config/config.h"
#include "crypto/random.h"
#include "identity/identity.h"
#include "store/sqlite/sqlite_database.h"
#include "store/store.h"

namespace gatehouse::app {
namespace {

constexpr std::size_t kUsersAPage = 500;

int report(const Error& error, int exit_code) {
  fmt::print(stderr, "gatehouse: {}\n", error.message);
  return exit_code;
}

Result<std::unique_ptr<store::Database>> open_database(const config::Settings& settings) {
  if (settings.store.kind != "sqlite") {
    return fail(ErrorCode::kInvalid, "store.kind: users of a memory store end with its process");
  }
  return store::open_sqlite_database(settings.store.path);
}

/// Switches a terminal's echo off while a password is typed.
class Unseen {
 public:
  Unseen() {
    if (tcgetattr(STDIN_FILENO, &before_) != 0) return;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    changed_ = tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) == 0;
  }
  ~Unseen() {
    if (changed_) tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }
  Unseen(const Unseen&) = delete;
  Unseen& operator=(const Unseen&) = delete;

 private:
  termios before_{};
  bool changed_ = false;
};

Secret read_line(std::string_view prompt) {
  if (isatty(STDIN_FILENO) != 0) fmt::print(stderr, "{}", prompt);
  std::string line;
  {
    const Unseen unseen;
    std::getline(std::cin, line);
  }
  if (isatty(STDIN_FILENO) != 0) fmt::print(stderr, "\n");
  return Secret(std::move(line));
}

Result<Secret> read_new_password() {
  Secret password = read_line("New password: ");
  if (isatty(STDIN_FILENO) != 0) {
    const Secret again = read_line("Again: ");
    if (!equal_in_constant_time(password.reveal(), again.reveal())) {
      return fail(ErrorCode::kInvalid, "the two passwords differ; nothing was changed");
    }
  }
  return password;
}

}  // namespace

std::optional<config::Settings> load_settings(const std::string& path) {
  const config::Environment environment = config::process_environment();
  const Result<config::Loaded> loaded = path.empty() ? config::load("", "defaults", environment)
                                                     : config::load_file(path, environment);
  if (!loaded) {
    report(loaded.error(), kConfiguration);
    return std::nullopt;
  }
  for (const config::Problem& problem : loaded->problems) fmt::print(stderr, "{}\n", problem.str());
  for (const config::Problem& warning : loaded->warnings) {
    fmt::print(stderr, "warning: {}\n", warning.str());
  }
  if (!loaded->problems.empty()) return std::nullopt;
  return loaded->settings;
}

int check_config(const std::string& path) {
  if (!load_settings(path)) return kConfiguration;
  fmt::print("{}: good\n", path);
  return kOk;
}

int show_config(const std::string& path) {
  const std::optional<config::Settings> settings = load_settings(path);
  if (!settings) return kConfiguration;
  fmt::print("{}", config::show(*settings));
  return kOk;
}

int print_config_schema() {
  fmt::print("{}\n", config::json_schema());
  return kOk;
}

int print_config_docs() {
  fmt::print("{}", config::markdown());
  return kOk;
}

int add_user(const config::Settings& settings, const std::string& email,
             const std::vector<std::string>& groups) {
  Result<std::unique_ptr<store::Database>> database = open_database(settings);
  if (!database) return report(database.error(), kStore);
  const Result<Secret> password = read_new_password();
  if (!password) return report(password.error(), kFailed);
  crypto::SystemEntropy entropy;
  const Result<store::User> user =
      identity::add_user(**database, email, *password, groups, entropy, SystemClock());
  if (!user) return report(user.error(), kFailed);
  fmt::print("added {}\n", user->email);
  return kOk;
}

int list_users(const config::Settings& settings, bool json) {
  Result<std::unique_ptr<store::Database>> database = open_database(settings);
  if (!database) return report(database.error(), kStore);
  std::string after;
  for (;;) {
    const Result<std::vector<store::User>> page =
        store::transact_now(**database, [&](store::Transaction& transaction) {
          return transaction.list_users(after, kUsersAPage);
        });
    if (!page) return report(page.error(), kStore);
    for (const store::User& user : *page) {
      if (json) {
        fmt::print("{}\n", dump_json({{"email", user.email},
                                      {"name", user.name},
                                      {"groups", user.groups},
                                      {"disabled", user.disabled}}));
      } else {
        fmt::print("{}{}\n", user.email, user.disabled ? " (disabled)" : "");
      }
    }
    if (page->size() < kUsersAPage) return kOk;
    after = page->back().email;
  }
}

int set_password(const config::Settings& settings, const std::string& email) {
  Result<std::unique_ptr<store::Database>> database = open_database(settings);
  if (!database) return report(database.error(), kStore);
  const Result<Secret> password = read_new_password();
  if (!password) return report(password.error(), kFailed);
  crypto::SystemEntropy entropy;
  const Result<void> set =
      identity::set_password(**database, email, *password, entropy, SystemClock());
  if (!set) return report(set.error(), kFailed);
  fmt::print("changed the password of {}\n", email);
  return kOk;
}

}  // namespace gatehouse::app
