#include "identity/users/users.h"

#include <algorithm>

#include "http/headers.h"

namespace gatehouse::identity {
namespace {

constexpr std::size_t kEmailLimit = 254;
constexpr std::string_view kBlank = " \t\r\n\f\v";

std::string username_key(std::string_view username) {
  return "identity/username/" + http::lower_case(username);
}

bool has_blank_or_control(std::string_view text) {
  return std::ranges::any_of(
      text, [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7f; });
}

}  // namespace

std::string normalize_login(std::string_view typed) {
  const std::size_t first = typed.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return "";
  const std::size_t last = typed.find_last_not_of(kBlank);
  return http::lower_case(typed.substr(first, last - first + 1));
}

Result<void> check_email(std::string_view email) {
  const std::size_t at = email.find('@');
  const bool two_parts = at != std::string_view::npos && at > 0 && at + 1 < email.size() &&
                         email.find('@', at + 1) == std::string_view::npos;
  if (!two_parts || has_blank_or_control(email) || email.size() > kEmailLimit) {
    return fail(ErrorCode::kInvalid,
                "not an e-mail address: it must read name@domain, without spaces");
  }
  return {};
}

Result<std::optional<store::User>> find_by_login(store::Transaction& transaction,
                                                 std::string_view login) {
  Result<std::optional<store::User>> by_email = transaction.user_by_email(login);
  if (!by_email || *by_email || login.contains('@')) return by_email;
  const Result<std::optional<std::string>> id = transaction.value(username_key(login));
  if (!id) return std::unexpected(id.error());
  if (!*id) return std::optional<store::User>();
  Result<std::optional<store::User>> by_id = transaction.user_by_id(**id);
  // The index may be older than the user's present name.
  if (by_id && *by_id && http::lower_case((*by_id)->username) != login) by_id->reset();
  return by_id;
}

Result<void> claim_username(store::Transaction& transaction, const store::User& user) {
  if (user.username.empty()) return {};
  if (user.username.contains('@') || has_blank_or_control(user.username)) {
    return fail(ErrorCode::kInvalid,
                "the username \"" + user.username + "\" holds an @, a space or a control byte");
  }
  const std::string name = http::lower_case(user.username);
  const Result<std::optional<store::User>> holder = find_by_login(transaction, name);
  if (!holder) return std::unexpected(holder.error());
  if (*holder && (*holder)->id != user.id) {
    return fail(ErrorCode::kConflict, "the username \"" + name + "\" is taken");
  }
  return transaction.set_value(username_key(name), user.id);
}

}  // namespace gatehouse::identity
