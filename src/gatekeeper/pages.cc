#include "gatekeeper/pages.h"

#include <utility>

#include "base/encoding.h"
#include "crypto/digest.h"
#include "http/html.h"
#include "http/page_look.h"

namespace gatehouse::gatekeeper {
namespace {

constexpr std::size_t kHashLength = 16;
constexpr std::string_view kRetryAfter = "5";  // seconds

std::string hash_of(std::string_view text) {
  return hex_encode(crypto::sha256(text)).substr(0, kHashLength);
}

}  // namespace

Pages::Pages(std::string url_prefix)
    : url_prefix_(std::move(url_prefix)),
      stylesheet_path_(url_prefix_ + "/static/" + hash_of(http::kPageStyle) + ".css") {}

http::Response Pages::stylesheet() const {
  http::Response response =
      http::make_response(200, "text/css; charset=utf-8", std::string(http::kPageStyle));
  response.headers.set("Cache-Control", "public, max-age=31536000, immutable");
  response.headers.set("X-Content-Type-Options", "nosniff");
  return response;
}

http::Response Pages::page(int status, std::string_view title, std::string_view text,
                           Action action) const {
  std::string content = "<h1>" + http::html_escape(title) + "</h1>\n<p class=\"lead\">" +
                        http::html_escape(text) + "</p>\n";
  const std::string href = http::html_escape(action.href);
  const std::string label = http::html_escape(action.label);
  if (action.post) {
    content += "<form method=\"post\" action=\"" + href +
               "\"><button class=\"button\" type=\"submit\">" + label + "</button></form>\n";
  } else {
    content += "<a class=\"button\" href=\"" + href + "\">" + label + "</a>\n";
  }
  std::string body = http::card_page(title, http::style_link(stylesheet_path_), content);
  http::Response response =
      http::make_response(status, "text/html; charset=utf-8", std::move(body));
  http::add_page_headers(response.headers);
  return response;
}

http::Response Pages::signed_out() const {
  return page(200, "You are signed out",
              "Your session here has ended. If you signed in through another service, you may "
              "still be signed in there.",
              {"Sign in again", "/"});
}

http::Response Pages::sign_out_form(std::string_view user) const {
  return page(200, "Sign out?", "You are signed in as " + std::string(user) + ".",
              {"Sign out", url_prefix_ + "/logout", true});
}

http::Response Pages::home(std::string_view user) const {
  return page(200, "You are signed in", "You are signed in as " + std::string(user) + ".",
              {"Continue", "/"});
}

http::Response Pages::no_cookie(std::string_view host, std::string_view retry) const {
  return page(
      400, "Your browser did not keep a cookie",
      "Your browser did not keep a cookie, so you cannot stay signed in. Allow cookies for " +
          std::string(host) + " and try again.",
      {"Try again", retry});
}

http::Response Pages::damaged_answer() const {
  return page(
      400, "This sign-in link is damaged",
      "The link that led here is incomplete or was changed. Sign in again to get a new one.",
      {"Sign in again", "/"});
}

http::Response Pages::login_denied(std::string_view retry) const {
  return page(403, "You were not signed in",
              "The sign-in was cancelled, or the sign-in service does not let you in here. Try "
              "again, perhaps with another account.",
              {"Try again", retry});
}

http::Response Pages::account_refused(std::string_view reason) const {
  return page(403, "This account cannot be used here",
              std::string(reason) + " Ask your administrator, or use another account.",
              {"Use another account", "/"});
}

http::Response Pages::try_later(std::string_view retry) const {
  http::Response response =
      page(503, "The sign-in service cannot be reached",
           "The sign-in service cannot be reached at the moment. Your open work is safe. Wait a "
           "little, then try again.",
           {"Try again", retry});
  response.headers.set("Retry-After", kRetryAfter);
  return response;
}

http::Response Pages::provider_at_fault(std::string_view retry) const {
  return page(
      502, "The sign-in did not work",
      "The sign-in service gave an answer that cannot be accepted. Try again; if it happens "
      "again, tell your administrator.",
      {"Try again", retry});
}

http::Response Pages::other_site() const {
  return page(403, "This came from another site",
              "Another site's page tried to sign you out. You are still signed in.",
              {"Continue", "/"});
}

http::Response Pages::not_found() const {
  return page(404, "There is nothing here", "No page has this address.", {"Continue", "/"});
}

}  // namespace gatehouse::gatekeeper
