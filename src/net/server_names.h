// Which of several things is for a host name: exact names, patterns for all names below one, and
// one for all others. For SNI: TLS listeners and TCP routes.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace gatehouse::net {

class ServerNames {
 public:
  /// "example.org", "*.example.org", "" or "*"; letters of any case. kInvalid if it is none of
  /// these; kConflict if it stands for another index already.
  Result<void> add(std::string_view name, std::size_t index);
  /// The index of the exact name, else of the longest pattern, else of "*". `name` is lower case.
  std::optional<std::size_t> find(std::string_view name) const;

 private:
  std::map<std::string, std::size_t, std::less<>> exact_;
  std::map<std::string, std::size_t, std::less<>> below_;  // by what follows "*."
  std::optional<std::size_t> any_;
};

}  // namespace gatehouse::net
