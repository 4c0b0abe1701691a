// What all connections of one server share, and the memory that one exchange needs.
#pragma once

#include <string>

#include "net/date_field.h"
#include "net/http_server.h"
#include "net/loop.h"
#include "net/pieces.h"
#include "net/read_buffer.h"
#include "net/spare.h"

namespace gatehouse::net {

/// Held by a connection from a request's first byte to its answer's last, so that a connection that
/// idles holds none.
struct Workspace {
  http1::RequestHead head;
  ReadBuffer buffer;
  std::string out;                // the answer's head, and small pieces of its body
  Pieces unsent;                  // of an answer that did not go at once
  std::uint64_t unsent_body = 0;  // how long the body of that answer is
};

struct ServerContext {
  enum class Phase {
    kServing,
    kDismissing,  // each answer ends its connection
    kDraining,    // and nothing new is accepted
  };
  static constexpr std::size_t kSpareWorkspaces = 128;

  Loop& loop;
  ServerOptions options;
  http::Handler& handler;
  ExchangeObserver* observer;
  DateField date{loop};
  Spare<Workspace> workspaces{kSpareWorkspaces};
  Phase phase = Phase::kServing;

  bool draining() const { return phase == Phase::kDraining; }
};

}  // namespace gatehouse::net
