// Field names as a careless upstream reads them.
//
// CGI, WSGI and their kin turn a field's name into a variable: case goes, and whatever is no letter
// or digit becomes '_'. To them X-Auth-User, x_auth_user and X.Auth.User are one (CVE-2026-39858
// and its kin). What only the gateway may set is therefore compared in this folded form.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::http {

/// Letters in lower case, digits as they are, all else '-'.
std::string folded(std::string_view name);
/// True if `name`, folded, is `other`, which is folded already.
bool folds_to(std::string_view name, std::string_view other);
/// True if `name`, folded, begins with `prefix`, which is folded already.
bool fold_begins_with(std::string_view name, std::string_view prefix);
/// True if `name` folds to one of `names`.
bool folds_to_one_of(std::string_view name, const std::vector<std::string>& names);

/// Names by which a message is framed and routed: no verdict may set them.
bool is_framing_field(std::string_view name);

}  // namespace gatehouse::http
