#include "gatekeeper/cookie_names.h"

#include <utility>

#include "http/cookies.h"

namespace gatehouse::gatekeeper {

CookieNames::CookieNames(std::string session_name)
    : session_(std::move(session_name)), secure_session_("__Host-" + session_) {}

std::string_view CookieNames::login_prefix(bool secure) const {
  return secure ? "__Host-gatehouse_login_" : "gatehouse_login_";
}

std::string_view CookieNames::rounds(bool secure) const {
  return secure ? "__Host-gatehouse_rounds" : "gatehouse_rounds";
}

std::vector<std::string> CookieNames::all() const {
  return {"gatehouse_*", "__Host-gatehouse_*", session_, secure_session_};
}

std::string set_cookie(std::string_view name, std::string_view value, std::chrono::seconds max_age,
                       bool secure) {
  http::SetCookie cookie;
  cookie.name = name;
  cookie.value = value;
  cookie.max_age = max_age;
  cookie.secure = secure;
  return cookie.str();
}

std::string delete_cookie(std::string_view name, bool secure) {
  return set_cookie(name, "", std::chrono::seconds(0), secure);
}

}  // namespace gatehouse::gatekeeper
