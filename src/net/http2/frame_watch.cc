#include "net/http2/frame_watch.h"

namespace gatehouse::net::http2 {
namespace {

constexpr std::uint32_t kStreamBits = 0x7fffffff;  // the first bit is reserved

std::uint32_t read_32(const unsigned char* bytes) {
  return (std::uint32_t{bytes[0]} << 24U) | (std::uint32_t{bytes[1]} << 16U) |
         (std::uint32_t{bytes[2]} << 8U) | bytes[3];
}

FrameHead read_head(const std::array<unsigned char, kFrameHeadBytes>& bytes) {
  return {.length = read_32(bytes.data()) >> 8U,
          .type = static_cast<FrameType>(bytes[3]),
          .flags = bytes[4],
          .stream = read_32(bytes.data() + 5) & kStreamBits};
}

}  // namespace

FrameWatch::FrameWatch(Side side, const Limits& limits)
    : side_(side),
      continuation_limit_(limits.continuation_frames),
      control_(limits.control_frames_per_second),
      resets_(limits.resets_per_second),
      preface_left_(side == Side::kServer ? kPreface.size() : 0) {}

bool FrameWatch::is_within() const {
  const bool within_frame = payload_left_ != 0 && frame_.type != FrameType::kData;
  return preface_left_ != 0 || head_bytes_ != 0 || within_frame || within_block_;
}

FrameWatch::Step FrameWatch::next(std::string_view input, MonotonicTime now) {
  Step step;
  if (preface_left_ != 0) {
    step.consumed = std::min(preface_left_, input.size());
    preface_left_ -= step.consumed;
    return step;
  }
  if (payload_left_ != 0) {
    step.consumed = std::min(payload_left_, input.size());
    payload_left_ -= step.consumed;
    if (frame_.type == FrameType::kPriority) {
      step.fault = take_payload(input.substr(0, step.consumed));
    }
    return step;
  }
  step.consumed = std::min(head_.size() - head_bytes_, input.size());
  std::copy_n(input.begin(), step.consumed, head_.begin() + static_cast<long>(head_bytes_));
  head_bytes_ += step.consumed;
  if (head_bytes_ < head_.size()) return step;
  head_bytes_ = 0;
  step.begins = true;
  step.fault = begin(step, now);
  return step;
}

std::optional<FrameWatch::Fault> FrameWatch::begin(Step& step, MonotonicTime now) {
  frame_ = read_head(head_);
  step.frame = frame_;
  payload_left_ = frame_.length;
  dependency_bytes_ = 0;
  if (std::optional<Fault> fault = count(frame_, now)) return fault;
  const bool headers = frame_.type == FrameType::kHeaders;
  if (side_ == Side::kClient || (!headers && frame_.type != FrameType::kData)) return {};
  step.needs_stream = frame_.stream != 0 && frame_.stream <= highest_stream_;
  if (headers && frame_.stream > highest_stream_) {
    highest_stream_ = frame_.stream;
    control_.credit(2);
  }
  return {};
}

std::optional<FrameWatch::Fault> FrameWatch::count(const FrameHead& frame, MonotonicTime now) {
  switch (frame.type) {
    case FrameType::kPushPromise:
      // A client has switched it off before its first request, and a server has never had it.
      return Fault{FrameError::kProtocolError, "a push"};
    case FrameType::kHeaders:
    case FrameType::kContinuation:
      return take_block_frame(frame);
    case FrameType::kData:
      if (frame.length != 0 || frame.has(kEndStreamFlag)) return {};
      break;
    case FrameType::kRstStream:
      if (resets_.take(now)) return {};
      return Fault{FrameError::kEnhanceYourCalm, "streams are reset too often", Limit::kResets};
    case FrameType::kPriority:
      // RFC 9113 §5.3.2 asks for no more than the frame's syntax, RFC 7540 §5.3.1 for this too.
      if (frame.stream == 0) return Fault{FrameError::kProtocolError, "PRIORITY of no stream"};
      break;
    default:
      break;
  }
  if (control_.take(now)) return {};
  return Fault{FrameError::kEnhanceYourCalm, "too many control frames", Limit::kControlFrames};
}

std::optional<FrameWatch::Fault> FrameWatch::take_block_frame(const FrameHead& frame) {
  if (frame.type != FrameType::kContinuation) {
    continuations_ = 0;
  } else if (++continuations_ > continuation_limit_) {
    return Fault{FrameError::kEnhanceYourCalm, "a header block of too many frames",
                 Limit::kContinuations};
  }
  within_block_ = !frame.has(kEndHeadersFlag);
  return {};
}

std::optional<FrameWatch::Fault> FrameWatch::take_payload(std::string_view payload) {
  const std::size_t fits = std::min(dependency_.size() - dependency_bytes_, payload.size());
  if (fits == 0) return {};
  std::copy_n(payload.begin(), fits, dependency_.begin() + static_cast<long>(dependency_bytes_));
  dependency_bytes_ += fits;
  if (dependency_bytes_ < dependency_.size()) return {};
  if ((read_32(dependency_.data()) & kStreamBits) != frame_.stream) return {};
  return Fault{FrameError::kProtocolError, "a stream that depends on itself"};
}

std::optional<FrameWatch::Fault> FrameWatch::provoked_reset(MonotonicTime now) {
  if (resets_.take(now)) return {};
  return Fault{FrameError::kEnhanceYourCalm, "too many faulty streams", Limit::kResets};
}

void ClosedStreams::add(std::uint32_t stream, bool reset_by_us) {
  last_[next_] = (stream << 1U) | (reset_by_us ? 1U : 0U);
  next_ = (next_ + 1) % last_.size();
}

ClosedStreams::Kind ClosedStreams::find(std::uint32_t stream) const {
  bool forgotten = true;
  for (const std::uint32_t entry : last_) {
    const std::uint32_t closed = entry >> 1U;
    if (closed == stream) return (entry & 1U) != 0 ? Kind::kReset : Kind::kEnded;
    forgotten = forgotten && closed > stream;
  }
  return forgotten ? Kind::kForgotten : Kind::kNeverOpen;
}

}  // namespace gatehouse::net::http2
