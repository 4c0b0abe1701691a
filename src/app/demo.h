// `gatehouse demo`: the whole front door on one machine, over SQLite in a folder, with sample
// services behind it.
#pragma once

#include <memory>
#include <string>

#include "config/settings.h"

namespace spdlog {
class logger;
}

namespace gatehouse::app {

struct DemoOptions {
  std::string listen = "127.0.0.1:8080";
  std::string data = "gatehouse-demo";
  std::string certificate, key;  // both or none: https
};

/// The settings that `demo` serves with; `config show --demo` prints them.
config::Settings demo_settings(const DemoOptions& options);

/// Serves until a signal. At the first start makes one user with a random password. Prints exactly
/// three lines to stdout when ready: `url: …`, `user: …`, `password: …`; the password only at the
/// first start, since it is kept nowhere. Returns an ExitCode.
int run_demo(const DemoOptions& options, std::shared_ptr<spdlog::logger> log);

}  // namespace gatehouse::app
