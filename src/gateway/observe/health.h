// What probes ask, of operators' tools and of load balancers: /healthz/live (the loop turns) and
// /healthz/ready (it may be given requests), both under Ambassador's names too
// (/ambassador/v0/check_alive, check_ready). GET and HEAD only.
//
// A part of the operations listener, and what a route reaches as the service "health".
#pragma once

#include <functional>
#include <optional>
#include <string_view>
#include <utility>

#include "http/message.h"

namespace gatehouse::gateway {

class Health final : public http::Handler {
 public:
  /// `ready` is called on the loop.
  explicit Health(std::function<bool()> ready) : ready_(std::move(ready)) {}

  /// 404 for other paths.
  http::Response answer(std::string_view path) const;
  Task<http::Response> handle(http::Request& request) override;

 private:
  const std::function<bool()> ready_;
};

/// 405 for what is neither GET nor HEAD; nullopt for these.
std::optional<http::Response> refuse_other_methods(const http::Request& request);
/// A page that is not there, for programs.
http::Response no_such_page();

}  // namespace gatehouse::gateway
