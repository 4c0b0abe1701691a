#include "gateway/authz/allow_edits.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "gateway/field_names.h"
#include "http/percent.h"
#include "http/url.h"

namespace gatehouse::gateway {
namespace {

using Action = http::FieldChange::Action;

/// A parameter's name as an upstream reads it (application/x-www-form-urlencoded).
std::string decoded_name(std::string_view member) {
  std::string name(member.substr(0, member.find('=')));
  std::ranges::replace(name, '+', ' ');
  return http::decode_what_can_be(name);
}

/// RFC 3986 §3.4 without what separates parameters.
bool may_stand_in_value(char c) {
  constexpr std::string_view kOthers = "!$'()*,;:@/?=";
  return http::is_unreserved(c) || kOthers.find(c) != std::string_view::npos;
}

/// Appends the text; escapes that it holds stay.
void append_escaped(std::string& out, std::string_view text, bool is_name) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = http::escaped_byte(text.substr(i)).has_value();
    if (escape || (may_stand_in_value(text[i]) && !(is_name && text[i] == '='))) {
      out.push_back(text[i]);
    } else {
      out += http::percent_encode(text.substr(i, 1));
    }
  }
}

void append_parameter(std::string& query, std::string_view name, std::string_view value) {
  if (!query.empty()) query.push_back('&');
  append_escaped(query, name, /*is_name=*/true);
  query.push_back('=');
  append_escaped(query, value, /*is_name=*/false);
}

bool is_named(const http::Allow& allow, std::string_view member) {
  const std::string name = decoded_name(member);
  const auto same = [&name](std::string_view other) { return decoded_name(other) == name; };
  return std::ranges::any_of(allow.query_remove, same) ||
         std::ranges::any_of(allow.query_set, [&](const auto& pair) { return same(pair.first); });
}

/// The members of the query that the verdict does not name, as they stand.
std::string kept_of(std::string_view query, const http::Allow& allow) {
  std::string kept;
  while (!query.empty()) {
    const std::string_view member = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(member.size() + 1, query.size()));
    if (member.empty() || is_named(allow, member)) continue;
    if (!kept.empty()) kept.push_back('&');
    kept += member;
  }
  return kept;
}

}  // namespace

Result<void> edit_query(http::Target& target, const http::Allow& allow) {
  if (allow.query_remove.empty() && allow.query_set.empty()) return {};
  std::string query = kept_of(target.query(), allow);
  for (const auto& [name, value] : allow.query_set) append_parameter(query, name, value);
  std::string whole(target.path());
  if (!query.empty()) whole.append("?").append(query);
  Result<http::Target, http::TargetError> edited = http::parse_target(whole);
  if (!edited) {
    return fail(ErrorCode::kInvalid, "the query as the verdict sets it cannot be sent: " +
                                         std::string(http::to_string(edited.error())));
  }
  target = std::move(*edited);
  return {};
}

Result<void> check_changes(const std::vector<http::FieldChange>& changes) {
  for (const http::FieldChange& change : changes) {
    if (!http::is_token(change.name) || !http::is_field_value(change.value) ||
        is_framing_field(change.name)) {
      return fail(ErrorCode::kInvalid, "the verdict gives the answer a header that cannot be sent");
    }
  }
  return {};
}

void edit_fields(http::Headers& headers, const std::vector<http::FieldChange>& changes) {
  for (const http::FieldChange& change : changes) {
    const bool present = headers.has(change.name);
    if (change.action == Action::kAddIfAbsent && present) continue;
    if (change.action == Action::kSetIfPresent && !present) continue;
    if (change.action == Action::kAppend) {
      headers.add(change.name, change.value);
    } else {
      headers.set(change.name, change.value);
    }
  }
}

}  // namespace gatehouse::gateway
