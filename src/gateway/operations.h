// What operators and their tools ask of the process, on a listener of its own: /metrics,
// /healthz/live (the loop turns), /healthz/ready (it may be given requests). GET and HEAD only.
#pragma once

#include <functional>

#include "gateway/metrics.h"
#include "http/message.h"

namespace gatehouse::gateway {

class Operations final : public http::Handler {
 public:
  Operations(const Metrics& metrics, std::function<bool()> ready)
      : metrics_(metrics), ready_(std::move(ready)) {}
  Task<http::Response> handle(http::Request& request) override;

 private:
  http::Response answer(const http::Request& request) const;

  const Metrics& metrics_;
  std::function<bool()> ready_;
};

}  // namespace gatehouse::gateway
