// config::show(): settings as YAML that load() reads back.
#include <algorithm>
#include <array>

#include "config/config.h"
#include "config/fields.h"
#include "config/value.h"

namespace gatehouse::config {
namespace {

using nlohmann::ordered_json;

/// Text that every YAML reader takes for this text without quotes.
bool is_plain(const std::string& text) {
  constexpr std::array<std::string_view, 8> kWords{"true", "false", "null", "yes",
                                                   "no",   "on",    "off",  "nan"};
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
  };
  return text.size() > 1 && text.front() >= 'a' && text.front() <= 'z' &&
         std::ranges::all_of(text, plain) && std::ranges::find(kWords, text) == kWords.end();
}

/// "10s", "64KiB": written by us, begins with a digit, and no reader takes it for a number.
bool is_quantity(const std::string& text) {
  return text.size() > 1 && text.front() >= '0' && text.front() <= '9' &&
         (text.back() == 's' || text.back() == 'm' || text.back() == 'h' || text.back() == 'd' ||
          text.ends_with("iB")) &&
         text.find_first_not_of("0123456789smhdKMGiB") == std::string::npos;
}

std::string scalar(const ordered_json& value) {
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    if (is_plain(text) || is_quantity(text)) return text;
  }
  // JSON's quoted text is YAML's. What is not UTF-8 cannot come from a file that was read.
  return value.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

void write(const ordered_json& value, int indent, std::string& out);

/// After "name:" or "-".
void write_list(const ordered_json& list, int indent, std::string& out) {
  for (const ordered_json& item : list) {
    const std::string margin(static_cast<std::size_t>(indent), ' ');
    if (item.is_object() && item.empty()) {
      out += margin + "- {}\n";
    } else if (item.is_object()) {
      // The first field stands beside the dash, so the dash takes two columns of its margin.
      std::string object;
      write(item, indent + 2, object);
      object.replace(0, margin.size() + 2, margin + "- ");
      out += object;
    } else {
      out += margin + "- " + scalar(item) + "\n";
    }
  }
}

void write(const ordered_json& object, int indent, std::string& out) {
  for (const auto& [name, value] : object.items()) {
    out += std::string(static_cast<std::size_t>(indent), ' ') + name + ":";
    if (value.is_object()) {
      out += "\n";
      write(value, indent + 2, out);
    } else if (value.is_array() && !value.empty()) {
      out += "\n";
      write_list(value, indent + 2, out);
    } else {
      out += " " + scalar(value) + "\n";
    }
  }
}

}  // namespace

std::string show(const Settings& settings) {
  // The table points at members that may be set, so it is bound to a copy.
  Settings copy = settings;
  std::string out;
  write(to_json(fields(copy)), 0, out);
  return out;
}

}  // namespace gatehouse::config
