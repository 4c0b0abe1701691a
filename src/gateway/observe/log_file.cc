#include "gateway/observe/log_file.h"

#include <fcntl.h>
#include <spdlog/async.h>
#include <spdlog/sinks/base_sink.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <stop_token>
#include <string_view>
#include <thread>
#include <utility>

namespace gatehouse::gateway {
namespace {

constexpr std::size_t kQueuedLines = 8192;
constexpr std::size_t kBuffer = 64 * 1024;
constexpr std::chrono::seconds kFlushEvery{1};
constexpr mode_t kMode = 0640;

int open_to_append(const std::string& path) {
  return ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, kMode);
}

/// Used by the one thread that writes, but for reopen() and lost().
class FileSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  FileSink(std::string path, int fd) : path_(std::move(path)), fd_(fd) { buffer_.reserve(kBuffer); }
  ~FileSink() override {
    write_out();
    ::close(fd_);
  }

  void reopen() { reopen_ = true; }
  std::uint64_t lost() const { return lost_; }

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    if (reopen_.load(std::memory_order_relaxed)) follow();
    if (buffer_.size() + message.payload.size() >= kBuffer) write_out();
    buffer_.append(message.payload.data(), message.payload.size()).push_back('\n');
    ++lines_;
  }
  void flush_() override {
    write_out();
    if (reopen_) follow();
  }

  void follow() {
    reopen_ = false;
    write_out();
    const int fresh = open_to_append(path_);
    if (fresh < 0) return;
    ::close(std::exchange(fd_, fresh));
  }

  void write_out() {
    std::string_view rest = buffer_;
    while (!rest.empty()) {
      const ssize_t written = ::write(fd_, rest.data(), rest.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) {
        lost_ += lines_;
        break;
      }
      rest.remove_prefix(static_cast<std::size_t>(written));
    }
    buffer_.clear();
    lines_ = 0;
  }

  const std::string path_;
  int fd_;
  std::string buffer_;
  std::uint64_t lines_ = 0;  // in the buffer
  std::atomic<bool> reopen_ = false;
  std::atomic<std::uint64_t> lost_ = 0;
};

}  // namespace

struct LogFile::State {
  std::shared_ptr<FileSink> sink;
  std::shared_ptr<spdlog::details::thread_pool> thread;
  std::mutex mutex;
  std::condition_variable_any ended;
  std::jthread flusher;
};

Result<std::unique_ptr<LogFile>> LogFile::open(const std::string& path) {
  const int fd = open_to_append(path);
  if (fd < 0) {
    return fail(ErrorCode::kInvalid,
                "gateway.access_log.path: " + path +
                    " cannot be opened for writing: " + std::string(std::strerror(errno)));
  }
  auto state = std::make_unique<State>();
  state->sink = std::make_shared<FileSink>(path, fd);
  state->thread = std::make_shared<spdlog::details::thread_pool>(kQueuedLines, 1);
  return std::unique_ptr<LogFile>(new LogFile(path, std::move(state)));
}

LogFile::LogFile(std::string path, std::unique_ptr<State> state)
    : path_(std::move(path)), state_(std::move(state)) {
  logger_ = std::make_shared<spdlog::async_logger>("access", state_->sink, state_->thread,
                                                   spdlog::async_overflow_policy::overrun_oldest);
  state_->flusher = std::jthread([this](const std::stop_token& stop) {
    std::unique_lock lock(state_->mutex);
    while (!stop.stop_requested()) {
      state_->ended.wait_for(lock, stop, kFlushEvery, [] { return false; });
      logger_->flush();
    }
  });
}

LogFile::~LogFile() {
  state_->flusher.request_stop();
  state_->flusher.join();
  // The thread ends when it has written what waits.
  state_->thread.reset();
}

void LogFile::reopen() {
  state_->sink->reopen();
  logger_->flush();
}

std::uint64_t LogFile::dropped() const {
  return state_->sink->lost() + state_->thread->overrun_counter();
}

}  // namespace gatehouse::gateway
