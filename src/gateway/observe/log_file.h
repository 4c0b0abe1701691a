// A file that lines are written to by another thread: the access log's, if it has a path.
//
// The queue is bounded; when it is full the oldest line is dropped and counted. Lines reach the
// file within a second. reopen() follows a rotation: what was open is closed, and the path opened
// again. A file that cannot be written loses its lines, which are counted too; nobody waits.
#pragma once

#include <spdlog/logger.h>

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"

namespace gatehouse::gateway {

class LogFile {
 public:
  /// Opens the file for appending, made with mode 0640 if it is not there. The error names it.
  static Result<std::unique_ptr<LogFile>> open(const std::string& path);
  /// Writes what waits.
  ~LogFile();
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  /// As it was opened.
  const std::string& path() const { return path_; }
  /// Thread-safe. Each message at info is one line, written as it is.
  const std::shared_ptr<spdlog::logger>& logger() const { return logger_; }
  /// Thread-safe: at the next line or within a second. If the path cannot be opened, what is open
  /// stays.
  void reopen();
  /// Lines that were lost. Thread-safe.
  std::uint64_t dropped() const;

 private:
  struct State;
  LogFile(std::string path, std::unique_ptr<State> state);
  const std::string path_;
  std::unique_ptr<State> state_;
  std::shared_ptr<spdlog::logger> logger_;
};

}  // namespace gatehouse::gateway
