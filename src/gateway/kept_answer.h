// Keeps what an answer still needs until its body or tunnel has ended: the request that was sent
// on, whose body may still be read, and the configuration it was sent under.
#pragma once

#include <memory>

#include "http/message.h"

namespace gatehouse::gateway {

struct InForce;

struct AnswerNeeds {
  std::shared_ptr<const InForce> in_force;
  std::unique_ptr<http::Request> request;
};

/// Lets go of `needs` at once if the answer is whole. True if it keeps them.
bool keep_until_end(http::Response& response, AnswerNeeds& needs);

}  // namespace gatehouse::gateway
