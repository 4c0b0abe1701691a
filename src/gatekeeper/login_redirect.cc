#include "gatekeeper/login_redirect.h"

#include "gatekeeper/login_state.h"

namespace gatehouse::gatekeeper {

Task<http::Response> LoginRedirect::start(const http::Request& request, std::string target,
                                          unsigned round) {
  if (!parts_.authorization.needs_metadata()) co_return redirect(request, "", target, round);
  const auto provider = co_await parts_.provider.provider();
  if (!provider) co_return parts_.pages.try_later(safe_target(target));
  const std::string& endpoint = (*provider)->metadata.authorization_endpoint;
  co_return redirect(request, endpoint, target, round);
}

http::Response LoginRedirect::redirect(const http::Request& request, std::string_view endpoint,
                                       std::string_view target, unsigned round) {
  const FreshLogin fresh = fresh_login(target, round, parts_.entropy);
  const Result<std::string> sealed =
      seal_login(parts_.keys, fresh.state, fresh.login, parts_.clock.now());
  if (!sealed) return parts_.pages.try_later(fresh.login.target);

  http::Response response = http::redirect(parts_.settings.redirect_status,
                                           parts_.authorization.url(request, endpoint, fresh));
  const bool secure = parts_.origin.secure_cookies(request);
  const std::string_view prefix = parts_.names.login_prefix(secure);
  for (const std::string& name : surplus_login_cookies(request.headers, prefix)) {
    response.headers.add("Set-Cookie", delete_cookie(name, secure));
  }
  response.headers.add("Set-Cookie", set_cookie(login_cookie_name(prefix, fresh.state), *sealed,
                                                parts_.settings.login_max_age, secure));
  return response;
}

}  // namespace gatehouse::gatekeeper
