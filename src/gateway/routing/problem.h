// What is wrong with a route or a host, told to the person who wrote it.
#pragma once

#include <cstddef>
#include <string>

namespace gatehouse::gateway {

/// Whoever reads the configuration file treats what is left out as fatal; of manifests it is a
/// warning, so that the rest keeps working.
struct Problem {
  enum class Of { kRoute, kHost, kTcpRoute };
  Of of = Of::kRoute;
  std::size_t index = 0;  // in the vector that was compiled
  std::string reason;
  /// False: it works, but hardly as it was meant.
  bool left_out = true;
  bool operator==(const Problem&) const = default;
};

}  // namespace gatehouse::gateway
