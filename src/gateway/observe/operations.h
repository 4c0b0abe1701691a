// What operators and their tools ask of the process, on a listener of its own: /metrics, what
// health.h answers, and /ambassador/v0/diag/, as a page or with ?json=true as JSON. GET and HEAD
// only.
//
// It asks nobody who they are: the listener belongs on an address that only operators reach.
#pragma once

#include <functional>

#include "gateway/observe/diagnostics.h"
#include "gateway/observe/health.h"
#include "gateway/observe/metrics.h"
#include "http/message.h"

namespace gatehouse::gateway {

class Operations final : public http::Handler {
 public:
  struct Parts {
    const Metrics& metrics;
    std::function<bool()> ready;  // called on the loop
    /// Called on the loop for each page; null: there is no such page.
    std::function<DiagnosticSnapshot()> diagnose;
  };
  explicit Operations(Parts parts) : parts_(std::move(parts)), health_(parts_.ready) {}
  Task<http::Response> handle(http::Request& request) override;

 private:
  http::Response answer(const http::Request& request) const;
  http::Response diagnostics(const http::Request& request) const;

  const Parts parts_;
  const Health health_;
};

}  // namespace gatehouse::gateway
