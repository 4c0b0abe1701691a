#include "oauth/scope.h"

#include <algorithm>

namespace gatehouse::oauth {
namespace {

/// NQCHAR of RFC 6749, appendix A: visible ASCII but '"' and '\'.
bool is_scope_character(char c) {
  return c > 0x20 && c < 0x7f && c != '"' && c != '\\';
}

}  // namespace

std::optional<std::vector<std::string>> parse_scope(std::string_view text) {
  std::vector<std::string> scopes;
  while (!text.empty()) {
    const std::string_view scope = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), scope.size() + 1));
    if (!std::ranges::all_of(scope, is_scope_character)) return std::nullopt;
    if (scope.empty() || has_scope(scopes, scope)) continue;
    if (scopes.size() == kScopeLimit) return std::nullopt;
    scopes.emplace_back(scope);
  }
  return scopes;
}

std::string join_scope(const std::vector<std::string>& scopes) {
  std::string out;
  for (const std::string& scope : scopes) {
    if (!out.empty()) out += ' ';
    out += scope;
  }
  return out;
}

bool has_scope(const std::vector<std::string>& scopes, std::string_view scope) {
  return std::ranges::find(scopes, scope) != scopes.end();
}

}  // namespace gatehouse::oauth
