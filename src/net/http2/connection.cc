#include "net/http2/connection.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>
#include <vector>

#include "base/thread_memory.h"
#include "net/http2/session_memory.h"

namespace gatehouse::net::http2 {
namespace {

// What waits to be sent before more is taken from the streams.
constexpr std::size_t kOutputLimit = 64 * 1024;
// A fast sender does not keep a loop to itself.
constexpr unsigned kReadsPerTurn = 8;
// The last frames and a peer that must read them: as a connection of HTTP/1.1 lingers.
constexpr std::chrono::milliseconds kLingerTime{2'000};
constexpr std::size_t kLingerBytes = 1024 * 1024;
constexpr std::size_t kSettingBytes = 6;

constexpr std::uint8_t kNoCopy = NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE;

nghttp2_nv to_nv(std::string_view name, std::string_view value, std::uint8_t flags) {
  return {.name = reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
          .value = reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())),
          .namelen = name.size(),
          .valuelen = value.size(),
          .flags = flags};
}

using NameValues = std::vector<nghttp2_nv, ThreadAllocator<nghttp2_nv>>;

NameValues to_nvs(const FieldList& fields, std::uint8_t flags) {
  NameValues nvs;
  nvs.reserve(fields.fields().size());
  for (const FieldList::Field& field : fields.fields()) {
    nvs.push_back(to_nv(field.name, field.value, flags));
  }
  return nvs;
}

MultiplexedStream* stream_of(nghttp2_session* session, std::int32_t id) {
  return static_cast<MultiplexedStream*>(nghttp2_session_get_stream_user_data(session, id));
}

std::string_view text(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

void submit_trailers(nghttp2_session* session, std::int32_t id, const http::Headers& trailers) {
  FieldList fields;
  fields.add_all(trailers);
  // Copied: they may go after the stream's body has.
  const NameValues nvs = to_nvs(fields, NGHTTP2_NV_FLAG_NONE);
  nghttp2_submit_trailer(session, id, nvs.data(), nvs.size());
}

ssize_t read_outgoing(nghttp2_session* session, std::int32_t id, std::uint8_t* /*into*/,
                      std::size_t room, std::uint32_t* flags, nghttp2_data_source* source,
                      void* /*connection*/) {
  MultiplexedStream& stream = *static_cast<MultiplexedStream*>(source->ptr);
  const std::size_t all = stream.outgoing().size();
  if (all == 0 && !stream.outgoing_ended()) {
    stream.outgoing_deferred();
    return NGHTTP2_ERR_DEFERRED;
  }
  const std::size_t now = std::min(all, room);
  if (now == all && stream.outgoing_ended()) {
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (stream.trailers() != nullptr) {
      *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
      submit_trailers(session, id, *stream.trailers());
    }
  }
  if (now != 0) *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
  return static_cast<ssize_t>(now);
}

nghttp2_data_provider source_of(MultiplexedStream& stream) {
  return {.source = {.ptr = &stream}, .read_callback = &read_outgoing};
}

struct OptionDeleter {
  void operator()(nghttp2_option* option) const { nghttp2_option_del(option); }
};
struct CallbacksDeleter {
  void operator()(nghttp2_session_callbacks* callbacks) const {
    nghttp2_session_callbacks_del(callbacks);
  }
};

}  // namespace

void SessionDeleter::operator()(nghttp2_session* session) const {
  nghttp2_session_del(session);
}

void Buffers::give_output(std::unique_ptr<std::string> output) {
  output->clear();
  if (output->capacity() <= kKeptOutput) outputs_.give(std::move(output));
}

/// What nghttp2 calls, with the Connection as its user data.
struct Callbacks {
  static Connection& self(void* connection) { return *static_cast<Connection*>(connection); }

  static int begin_headers(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    Connection& connection = self(user);
    const std::int32_t id = frame->hd.stream_id;
    connection.current_ = stream_of(session, id);
    const bool opens = frame->hd.type == NGHTTP2_HEADERS &&
                       frame->headers.cat == NGHTTP2_HCAT_REQUEST && connection.current_ == nullptr;
    if (!opens) return 0;
    connection.current_ = connection.stream_began(id);
    if (connection.current_ == nullptr) {
      nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM);
      return 0;
    }
    connection.streams_.push_back(*connection.current_);
    nghttp2_session_set_stream_user_data(session, id, connection.current_);
    return 0;
  }

  static int field(nghttp2_session* /*session*/, const nghttp2_frame* /*frame*/,
                   const std::uint8_t* name, std::size_t name_size, const std::uint8_t* value,
                   std::size_t value_size, std::uint8_t /*flags*/, void* user) {
    MultiplexedStream* const stream = self(user).current_;
    if (stream != nullptr) stream->take_field(text(name, name_size), text(value, value_size));
    return 0;
  }

  static int invalid_field(nghttp2_session* /*session*/, const nghttp2_frame* /*frame*/,
                           const std::uint8_t* /*name*/, std::size_t /*name_size*/,
                           const std::uint8_t* /*value*/, std::size_t /*value_size*/,
                           std::uint8_t /*flags*/, void* user) {
    MultiplexedStream* const stream = self(user).current_;
    if (stream != nullptr) stream->refuse_field();
    return 0;
  }

  static int frame_received(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    Connection& connection = self(user);
    switch (frame->hd.type) {
      case NGHTTP2_HEADERS:
        headers_received(connection, *frame);
        break;
      case NGHTTP2_DATA: {
        MultiplexedStream* const stream = stream_of(session, frame->hd.stream_id);
        const bool end = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
        if (stream != nullptr && end) stream->take_end();
        break;
      }
      case NGHTTP2_SETTINGS:
        if ((frame->hd.flags & NGHTTP2_FLAG_ACK) != 0) break;
        connection.settings_received_ = true;
        connection.settings_changed();
        break;
      case NGHTTP2_PING:
        if ((frame->hd.flags & NGHTTP2_FLAG_ACK) != 0) connection.ping_acknowledged();
        break;
      case NGHTTP2_GOAWAY:
        connection.goaway_received(frame->goaway.last_stream_id);
        break;
      default:
        break;
    }
    return 0;
  }

  static void headers_received(Connection& connection, const nghttp2_frame& frame) {
    MultiplexedStream* const stream = std::exchange(connection.current_, nullptr);
    if (stream == nullptr) return;
    if ((frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) stream->take_end();
    stream->take_fields_end();
  }

  static int data(nghttp2_session* session, std::uint8_t /*flags*/, std::int32_t id,
                  const std::uint8_t* bytes, std::size_t size, void* user) {
    MultiplexedStream* const stream = stream_of(session, id);
    if (stream != nullptr && !stream->content_failure()) {
      stream->take_data(text(bytes, size));
    } else {
      // Nobody reads it; others must not wait for its share of the window.
      nghttp2_session_consume_connection(self(user).session(), size);
    }
    return 0;
  }

  static int stream_closed(nghttp2_session* session, std::int32_t id, std::uint32_t code,
                           void* user) {
    const bool reset_by_us = nghttp2_session_get_stream_remote_close(session, id) == 0;
    MultiplexedStream* const stream = stream_of(session, id);
    Connection& connection = self(user);
    if (connection.current_ == stream) connection.current_ = nullptr;
    connection.stream_closed(id, reset_by_us);
    if (stream != nullptr) stream->take_close(static_cast<FrameError>(code), reset_by_us);
    return 0;
  }

  static int frame_sent(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    if (frame->hd.type == NGHTTP2_GOAWAY) goaway_sent(session, frame->goaway);
    if (frame->hd.type == NGHTTP2_RST_STREAM) reset_sent(self(user), frame->rst_stream.error_code);
    const bool content = frame->hd.type == NGHTTP2_DATA;
    if (content) self(user).watch_.sent_data();
    if (!content && frame->hd.type != NGHTTP2_HEADERS) return 0;
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return 0;
    MultiplexedStream* const stream = stream_of(session, frame->hd.stream_id);
    if (stream != nullptr) stream->take_local_end();
    return 0;
  }

  /// Only nghttp2 itself resets for these, whatever it tells of the frame (it is silent where DATA
  /// and Content-Length disagree).
  static void reset_sent(Connection& connection, std::uint32_t code) {
    switch (code) {
      case NGHTTP2_PROTOCOL_ERROR:
      case NGHTTP2_FLOW_CONTROL_ERROR:
      case NGHTTP2_STREAM_CLOSED:
      case NGHTTP2_FRAME_SIZE_ERROR:
      case NGHTTP2_COMPRESSION_ERROR:
        return connection.fault_was_reset();
      default:
        return;
    }
  }

  /// A PING behind the announcement: its answer says that the peer has read that. Submitted earlier
  /// it would go before.
  static void goaway_sent(nghttp2_session* session, const nghttp2_goaway& goaway) {
    constexpr std::array<std::uint8_t, 8> kData{'d', 'r', 'a', 'i', 'n'};
    const bool announces = goaway.last_stream_id == INT32_MAX;
    if (announces) nghttp2_submit_ping(session, NGHTTP2_FLAG_NONE, kData.data());
  }

  static int send_data(nghttp2_session* /*session*/, nghttp2_frame* /*frame*/,
                       const std::uint8_t* head, std::size_t length, nghttp2_data_source* source,
                       void* user) {
    Connection& connection = self(user);
    if (connection.output_is_full()) return NGHTTP2_ERR_WOULDBLOCK;
    MultiplexedStream& stream = *static_cast<MultiplexedStream*>(source->ptr);
    // Its owner has gone: the stream is reset.
    if (stream.outgoing().size() < length) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    connection.append_output(text(head, kFrameHeadBytes));
    connection.append_output(stream.outgoing().substr(0, length));
    stream.outgoing_gone(length);
    return 0;
  }

  static std::unique_ptr<nghttp2_session_callbacks, CallbacksDeleter> make() {
    nghttp2_session_callbacks* made = nullptr;
    if (nghttp2_session_callbacks_new(&made) != 0) throw std::bad_alloc();
    nghttp2_session_callbacks_set_on_begin_headers_callback(made, &begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(made, &field);
    nghttp2_session_callbacks_set_on_invalid_header_callback(made, &invalid_field);
    nghttp2_session_callbacks_set_on_frame_recv_callback(made, &frame_received);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, &data);
    nghttp2_session_callbacks_set_on_stream_close_callback(made, &stream_closed);
    nghttp2_session_callbacks_set_on_frame_send_callback(made, &frame_sent);
    nghttp2_session_callbacks_set_send_data_callback(made, &send_data);
    return std::unique_ptr<nghttp2_session_callbacks, CallbacksDeleter>(made);
  }
};

Connection::Connection(Loop& loop, std::unique_ptr<Stream> stream, Buffers& buffers, Side side,
                       const FrameWatch::Limits& limits, const LocalSettings& settings)
    : loop_(loop),
      stream_(std::move(stream)),
      buffers_(buffers),
      watch_(side, limits),
      stream_limit_(settings.streams) {
  make_session(side);
  send_settings(side, settings);
}

Connection::~Connection() {
  writer_.stop();
}

void Connection::make_session(Side side) {
  nghttp2_option* made = nullptr;
  if (nghttp2_option_new(&made) != 0) throw std::bad_alloc();
  const std::unique_ptr<nghttp2_option, OptionDeleter> option(made);
  nghttp2_option_set_no_auto_window_update(made, 1);
  // ClosedStreams remembers what matters of them, in less memory.
  nghttp2_option_set_no_closed_streams(made, 1);
  // FrameWatch counts both, by limits that can be set, and says which one struck.
  nghttp2_option_set_stream_reset_rate_limit(made, UINT64_MAX, UINT64_MAX);
  nghttp2_option_set_max_continuations(made, SIZE_MAX);
  const auto callbacks = Callbacks::make();
  nghttp2_session* session = nullptr;
  nghttp2_mem memory = session_memory();
  const auto open =
      side == Side::kServer ? &nghttp2_session_server_new3 : &nghttp2_session_client_new3;
  const int error = open(&session, callbacks.get(), this, made, &memory);
  if (error != 0) throw std::bad_alloc();
  session_.reset(session);
}

void Connection::send_settings(Side side, const LocalSettings& settings) {
  std::vector<nghttp2_settings_entry> entries = {
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, settings.stream_window},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, settings.header_list_bytes}};
  if (side == Side::kServer) {
    // First, where append_output() finds it. nghttp2 would break the connection of a client that
    // opens one too many; stream_began() refuses the stream alone.
    entries.insert(entries.begin(), {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS,
                                     NGHTTP2_INITIAL_MAX_CONCURRENT_STREAMS});
    entries.push_back({NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1});
    entries.push_back({NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1});
  } else {
    entries.push_back({NGHTTP2_SETTINGS_ENABLE_PUSH, 0});
    first_frame_ = false;
  }
  nghttp2_submit_settings(session(), NGHTTP2_FLAG_NONE, entries.data(), entries.size());
  nghttp2_session_set_local_window_size(session(), NGHTTP2_FLAG_NONE, 0,
                                        static_cast<std::int32_t>(settings.connection_window));
}

// For the streams.

void Connection::submit_answer(MultiplexedStream& stream, const FieldList& fields,
                               Content content) {
  if (!session_) return;
  const NameValues nvs = to_nvs(fields, kNoCopy);
  const nghttp2_data_provider source = source_of(stream);
  nghttp2_submit_response(session(), stream.id(), nvs.data(), nvs.size(),
                          content == Content::kFollows ? &source : nullptr);
  send_soon();
}

void Connection::submit_interim(MultiplexedStream& stream, const FieldList& fields) {
  if (!session_) return;
  const NameValues nvs = to_nvs(fields, NGHTTP2_NV_FLAG_NONE);
  nghttp2_submit_headers(session(), NGHTTP2_FLAG_NONE, stream.id(), nullptr, nvs.data(), nvs.size(),
                         nullptr);
  send_soon();
}

std::int32_t Connection::submit_request(MultiplexedStream& stream, const FieldList& fields,
                                        Content content) {
  if (!session_) return -1;
  const NameValues nvs = to_nvs(fields, NGHTTP2_NV_FLAG_NONE);
  const nghttp2_data_provider source = source_of(stream);
  const std::int32_t id =
      nghttp2_submit_request(session(), nullptr, nvs.data(), nvs.size(),
                             content == Content::kFollows ? &source : nullptr, &stream);
  if (id < 0) return id;
  streams_.push_back(stream);
  send_soon();
  return id;
}

void Connection::reset(const MultiplexedStream& stream, FrameError code) {
  if (!session_ || stream.closed()) return;
  nghttp2_submit_rst_stream(session(), NGHTTP2_FLAG_NONE, stream.id(),
                            static_cast<std::uint32_t>(code));
  send_soon();
}

void Connection::resume_data(const MultiplexedStream& stream) {
  if (session_) nghttp2_session_resume_data(session(), stream.id());
}

void Connection::give_back_window(const MultiplexedStream& stream, std::size_t bytes) {
  if (!session_) return;
  nghttp2_session_consume_connection(session(), bytes);
  if (!stream.closed()) nghttp2_session_consume_stream(session(), stream.id(), bytes);
  if (nghttp2_session_want_write(session()) != 0) send_soon();
}

// What goes out.

bool Connection::output_is_full() const {
  return output_ && output_->size() - written_ >= kOutputLimit;
}

void Connection::append_output(std::string_view bytes) {
  if (!output_) output_ = buffers_.take_output();
  if (written_ >= kOutputLimit) {
    output_->erase(0, written_);
    written_ = 0;
  }
  const std::size_t at = output_->size();
  output_->append(bytes);
  if (!std::exchange(first_frame_, false)) return;
  // Behind the head of SETTINGS and the identifier of its first entry.
  constexpr std::size_t kValueAt = kFrameHeadBytes + 2;
  if (bytes.size() < kFrameHeadBytes + kSettingBytes) return;
  for (std::size_t i = 0; i < 4; ++i) {
    (*output_)[at + kValueAt + i] = static_cast<char>(stream_limit_ >> (24U - 8U * i));
  }
}

void Connection::release_output() {
  written_ = 0;
  if (output_) buffers_.give_output(std::move(output_));
}

void Connection::gather() {
  while (session_ && !output_is_full()) {
    const std::uint8_t* bytes = nullptr;
    const ssize_t size = nghttp2_session_mem_send(session(), &bytes);
    if (size < 0) return break_off();
    if (size == 0) break;
    append_output(text(bytes, static_cast<std::size_t>(size)));
  }
  if (!output_is_empty()) send_soon();
}

void Connection::flush() {
  if (closing_ || broken_) return;
  bool full = true;
  while (full && !blocked_since_ && !broken_) {
    gather();
    full = output_is_full();
    write();
  }
  Runnable::unlink();
  if (broken_ || ending_ || !session_) return;
  if (nghttp2_session_want_read(session()) == 0 && nghttp2_session_want_write(session()) == 0 &&
      output_is_empty()) {
    end_soon();
  }
}

void Connection::write() {
  while (!output_is_empty()) {
    const iovec piece{.iov_base = output_->data() + written_,
                      .iov_len = output_->size() - written_};
    const IoResult sent = stream_->try_write({&piece, 1});
    if (sent.kind == IoResult::Kind::kDone) {
      written_ += sent.bytes;
      if (blocked_since_) blocked_since_ = now();
      continue;
    }
    if (sent.kind != IoResult::Kind::kWouldBlock) return break_off();
    if (!blocked_since_) {
      blocked_since_ = now();
      writer_.start(drain_output(), [this] { break_off(); });
    }
    return;
  }
  blocked_since_.reset();
  release_output();
}

/// Runs while the kernel takes no more.
Task<void> Connection::drain_output() {
  while (!output_is_empty()) {
    const Result<void> writable = co_await stream_->writable();
    if (!writable) break_off();
    if (broken_) co_return;
    write();
  }
  send_soon();
}

// What comes in.

Task<void> Connection::run(std::string early) {
  send_soon();
  bool reading = early.empty() || feed(early);
  early = {};
  unsigned reads = 0;
  while (reading && !broken_ && !ending_) {
    const IoResult got = stream_->try_read(buffers_.input());
    if (got.kind == IoResult::Kind::kDone) {
      reading = feed({buffers_.input().data(), got.bytes});
      if (reading && ++reads % kReadsPerTurn == 0) co_await NextTurn(loop_);
      continue;
    }
    if (got.kind != IoResult::Kind::kWouldBlock) break;
    const Result<void> readable = co_await stream_->readable();
    reading = readable.has_value();
  }
  co_await close();
  run_ended();
}

/// False if nothing more is to be read.
bool Connection::feed(std::string_view bytes) {
  std::size_t given = 0, position = 0;
  bool sound = true;
  bool new_frame = false;
  while (sound && position < bytes.size()) {
    FrameWatch::Step step = watch_.next(bytes.substr(position), now());
    new_frame = new_frame || (step.begins && step.frame.type != FrameType::kContinuation);
    if (step.needs_stream && !step.fault) {
      sound = give(bytes.substr(given, position - given));
      given = position;
      if (sound) step.fault = check_stream(step.frame);
    }
    if (sound && step.fault) {
      sound = give(bytes.substr(given, position - given));
      if (sound) find_fault(*step.fault);
      sound = false;
    }
    position += step.consumed;
  }
  if (sound) sound = give(bytes.substr(given));
  if (!watch_.is_within()) {
    within_since_.reset();
  } else if (!within_since_ || new_frame) {
    within_since_ = now();
  }
  // What nghttp2 resets is closed before it would be begun.
  if (sound && session_ && nghttp2_session_want_write(session()) != 0) gather();
  fed();
  if (sound && session_ && nghttp2_session_want_write(session()) != 0) send_soon();
  return sound && !ending_ && !broken_;
}

bool Connection::give(std::string_view bytes) {
  if (bytes.empty()) return true;
  const ssize_t taken = nghttp2_session_mem_recv(
      session(), reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  if (taken >= 0 && !ending_) {
    // What nghttp2 has ended itself it reads no more of.
    if (nghttp2_session_want_read(session()) != 0) return true;
    ending_ = true;
    return false;
  }
  if (taken < 0) {
    const bool flooded = taken == NGHTTP2_ERR_FLOODED;
    if (flooded) fault_found({FrameError::kEnhanceYourCalm, "flooded", Limit::kControlFrames});
    terminate(flooded ? FrameError::kEnhanceYourCalm : FrameError::kProtocolError);
  }
  return false;
}

void Connection::find_fault(const FrameWatch::Fault& fault) {
  fault_found(fault);
  terminate(fault.code);
}

// How it ends.

void Connection::terminate(FrameError code) {
  if (session_) nghttp2_session_terminate_session(session(), static_cast<std::uint32_t>(code));
  end_soon();
}

void Connection::announce_end() {
  if (!session_) return;
  nghttp2_submit_shutdown_notice(session());
  send_soon();
}

void Connection::refuse_new_streams() {
  if (!session_) return;
  nghttp2_submit_goaway(session(), NGHTTP2_FLAG_NONE,
                        nghttp2_session_get_last_proc_stream_id(session()), NGHTTP2_NO_ERROR,
                        nullptr, 0);
  send_soon();
}

void Connection::end_soon() {
  ending_ = true;
  // The wait for the peer's next bytes ends at once.
  stream_->set_deadline(Stream::Direction::kRead, now());
}

void Connection::break_off() {
  if (std::exchange(broken_, true)) return;
  ending_ = true;
  stream_->abort();
}

void Connection::close_streams() {
  LinkedList<MultiplexedStream> present;
  present.take_all(streams_);
  while (MultiplexedStream* const stream = present.pop_front()) {
    streams_.push_back(*stream);
    stream->take_close(FrameError::kCancel, /*by_us=*/false);
  }
}

Task<void> Connection::close() {
  ending_ = true;
  gather();
  close_streams();
  session_.reset();
  closing_ = true;
  Runnable::unlink();
  writer_.stop();
  stream_->set_deadline(Stream::Direction::kWrite, now() + kLingerTime);
  blocked_since_ = now();  // so that write() leaves the waiting to us
  while (!broken_ && !output_is_empty()) {
    write();
    if (output_is_empty() || broken_) break;
    const Result<void> writable = co_await stream_->writable();
    if (!writable) break_off();
  }
  release_output();
  if (broken_) co_return;
  stream_->finish();
  co_await linger();
}

Task<void> Connection::linger() {
  stream_->set_deadline(Stream::Direction::kRead, now() + kLingerTime);
  std::size_t passed = 0;
  while (passed < kLingerBytes) {
    const IoResult got = stream_->try_read(buffers_.input());
    if (got.kind == IoResult::Kind::kEnd || got.kind == IoResult::Kind::kFailed) break;
    passed += got.bytes;
    if (got.kind == IoResult::Kind::kDone) continue;
    const Result<void> readable = co_await stream_->readable();
    if (!readable) break;
  }
}

}  // namespace gatehouse::net::http2
