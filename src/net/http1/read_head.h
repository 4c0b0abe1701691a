// How a reader of a head ends, for requests and answers alike. For the files of this folder.
#pragma once

#include <cstddef>
#include <optional>
#include <utility>

#include "net/http1/codec.h"
#include "net/http1/syntax.h"

namespace gatehouse::net::http1 {

/// What `reader` says of its head, as parse_request_head() and parse_response_head() give it.
template <class Reader>
std::optional<Result<void, Refusal>> read_head(Reader reader, std::size_t& consumed) {
  consumed = 0;
  switch (reader.read()) {
    case Progress::kIncomplete:
      return std::nullopt;
    case Progress::kRefused:
      return std::unexpected(reader.refusal());
    case Progress::kDone:
      break;
  }
  consumed = reader.position();
  return Result<void, Refusal>();
}

}  // namespace gatehouse::net::http1
