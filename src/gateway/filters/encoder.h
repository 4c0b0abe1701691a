// One way to compress a stream of bytes: gzip (RFC 1952), br (RFC 7932) or zstd (RFC 8878).
//
// The libraries behind it are not seen from here. Each encoder holds a bounded window, so that
// neither we nor the client need more than 1 MB or so for one answer.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "base/result.h"

namespace gatehouse::gateway {

class Encoder {
 public:
  enum class Operation {
    kProcess,  // take input; give what comes of it
    kFlush,    // and give all that the input so far amounts to
    kFinish,   // and end the stream
  };
  struct Progress {
    std::size_t produced = 0;
    bool done = false;  // the operation is complete: call again with the same while it is not
  };

  virtual ~Encoder() = default;
  /// Takes bytes off the front of `input` and writes to `out`, which must not be empty. kInternal
  /// if the library fails; the encoder is then of no more use.
  virtual Result<Progress> run(Operation operation, std::string_view& input,
                               std::span<char> out) = 0;
};

enum class Coding { kGzip, kBrotli, kZstd };

/// The levels a coding has here; those above cost more than a proxy should spend.
struct Levels {
  int least, most, usual;
};
Levels levels_of(Coding coding);

/// Null if there is no memory for it.
std::unique_ptr<Encoder> make_encoder(Coding coding, int level);

}  // namespace gatehouse::gateway
