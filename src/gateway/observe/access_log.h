// One line an exchange: for people (text), for programs (json), or in a form of one's own, by
// Envoy's command operators. One line a TCP connection too, but not in a form of one's own, which
// asks for what only requests have.
//
// The path is shown without its query; of cookies, tokens and other headers nothing but what the
// own form names, and of those no secrets (filters/format.h). What comes from a client is escaped,
// so that no request can forge a line. Durations are in microseconds, bytes are those of bodies.
#pragma once

#include <spdlog/logger.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "config/gateway_settings.h"
#include "gateway/filters/format.h"
#include "gateway/forwarded.h"
#include "gateway/tcp/tcp_proxy.h"
#include "net/http_server.h"

namespace gatehouse::gateway {

class AccessLog final : public net::ExchangeObserver {
 public:
  struct Parts {
    std::shared_ptr<spdlog::logger> log;
    /// Whose lines have no time of their own: JSON and text then begin with it.
    bool log_is_bare = false;
    const Clock& clock;
    Forwarded forwarded;  // for the client's address
  };
  /// kInvalid quotes what the format holds that is no operator. settings.form is not "off".
  static Result<std::unique_ptr<AccessLog>> make(const config::AccessLog& settings, Parts parts);

  void ended(const net::Exchange& exchange) override;
  void ended(const TcpOutcome& outcome);

 private:
  enum class Form { kText, kJson, kOwn };
  AccessLog(Form form, Format format, Parts parts)
      : form_(form), format_(std::move(format)), parts_(std::move(parts)) {}

  void append_own(const net::Exchange& exchange, std::string_view client, std::string& line) const;
  WallTime wall_time(MonotonicTime time) const;
  /// What a line begins with, if it tells its time.
  std::optional<WallTime> told_time(MonotonicTime started) const;
  void write(std::string_view line) const;

  const Form form_;
  const Format format_;
  const Parts parts_;
};

}  // namespace gatehouse::gateway
