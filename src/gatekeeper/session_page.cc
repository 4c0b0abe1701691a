#include "gatekeeper/session_page.h"

#include <algorithm>

#include "base/json.h"
#include "gatekeeper/verdict.h"

namespace gatehouse::gatekeeper {
namespace {

constexpr std::size_t kShownOfId = 8;  // enough to find it in the log

Json list_of(std::string_view comma_joined) {
  Json out = Json::array();
  while (!comma_joined.empty()) {
    const std::size_t end = std::min(comma_joined.find(','), comma_joined.size());
    out.push_back(comma_joined.substr(0, end));
    comma_joined.remove_prefix(std::min(end + 1, comma_joined.size()));
  }
  return out;
}

}  // namespace

http::Response session_document(const http::Request& request, const Presented& presented) {
  const auto site = request.headers.get("sec-fetch-site").value_or("same-origin");
  if (site != "same-origin" && site != "none") {
    return http::json_error(403, "access_denied", "only pages of this site may read this");
  }
  if (!presented.session) return unauthorized(presented);
  const SessionClaims& session = *presented.session;
  const Json document = {
      {"user", session.user},       {"email", session.email},
      {"name", session.name},       {"groups", list_of(session.groups)},
      {"expires", session.expires}, {"session", session.session.substr(0, kShownOfId)}};
  http::Response response = http::make_response(200, "application/json", dump_json(document));
  response.headers.set("Cross-Origin-Resource-Policy", "same-origin");
  response.headers.set("X-Content-Type-Options", "nosniff");
  return response;
}

}  // namespace gatehouse::gatekeeper
