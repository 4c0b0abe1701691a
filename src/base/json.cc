#include "base/json.h"

#include <cmath>
#include <set>
#include <vector>

namespace gatehouse {
namespace {

/// Watches what nlohmann's parser reports and stops it at a duplicate key or at too deep a nesting.
class Watch {
 public:
  explicit Watch(std::size_t depth_limit) : depth_limit_(depth_limit) {}

  bool operator()(int depth, Json::parse_event_t event, const Json& parsed) {
    using Event = Json::parse_event_t;
    if (static_cast<std::size_t>(depth) > depth_limit_) too_deep = true;
    if (event == Event::object_start) keys_.emplace_back();
    if (event == Event::object_end && !keys_.empty()) keys_.pop_back();
    if (event == Event::key && !keys_.empty() && !keys_.back().insert(parsed).second) {
      duplicate = parsed.get<std::string>();
    }
    return !too_deep;
  }

  bool too_deep = false;
  std::optional<std::string> duplicate;

 private:
  std::size_t depth_limit_;
  std::vector<std::set<std::string>> keys_;
};

constexpr double kLargestExact = 9007199254740992.0;

}  // namespace

Result<Json> parse_json(std::string_view text, JsonLimits limits) {
  if (text.size() > limits.bytes) {
    return fail(ErrorCode::kInvalid,
                "JSON of over " + std::to_string(limits.bytes) + " bytes is refused");
  }
  // nlohmann's parser recurses over nothing, but its values destroy themselves recursively: the
  // depth is bounded before a value is built.
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
      if (++depth > limits.depth) {
        return fail(ErrorCode::kInvalid,
                    "JSON nested deeper than " + std::to_string(limits.depth) + " is refused");
      }
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth;
    }
  }
  Watch watch(limits.depth);
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
  if (found == object.end() || !found->is_number()) return std::nullopt;
  const double value = found->get<double>();
  if (!std::isfinite(value) || std::fabs(value) > kLargestExact || value != std::floor(value)) {
    return std::nullopt;
  }
  return static_cast<long long>(value);
}

}  // namespace gatehouse
