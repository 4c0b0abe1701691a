// Looks at what comes from the peer frame by frame, before nghttp2 does: counts what a peer may
// flood us with, and finds what nghttp2 lets pass. Pure; no memory but a few counters.
//
// Rates have a budget a second. What answers something of ours (a WINDOW_UPDATE for our DATA, a
// PING that measures it) is paid for by credit, so that a fast download is no flood.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "net/http2/frames.h"
#include "net/limit_counts.h"

namespace gatehouse::net::http2 {

/// So many in a second, counted in whole seconds from the first on.
class Rate {
 public:
  explicit Rate(std::size_t a_second) : limit_(a_second) {}
  /// False once there are too many.
  bool take(MonotonicTime now) {
    if (now - began_ >= std::chrono::seconds(1)) {
      began_ = now;
      taken_ = 0;
    }
    if (taken_ < limit_) {
      ++taken_;
      return true;
    }
    if (credit_ == 0) return false;
    --credit_;
    return true;
  }
  void credit(std::size_t count) { credit_ = std::min(credit_ + count, kMostCredit); }

 private:
  static constexpr std::size_t kMostCredit = 16 * 1024;

  std::size_t limit_;
  std::size_t taken_ = 0;
  std::size_t credit_ = 0;
  MonotonicTime began_{};
};

class FrameWatch {
 public:
  enum class Side { kServer, kClient };
  struct Limits {
    std::size_t continuation_frames = 16;         // of one header block
    std::size_t control_frames_per_second = 100;  // all that carry neither fields nor content
    std::size_t resets_per_second = 100;
  };
  /// A connection error.
  struct Fault {
    FrameError code = FrameError::kProtocolError;
    std::string_view reason;
    std::optional<Limit> limit = std::nullopt;
  };
  struct Step {
    std::size_t consumed = 0;
    bool begins = false;  // a frame's head is whole
    /// HEADERS or DATA of a stream that is not new: whether it may come depends on that stream.
    bool needs_stream = false;
    FrameHead frame;
    std::optional<Fault> fault = std::nullopt;
  };

  FrameWatch(Side side, const Limits& limits);

  /// Walks on, to the end of a frame's head, of its payload, or of the input, which is not empty.
  Step next(std::string_view input, MonotonicTime now);

  /// We sent a DATA frame.
  void sent_data() { control_.credit(2); }
  /// A stream was reset by us for a fault of the peer: as dear as one that it resets itself.
  std::optional<Fault> provoked_reset(MonotonicTime now);
  /// A frame other than DATA, or a header block, has begun and not ended; or the preface has not.
  bool is_within() const;
  std::uint32_t highest_stream() const { return highest_stream_; }

 private:
  std::optional<Fault> begin(Step& step, MonotonicTime now);
  std::optional<Fault> count(const FrameHead& frame, MonotonicTime now);
  std::optional<Fault> take_block_frame(const FrameHead& frame);
  std::optional<Fault> take_payload(std::string_view payload);

  const Side side_;
  const std::size_t continuation_limit_;
  Rate control_, resets_;
  std::size_t preface_left_;
  std::array<unsigned char, kFrameHeadBytes> head_{};
  std::size_t head_bytes_ = 0;
  FrameHead frame_;
  std::size_t payload_left_ = 0;
  std::array<unsigned char, 4> dependency_{};  // of PRIORITY
  std::size_t dependency_bytes_ = 0;
  bool within_block_ = false;
  std::size_t continuations_ = 0;
  std::uint32_t highest_stream_ = 0;
};

/// The streams that have closed last, for telling a late frame from one that never may come.
class ClosedStreams {
 public:
  enum class Kind {
    kEnded,      // the peer has said its last on it
    kReset,      // by us; what the peer had sent by then comes still
    kNeverOpen,  // passed over by a higher one
    kForgotten   // all that are remembered are higher
  };
  void add(std::uint32_t stream, bool reset_by_us);
  Kind find(std::uint32_t stream) const;

 private:
  static constexpr std::size_t kRemembered = 64;

  // The lowest bit says whether we have reset it, the others which stream. 0: none.
  std::array<std::uint32_t, kRemembered> last_{};
  std::size_t next_ = 0;
};

}  // namespace gatehouse::net::http2
