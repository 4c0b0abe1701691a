// One line an exchange, for people (text) or programs (json).
//
// The path is shown without its query; of cookies, tokens and other headers nothing. What comes
// from a client is escaped, so that no request can forge a line. Durations are in microseconds,
// bytes are those of bodies.
#pragma once

#include <spdlog/logger.h>

#include <memory>

#include "net/http_server.h"

namespace gatehouse::gateway {

class AccessLog final : public net::ExchangeObserver {
 public:
  enum class Format { kText, kJson };
  AccessLog(std::shared_ptr<spdlog::logger> log, Format format)
      : log_(std::move(log)), format_(format) {}

  void ended(const net::Exchange& exchange) override;

 private:
  std::shared_ptr<spdlog::logger> log_;
  Format format_;
};

}  // namespace gatehouse::gateway
