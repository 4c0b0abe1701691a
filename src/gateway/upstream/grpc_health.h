// The question and the answer of gRPC's health checking protocol, as HTTP messages.
#pragma once

#include <string>

#include "base/result.h"
#include "base/task.h"
#include "http/message.h"

namespace gatehouse::gateway::upstream {

/// grpc.health.v1.Health/Check about `service` ("": the server as a whole).
http::Request grpc_health_question(const std::string& service);

/// Reads the answer to its end. An error says what is wrong with it, or that it is not SERVING.
Task<Result<void>> read_grpc_health(http::Response& response);

}  // namespace gatehouse::gateway::upstream
