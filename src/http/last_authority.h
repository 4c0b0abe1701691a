// http::parse_authority() for the requests of a connection, which most often all name the same
// host: the last answer is remembered.
#pragma once

#include <string>
#include <string_view>

namespace gatehouse::http {

class LastAuthority {
 public:
  /// As parse_authority(); null where that gives nothing. Good until the next call.
  const std::string* parse(std::string_view text);

 private:
  std::string text_, authority_;  // both empty until there is an answer
};

}  // namespace gatehouse::http
