#include "gateway/filters/accept_encoding.h"

#include <algorithm>

namespace gatehouse::gateway {
namespace {

constexpr int kFull = 1000;  // thousandths
constexpr int kUnsaid = -1;

/// "1", "0.5", "0.123" in thousandths; nullopt for anything else (RFC 9110 §12.4.2).
std::optional<int> read_weight(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return std::nullopt;
  int thousandths = (text[0] - '0') * kFull;
  if (text.size() > 1 && text[1] != '.') return std::nullopt;
  int place = 100;
  for (const char c : text.substr(std::min<std::size_t>(2, text.size()))) {
    if (c < '0' || c > '9') return std::nullopt;
    thousandths += (c - '0') * place;
    place /= 10;
  }
  return thousandths > kFull ? std::nullopt : std::optional<int>(thousandths);
}

struct Member {
  std::string_view coding;
  int weight = kFull;
};

std::optional<Member> read_member(std::string_view text) {
  const std::size_t semicolon = text.find(';');
  Member member{http::trim(text.substr(0, semicolon))};
  if (!http::is_token(member.coding)) return std::nullopt;
  if (semicolon == std::string_view::npos) return member;
  const std::string_view parameter = http::trim(text.substr(semicolon + 1));
  if (parameter.size() < 2 || (parameter[0] != 'q' && parameter[0] != 'Q') || parameter[1] != '=') {
    return std::nullopt;
  }
  const std::optional<int> weight = read_weight(parameter.substr(2));
  if (!weight) return std::nullopt;
  member.weight = *weight;
  return member;
}

bool names(std::string_view coding, std::string_view offered) {
  return http::equal_ignoring_case(coding, offered) ||
         (offered == "gzip" && http::equal_ignoring_case(coding, "x-gzip"));
}

/// The weight that the fields give to a coding, or to all that they do not name.
struct Weight {
  int named = kUnsaid, others = kUnsaid;
  int value() const { return named != kUnsaid ? named : others; }
};

Weight weigh(const http::Headers& headers, std::string_view coding) {
  Weight weight;
  for (const http::Field field : headers) {
    if (!http::equal_ignoring_case(field.name, "Accept-Encoding")) continue;
    std::string_view rest = field.value;
    while (!rest.empty()) {
      const std::string_view text = rest.substr(0, rest.find(','));
      rest.remove_prefix(std::min(text.size() + 1, rest.size()));
      const std::optional<Member> member = read_member(text);
      if (!member) continue;
      if (member->coding == "*") weight.others = std::max(weight.others, member->weight);
      if (names(member->coding, coding)) weight.named = std::max(weight.named, member->weight);
    }
  }
  return weight;
}

}  // namespace

std::optional<std::size_t> choose_coding(const http::Headers& headers,
                                         const std::vector<std::string_view>& offered) {
  if (!headers.has("Accept-Encoding")) return std::nullopt;
  std::optional<std::size_t> best;
  int best_weight = 0;
  for (std::size_t i = 0; i < offered.size(); ++i) {
    const int weight = weigh(headers, offered[i]).value();
    if (weight <= best_weight) continue;
    best = i;
    best_weight = weight;
  }
  // Plain is acceptable unless it is forbidden, but better only where that is said.
  const bool plain_is_better = weigh(headers, "identity").named > best_weight;
  return plain_is_better ? std::nullopt : best;
}

}  // namespace gatehouse::gateway
