#include "http/field_names.h"

#include <algorithm>
#include <array>

namespace gatehouse::http {
namespace {

constexpr std::array<char, 256> fold_table() {
  std::array<char, 256> table{};
  table.fill('-');
  for (int c = '0'; c <= '9'; ++c) table[c] = static_cast<char>(c);
  for (int c = 'a'; c <= 'z'; ++c) table[c] = static_cast<char>(c);
  for (int c = 'A'; c <= 'Z'; ++c) table[c] = static_cast<char>(c + 32);
  return table;
}
constexpr std::array<char, 256> kFold = fold_table();

char fold(char c) {
  return kFold[static_cast<unsigned char>(c)];
}

constexpr std::array<std::string_view, 12> kFraming = {
    "host",       "content-length", "transfer-encoding",
    "connection", "keep-alive",     "te",
    "trailer",    "upgrade",        "proxy-connection",
    "expect",     "http2-settings", "max-forwards"};

}  // namespace

std::string folded(std::string_view name) {
  std::string out(name);
  std::ranges::transform(out, out.begin(), fold);
  return out;
}

bool folds_to(std::string_view name, std::string_view other) {
  return name.size() == other.size() && fold_begins_with(name, other);
}

bool fold_begins_with(std::string_view name, std::string_view prefix) {
  if (name.size() < prefix.size()) return false;
  for (std::size_t i = 0; i < prefix.size(); ++i) {
    if (fold(name[i]) != prefix[i]) return false;
  }
  return true;
}

bool folds_to_one_of(std::string_view name, const std::vector<std::string>& names) {
  return std::ranges::any_of(names,
                             [name](const std::string& other) { return folds_to(name, other); });
}

bool is_framing_field(std::string_view name) {
  return std::ranges::any_of(kFraming,
                             [name](std::string_view other) { return folds_to(name, other); });
}

}  // namespace gatehouse::http
