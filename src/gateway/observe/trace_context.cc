#include "gateway/observe/trace_context.h"

#include <algorithm>
#include <set>

#include "base/encoding.h"

namespace gatehouse::gateway {
namespace {

constexpr std::size_t kLength = 55;  // 00-<32>-<16>-<2>
constexpr std::size_t kStateMembers = 32;
constexpr std::size_t kStateBytes = 512;
constexpr std::size_t kKeyBytes = 256;
constexpr std::size_t kTenantBytes = 241;
constexpr std::size_t kSystemBytes = 14;
constexpr std::size_t kValueBytes = 256;
constexpr unsigned char kSampledFlag = 1;

bool is_lower_hex(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

template <std::size_t N>
bool read_id(std::string_view hex, std::array<std::uint8_t, N>& id) {
  const std::optional<std::string> bytes = hex_decode(hex);
  if (!bytes || bytes->size() != N) return false;
  std::ranges::copy(*bytes, id.begin());
  return std::ranges::any_of(id, [](std::uint8_t byte) { return byte != 0; });
}

void append_hex(std::string& out, const std::uint8_t* bytes, std::size_t count) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (std::size_t i = 0; i < count; ++i) {
    out.push_back(kDigits[bytes[i] >> 4]);
    out.push_back(kDigits[bytes[i] & 15]);
  }
}

bool is_lower_letter(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_key_text(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return is_lower_letter(c) || is_digit(c) || c == '_' || c == '-' || c == '*' || c == '/';
  });
}

/// §3.3.1.3.1: a simple key, or tenant@system.
bool is_key(std::string_view key) {
  const std::size_t at = key.find('@');
  const std::string_view tenant = key.substr(0, at);
  if (tenant.empty() || !is_key_text(tenant)) return false;
  if (at == std::string_view::npos) return is_lower_letter(key[0]) && key.size() <= kKeyBytes;
  const std::string_view system = key.substr(at + 1);
  if (system.empty() || system.size() > kSystemBytes || tenant.size() > kTenantBytes) return false;
  return is_lower_letter(system[0]) && is_key_text(system) &&
         (is_lower_letter(tenant[0]) || is_digit(tenant[0]));
}

/// §3.3.1.3.2.
bool is_value(std::string_view value) {
  if (value.empty() || value.size() > kValueBytes || value.back() == ' ') return false;
  return std::ranges::all_of(value,
                             [](char c) { return c >= ' ' && c <= '~' && c != ',' && c != '='; });
}

/// Appends the members of one field; false if one is not valid.
bool append_members(std::string_view list, std::set<std::string, std::less<>>& keys,
                    std::string& out) {
  while (!list.empty()) {
    const std::string_view raw = list.substr(0, list.find(','));
    list.remove_prefix(std::min(raw.size() + 1, list.size()));
    const std::string_view member = http::trim(raw);
    if (member.empty()) continue;
    const std::size_t equals = member.find('=');
    if (equals == std::string_view::npos) return false;
    const std::string_view key = member.substr(0, equals);
    if (!is_key(key) || !is_value(member.substr(equals + 1))) return false;
    if (!keys.emplace(key).second || keys.size() > kStateMembers) return false;
    if (!out.empty()) out.push_back(',');
    out += member;
  }
  return out.size() <= kStateBytes;
}

}  // namespace

std::optional<TraceParent> parse_traceparent(std::string_view text) {
  if (text.size() < kLength || text[2] != '-' || text[35] != '-' || text[52] != '-') {
    return std::nullopt;
  }
  const std::string_view version = text.substr(0, 2);
  if (!is_lower_hex(version) || version == "ff") return std::nullopt;
  if (version == "00" ? text.size() != kLength : text.size() > kLength && text[kLength] != '-') {
    return std::nullopt;
  }
  const std::string_view trace_id = text.substr(3, 32);
  const std::string_view parent_id = text.substr(36, 16);
  const std::string_view flags = text.substr(53, 2);
  if (!is_lower_hex(trace_id) || !is_lower_hex(parent_id) || !is_lower_hex(flags)) {
    return std::nullopt;
  }
  TraceParent parent;
  if (!read_id(trace_id, parent.trace_id) || !read_id(parent_id, parent.parent_id)) {
    return std::nullopt;
  }
  parent.sampled = (hex_decode(flags)->front() & kSampledFlag) != 0;
  return parent;
}

std::string format_traceparent(const TraceParent& parent) {
  std::string out = "00-";
  out.reserve(kLength);
  append_hex(out, parent.trace_id.data(), parent.trace_id.size());
  out.push_back('-');
  append_hex(out, parent.parent_id.data(), parent.parent_id.size());
  return out += parent.sampled ? "-01" : "-00";
}

std::optional<TraceParent> traceparent_of(const http::Headers& headers) {
  const std::optional<std::string_view> text = headers.only("traceparent");
  return text ? parse_traceparent(*text) : std::nullopt;
}

std::string tracestate_of(const http::Headers& headers) {
  std::string out;
  std::set<std::string, std::less<>> keys;
  for (const http::Field field : headers) {
    if (!http::equal_ignoring_case(field.name, "tracestate")) continue;
    if (!append_members(field.value, keys, out)) return "";
  }
  return out;
}

}  // namespace gatehouse::gateway
