// What a process serves, and with what: all that a reload puts in the place of the old at once.
//
// Made on the thread of the process, handed to the loops, and from then on read only; but the first
// loop fills in the ports that the system has chosen, before the others see it.
#pragma once

#include <memory>
#include <vector>

#include "app/plan.h"
#include "gateway/compiled_gateway.h"
#include "gateway/observe/log_file.h"
#include "gateway/tcp/tcp_routes.h"

namespace gatehouse::app {

struct Serving {
  std::vector<PlannedListener> listeners;
  /// Null without a gateway; at the start, until the first loop has made it.
  std::shared_ptr<const gateway::CompiledGateway> gateway;
  std::shared_ptr<const gateway::TcpRoutes> tcp;  // null without a gateway
  std::shared_ptr<gateway::LogFile> access_log;   // null: lines go with the log
};

}  // namespace gatehouse::app
