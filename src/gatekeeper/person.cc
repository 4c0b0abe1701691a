#include "gatekeeper/person.h"

#include <optional>

#include "http/headers.h"

namespace gatehouse::gatekeeper {
namespace {

/// "a@evil@corp" passes for one domain here and for another there.
bool is_address(std::string_view text) {
  const std::size_t at = text.find('@');
  return at != std::string_view::npos && at > 0 && at + 1 < text.size() && at == text.rfind('@');
}

bool is_group(std::string_view text) {
  return !text.empty() && !text.contains(',') && http::is_ascii_field_value(text);
}

Result<void> check_user(std::string_view user, const Json& claims,
                        const config::Gatekeeper& settings) {
  if (user.size() > kUserLimit || !http::is_ascii_field_value(user)) {
    return fail(ErrorCode::kDenied,
                "Your user name holds characters that the services behind this "
                "door cannot take, or is too long.");
  }
  if (settings.userid_claim != "email") return {};
  if (!is_address(user)) {
    return fail(ErrorCode::kDenied, "Your account's e-mail address is not a plain address.");
  }
  const auto verified = claims.find("email_verified");
  if (verified != claims.end() && *verified != true && *verified != "true") {
    return fail(ErrorCode::kDenied, "Your account's e-mail address has not been verified yet.");
  }
  return {};
}

/// A list of names, or one name; whatever else is there grants nothing.
std::string read_groups(const Json& claims, const std::string& claim) {
  const auto found = claims.find(claim);
  if (found == claims.end()) return "";
  const Json list = found->is_string() ? Json::array({*found}) : *found;
  if (!list.is_array()) return "";
  std::string out;
  for (const Json& member : list) {
    if (!member.is_string()) continue;
    const auto group = member.get<std::string>();
    if (!is_group(group)) continue;
    if (!out.empty()) out += ',';
    out += group;
  }
  return out;
}

/// At most `limit` bytes, cut between characters.
std::string shortened(std::string text, std::size_t limit) {
  if (text.size() <= limit) return text;
  std::size_t end = limit;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  text.resize(end);
  return text;
}

}  // namespace

Result<Person> read_person(const Json& claims, const config::Gatekeeper& settings) {
  const std::optional<std::string> user = json_string(claims, settings.userid_claim);
  if (!user || user->empty()) {
    return fail(ErrorCode::kDenied, "The sign-in service did not say who you are: it sent no \"" +
                                        settings.userid_claim + "\".");
  }
  const Result<void> good = check_user(*user, claims, settings);
  if (!good) return std::unexpected(good.error());
  Person person;
  person.user = settings.userid_prefix + *user;
  person.email = shortened(json_string(claims, "email").value_or(""), kUserLimit);
  person.name = shortened(json_string(claims, "name").value_or(""), kNameLimit);
  person.groups = read_groups(claims, settings.groups_claim);
  return person;
}

}  // namespace gatehouse::gatekeeper
