// Why a request takes its route: who won, why the more specific ones lost, and what then happens.
//
// Made by RouteTable::explain(). For people and for JSON; not for decisions.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "config/gateway_settings.h"

namespace gatehouse::gateway {

struct Explanation {
  /// How many routes that lost are named; the others are counted.
  static constexpr std::size_t kShown = 50;

  /// A route that would have come before the winner.
  struct Loser {
    std::size_t route = 0;  // index in the configuration; of several that match the same, the first
    std::string reason;     // "method GET is not POST"
  };
  /// A route of the group that won.
  struct Member {
    std::size_t route = 0;
    double share = 1;  // of the requests, 0 to 1
    bool shadow = false;
    std::string target;     // sent upstream; "": the rewrite gives no normal path, 400
    std::string authority;  // the Host that is sent
    std::optional<std::string> location;  // instead: the client is sent there
    int status = 0;                       // with it
  };

  bool ambiguous = false;       // the request is refused with 400
  std::string ambiguity;        // what the other reading is, and its route
  std::vector<Member> members;  // who won; empty: none, 404
  bool authenticate = true;
  std::vector<Loser> losers;  // those whose path matched first; else in their order
  std::size_t not_shown = 0;
};

/// Some lines, each ended. `routes`: those that the table was made of.
std::string to_text(const Explanation& explanation, const std::vector<config::Route>& routes);
/// {"outcome": "route" | "none" | "ambiguous", …}.
Json to_json(const Explanation& explanation, const std::vector<config::Route>& routes);

}  // namespace gatehouse::gateway
