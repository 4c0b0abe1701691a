// The program's log: structured lines on stderr, written by another thread.
//
// A line is an event name and fields; never a secret, never a raw request target's query, never a
// cookie. Values that come from outside need no care: the formatter escapes whatever could end the
// line, forge another, or steer a terminal.
#pragma once

#include <spdlog/formatter.h>
#include <spdlog/spdlog.h>

#include <memory>

namespace gatehouse {

enum class LogFormat { kText, kJson };

/// One line a message. Text: time, level and message, with control bytes, backslashes and bytes
/// that are not UTF-8 as \n, \r, \t, \\ or \xNN. JSON: an ASCII object of "time", "level",
/// "message".
std::unique_ptr<spdlog::formatter> make_log_formatter(LogFormat format);

/// Makes the process's logger: asynchronous, to stderr, bounded (when the queue is full the oldest
/// line is dropped and counted). Called once, by the composition root.
std::shared_ptr<spdlog::logger> make_logger(LogFormat format, spdlog::level::level_enum level);

}  // namespace gatehouse
