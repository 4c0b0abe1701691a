#include "base/log.h"

#include <fmt/chrono.h>
#include <spdlog/async.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/utf8.h"

namespace gatehouse {
namespace {

constexpr std::size_t kQueuedLines = 8192;

/// UTC to the microsecond, as RFC 3339 has it.
std::string time_text(spdlog::log_clock::time_point time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const auto fraction = std::chrono::duration_cast<std::chrono::microseconds>(time - seconds);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z",
                     fmt::gmtime(spdlog::log_clock::to_time_t(seconds)), fraction.count());
}

std::string_view view(spdlog::string_view_t text) {
  return {text.data(), text.size()};
}

/// How many bytes at the start of `text` are one printable character of UTF-8; 0 for a control
/// character (C0, DEL, C1), a backslash, or what is not UTF-8.
std::size_t printable(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return lead >= 0x20 && lead != 0x7f && lead != '\\' ? 1 : 0;
  const std::size_t length = utf8_character(text);
  const bool is_c1_control = length == 2 && lead == 0xc2 && byte(1) < 0xa0;
  return is_c1_control ? 0 : length;
}

std::string escape(char c) {
  if (c == '\n') return "\\n";
  if (c == '\r') return "\\r";
  if (c == '\t') return "\\t";
  if (c == '\\') return "\\\\";
  return fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
}

std::string escape_controls(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = printable(text);
    if (length > 0) {
      out += text.substr(0, length);
    } else {
      out += escape(text.front());
    }
    text.remove_prefix(length > 0 ? length : 1);
  }
  return out;
}

class TextFormatter final : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    fmt::format_to(std::back_inserter(out), "{} {} {}\n", time_text(message.time),
                   view(spdlog::level::to_string_view(message.level)),
                   escape_controls(view(message.payload)));
  }
  std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<TextFormatter>();
  }
};

/// ASCII alone, so that no reader has to agree on more.
std::string json_text(std::string_view text) {
  return Json(text).dump(-1, ' ', /*ensure_ascii=*/true, Json::error_handler_t::replace);
}

class JsonFormatter final : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    fmt::format_to(std::back_inserter(out),
                   R"({{"time":"{}","level":"{}","message":{}}})"
                   "\n",
                   time_text(message.time), view(spdlog::level::to_string_view(message.level)),
                   json_text(view(message.payload)));
  }
  std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<JsonFormatter>();
  }
};

}  // namespace

std::unique_ptr<spdlog::formatter> make_log_formatter(LogFormat format) {
  if (format == LogFormat::kJson) return std::make_unique<JsonFormatter>();
  return std::make_unique<TextFormatter>();
}

std::shared_ptr<spdlog::logger> make_logger(LogFormat format, spdlog::level::level_enum level) {
  spdlog::init_thread_pool(kQueuedLines, 1);
  auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  auto logger =
      std::make_shared<spdlog::async_logger>("gatehouse", std::move(sink), spdlog::thread_pool(),
                                             spdlog::async_overflow_policy::overrun_oldest);
  logger->set_level(level);
  logger->set_formatter(make_log_formatter(format));
  return logger;
}

}  // namespace gatehouse
