// Routes that match the same: they share the requests by weight, and shadows get copies.
//
// Immutable. Weights as Ambassador has them: those given are percent, and the rest is shared
// equally by the routes without one.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "config/gateway_settings.h"

namespace gatehouse::gateway {

class RouteGroup {
 public:
  struct Member {
    std::size_t route = 0;  // index in the vector that the table was made of
    double share = 0;       // of the requests, 0 to 1
    double below = 0;  // it gets those numbers that are below this, and not below the one before
  };
  struct Shadow {
    std::size_t route = 0;
    double share = 1;  // of the requests that are copied
  };

  RouteGroup() = default;
  /// Of the routes with these indices, of which one at least must be no shadow. Each problem of the
  /// weights, which are mended, is appended to `warnings`.
  RouteGroup(const std::vector<config::Route>& routes, const std::vector<std::size_t>& indices,
             std::vector<std::string>& warnings);

  /// The route that gets a request, by a number in [0, 1): the caller makes it the same for the
  /// same user if it is to be sticky. A member with share 0 gets none.
  std::size_t pick(double number) const;
  /// In the order of the configuration; not empty.
  const std::vector<Member>& members() const { return members_; }
  const std::vector<Shadow>& shadows() const { return shadows_; }
  /// True if any member asks who the user is: then all must be asked for.
  bool authenticate() const { return authenticate_; }

 private:
  void set_shares(const std::vector<config::Route>& routes, std::vector<std::string>& warnings);

  std::vector<Member> members_;
  std::vector<Shadow> shadows_;
  bool authenticate_ = true;
};

}  // namespace gatehouse::gateway
