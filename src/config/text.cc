#include "config/text.h"

#include <algorithm>

namespace gatehouse::config {
namespace {

constexpr std::size_t kLongestQuote = 60;
/// Names are shorter; what is longer is no misspelling.
constexpr std::size_t kLongestName = 80;

/// Bytes of the well-formed UTF-8 sequence at the start of `text`; 0 if there is none.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  const bool overlong = (lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xF0 && byte(1) < 0x90);
  const bool surrogate = lead == 0xED && byte(1) > 0x9F;
  const bool beyond = lead == 0xF4 && byte(1) > 0x8F;
  return overlong || surrogate || beyond ? 0 : length;
}

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7F;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  // Damerau's restricted distance, with the last two rows kept beside the current one.
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> previous(b.size() + 1);
  std::vector<std::size_t> current(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) previous[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    current[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      current[j] = std::min({replaced, previous[j] + 1, current[j - 1] + 1});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) current[j] = std::min(current[j], before[j - 2] + 1);
    }
    before.swap(previous);
    previous.swap(current);
  }
  return previous[b.size()];
}

}  // namespace

std::optional<std::size_t> first_unreadable_byte(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const char c = text[at];
    const bool control = is_control(c) && c != '\t' && c != '\r' && c != '\n';
    const std::size_t length = sequence_length(text.substr(at));
    if (control || length == 0) return at;
    at += length;
  }
  return std::nullopt;
}

bool is_one_line(std::string_view text) {
  return std::ranges::none_of(text, is_control);
}

std::string printable(std::string_view text, std::size_t longest) {
  std::string shown(text.substr(0, longest));
  std::ranges::replace_if(shown, is_control, '?');
  if (const std::optional<std::size_t> cut = first_unreadable_byte(shown)) shown.resize(*cut);
  return text.size() > longest ? shown + "…" : shown;
}

std::string quote(std::string_view text) {
  return '"' + printable(text, kLongestQuote) + '"';
}

std::string list_of(const std::vector<std::string>& names, std::string_view last_separator) {
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) out += i + 1 == names.size() ? last_separator : ", ";
    out += names[i];
  }
  return out;
}

std::optional<std::string> nearest(std::string_view wrong, const std::vector<std::string>& names) {
  if (wrong.size() > kLongestName) return std::nullopt;
  std::optional<std::string> best;
  std::size_t best_distance = 0;
  for (const std::string& name : names) {
    const std::size_t distance = edit_distance(wrong, name);
    // A third of the letters may be wrong: more is another word.
    if (distance * 3 > std::max(wrong.size(), name.size())) continue;
    if (best && distance >= best_distance) continue;
    best = name;
    best_distance = distance;
  }
  return best;
}

}  // namespace gatehouse::config
