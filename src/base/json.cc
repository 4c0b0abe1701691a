#include "base/json.h"

#include <cmath>
#include <cstdint>
#include <functional>
#include <set>
#include <type_traits>
#include <utility>
#include <vector>

namespace gatehouse {
namespace {

/// Watches what nlohmann's parser reports, for a member that an object names twice. (The parser
/// itself keeps the last.)
class DuplicateWatch {
 public:
  bool operator()(int /*depth*/, Json::parse_event_t event, const Json& parsed) {
    using Event = Json::parse_event_t;
    if (event == Event::object_start) members_.emplace_back();
    if (event == Event::object_end && !members_.empty()) members_.pop_back();
    if (event == Event::key && !members_.empty() && !members_.back().insert(parsed).second) {
      duplicate = parsed.get<std::string>();
    }
    return true;
  }

  std::optional<std::string> duplicate;

 private:
  std::vector<std::set<std::string>> members_;  // one for each object that is open
};

/// True if brackets outside strings nest deeper than `limit`, be the text valid or not.
bool is_deeper_than(std::size_t limit, std::string_view text) {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > limit) return true;
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth;
    }
  }
  return false;
}

/// What nlohmann's parser passes over and other readers do not: a byte order mark, and a NUL byte,
/// which it takes for the end.
bool has_hidden_bytes(std::string_view text) {
  return text.starts_with("\xef\xbb\xbf") || text.find('\0') != std::string_view::npos;
}

/// 2^53: from there on a double, as other readers have it, stands for several integers.
constexpr std::int64_t kLargestExact = std::int64_t{1} << 53;

template <class Number>
std::optional<long long> exact(Number number) {
  if constexpr (std::is_floating_point_v<Number>) {
    constexpr auto kLimit = static_cast<double>(kLargestExact);
    if (!(std::fabs(number) <= kLimit) || number != std::floor(number)) return std::nullopt;
  } else if (std::cmp_greater(number, kLargestExact) || std::cmp_less(number, -kLargestExact)) {
    return std::nullopt;
  }
  return static_cast<long long>(number);
}

}  // namespace

Result<Json> parse_json(std::string_view text, JsonLimits limits) {
  if (text.size() > limits.bytes) {
    return fail(ErrorCode::kInvalid,
                "JSON of over " + std::to_string(limits.bytes) + " bytes is refused");
  }
  // Before a value is built, because values destroy themselves recursively.
  if (is_deeper_than(limits.depth, text)) {
    return fail(ErrorCode::kInvalid,
                "JSON nested deeper than " + std::to_string(limits.depth) + " is refused");
  }
  if (has_hidden_bytes(text)) {
    return fail(ErrorCode::kInvalid, "JSON with a byte order mark or a NUL byte is refused");
  }
  DuplicateWatch watch;
  Json value = Json::parse(text, std::ref(watch), /*allow_exceptions=*/false);
  if (watch.duplicate) {
    return fail(ErrorCode::kInvalid, "JSON names the member \"" + *watch.duplicate + "\" twice");
  }
  if (value.is_discarded()) return fail(ErrorCode::kInvalid, "not valid JSON");
  return value;
}

std::string dump_json(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<std::string> json_string(const Json& object, std::string_view member) {
  if (!object.is_object()) return std::nullopt;
  const auto found = object.find(std::string(member));
  if (found == object.end() || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

std::optional<long long> json_integer(const Json& object, std::string_view member) {
  if (!object.is_object()) return std::nullopt;
  const auto found = object.find(std::string(member));
  if (found == object.end()) return std::nullopt;
  if (found->is_number_unsigned()) return exact(found->get<std::uint64_t>());
  if (found->is_number_integer()) return exact(found->get<std::int64_t>());
  if (found->is_number_float()) return exact(found->get<double>());
  return std::nullopt;
}

}  // namespace gatehouse
