#include "gatekeeper/logout.h"

#include "base/json.h"
#include "gatekeeper/request_kind.h"
#include "http/form_sender.h"

namespace gatehouse::gatekeeper {
namespace {

/// A click on a link of this site, as the browser tells it (W3C Fetch Metadata); no script and no
/// image can send these.
bool is_click_on_this_site(const http::Headers& headers) {
  return headers.get("sec-fetch-site") == "same-origin" &&
         headers.get("sec-fetch-mode") == "navigate" && headers.get("sec-fetch-user") == "?1";
}

http::Response not_allowed() {
  http::Response response =
      http::json_error(405, "invalid_request", "GET and POST are served here");
  response.headers.set("Allow", "GET, HEAD, POST");
  return response;
}

http::Response not_signed_out() {
  http::Response response = http::json_error(503, "temporarily_unavailable",
                                             "you are still signed in: try again in a moment");
  response.headers.set("Retry-After", "5");
  return response;
}

}  // namespace

Logout::Logout(const LoopParts& parts)
    : parts_(parts),
      after_logout_(parts.settings.after_logout_url.empty()
                        ? parts.settings.url_prefix + "/site/after_logout"
                        : parts.settings.after_logout_url) {}

Task<http::Response> Logout::handle(http::Request& request) {
  const Presented presented = parts_.sessions.read(request);
  const bool get = request.method == "GET" || request.method == "HEAD";
  if (!get && request.method != "POST") co_return not_allowed();
  if (get && !is_click_on_this_site(request.headers)) {
    if (!presented.session) co_return ended(request, presented);
    co_return parts_.pages.sign_out_form(presented.session->user);
  }
  if (!get && !presented.bearer && !from_this_site(request)) {
    request.trace.failure = "logout by another site";
    co_return parts_.pages.other_site();
  }
  http::Response response = co_await end(request, presented);
  co_return response;
}

bool Logout::from_this_site(const http::Request& request) const {
  return http::sent_by_own_page(request.headers, [&](std::string_view origin) {
    return parts_.origin.is_same(request, origin);
  });
}

Task<http::Response> Logout::end(http::Request& request, const Presented& presented) {
  if (presented.session) {
    const std::string session = presented.session->session;
    const WallTime expires = from_unix_seconds(presented.session->expires);
    const Result<bool> revoked =
        co_await parts_.store.transact([session, expires](store::Transaction& transaction) {
          return transaction.revoke_session(session, expires);
        });
    if (!revoked) {
      request.trace.failure = "logout not stored";
      co_return not_signed_out();
    }
    parts_.revocations.add(session, expires);
    request.trace.user = presented.session->user;
    request.trace.session = session;
  }
  co_return ended(request, presented);
}

http::Response Logout::ended(const http::Request& request, const Presented& presented) const {
  const bool script = presented.bearer || !can_log_in(request);
  http::Response response =
      script ? http::make_response(201, "application/json",
                                   dump_json(Json{{"afterLogoutURL", after_logout_}}))
             : http::redirect(303, after_logout_);
  const bool secure = parts_.origin.secure_cookies(request);
  response.headers.add("Set-Cookie", delete_cookie(parts_.names.session(secure), secure));
  response.headers.add("Set-Cookie", delete_cookie(parts_.names.rounds(secure), secure));
  return response;
}

}  // namespace gatehouse::gatekeeper
