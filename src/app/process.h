// The composition root: makes each part of a role, or of all three, with its dependencies as
// explicit arguments, serves until a signal, drains and stops.
//
// States: open (database, keys, users loaded) → listening → ready → draining → stopped. Whatever
// fails before "ready" ends the process with a message and an exit code. SIGTERM and SIGINT drain;
// a second one stops at once. SIGHUP, and any change of the manifests, reloads (reload.h).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "app/exit_code.h"
#include "config/settings.h"

namespace spdlog {
class logger;
}

namespace gatehouse::app {

enum class Role { kAll, kGateway, kGatekeeper, kIdentity };

struct ServeOptions {
  config::Settings settings;
  Role role = Role::kAll;
  /// Manifests open no addresses: those of the settings stay.
  bool keep_listen = false;
  /// Reads the settings again, at SIGHUP. nullopt if they cannot be used, with the reason on
  /// stderr. Empty: they do not change.
  std::function<std::optional<config::Settings>()> reread;
  /// Called once, when the process serves, with the URL of the first listener.
  std::function<void(const std::string& url)> on_ready;
};

/// Blocks the signals that serve() takes. Called before any thread is started (the logger has one):
/// a thread that does not block them would die of them, and the process with it.
void block_signals();

/// Blocks until a signal. Returns an ExitCode.
int serve(ServeOptions options, std::shared_ptr<spdlog::logger> log);

}  // namespace gatehouse::app
