// The program's log: structured lines on stderr, written by another thread.
//
// A line is an event name and fields; never a secret, never a raw request target's query, never a
// cookie. Values that come from outside are escaped by the formatter.
#pragma once

#include <spdlog/spdlog.h>

#include <memory>
#include <string>

namespace gatehouse {

enum class LogFormat { kText, kJson };

/// Makes the process's logger: asynchronous, to stderr, bounded (when the queue is full the oldest
/// line is dropped and counted). Called once, by the composition root.
std::shared_ptr<spdlog::logger> make_logger(LogFormat format, spdlog::level::level_enum level);

}  // namespace gatehouse
