#include "identity/pages/pages.h"

#include <fmt/format.h>

#include "http/html.h"
#include "http/page_look.h"

namespace gatehouse::identity {
namespace {

constexpr std::string_view kHtml = "text/html; charset=utf-8";

/// form-action names the redirect's place too: browsers apply it to the redirect after the POST.
void add_headers(http::Headers& headers, std::string_view form_target) {
  http::add_page_headers(headers);
  std::string form_action = "'self'";
  if (!form_target.empty() && form_target != "'self'")
    form_action += " " + std::string(form_target);
  headers.set("Content-Security-Policy",
              "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; "
              "frame-ancestors 'none'; form-action " +
                  form_action);
}

/// The attributes of a field that a message speaks of.
std::string described_by_message(bool has_message) {
  return has_message ? R"( aria-invalid="true" aria-describedby="message")" : "";
}

std::string login_form(const LoginPage& page) {
  const bool has_message = !page.message.empty();
  const std::string described = described_by_message(has_message);
  const bool knows_login = !page.login.empty();
  std::string html;
  if (has_message) {
    html += fmt::format("<p class=\"error\" id=\"message\" role=\"alert\">{}</p>\n",
                        http::html_escape(page.message));
  }
  html += "<form method=\"post\">\n<label for=\"login\">Email or username</label>\n";
  html += fmt::format(
      "<input id=\"login\" name=\"login\" type=\"text\" inputmode=\"email\" value=\"{}\" "
      "autocomplete=\"username\" autocapitalize=\"none\" autocorrect=\"off\" spellcheck=\"false\" "
      "required{}{}>\n",
      http::html_escape(page.login), described, knows_login ? "" : " autofocus");
  html += "<label for=\"password\">Password</label>\n";
  html += fmt::format(
      "<input id=\"password\" name=\"password\" type=\"password\" "
      "autocomplete=\"current-password\" required{}{}>\n",
      described, knows_login ? " autofocus" : "");
  html += "<button class=\"button\" type=\"submit\">Sign in</button>\n</form>\n";
  return html;
}

}  // namespace

std::string Pages::document(std::string_view title, std::string_view content) const {
  return http::card_page(title, http::style_link(files_.style_sheet_path()), content);
}

http::Response Pages::login(int status, const LoginPage& page) const {
  std::string content = "<h1>Sign in</h1>\n";
  if (!page.client_name.empty()) {
    content += fmt::format("<p class=\"lead\">to continue to <strong>{}</strong></p>\n",
                           http::html_escape(page.client_name));
  }
  content += login_form(page);
  http::Response response = http::make_response(status, kHtml, document("Sign in", content));
  add_headers(response.headers, page.form_target);
  return response;
}

http::Response Pages::wait(LoginPage page, std::chrono::seconds wait) const {
  const std::string message =
      fmt::format("Too many tries. Wait {} second{}.", wait.count(), wait.count() == 1 ? "" : "s");
  page.message = message;
  http::Response response = login(429, page);
  response.headers.set("Retry-After", std::to_string(wait.count()));
  return response;
}

http::Response Pages::error(int status, std::string_view title, std::string_view message) const {
  const std::string content = fmt::format(
      "<h1>{}</h1>\n<p class=\"lead\">{}</p>\n<a class=\"button\" href=\"/\">Go to the start "
      "page</a>\n",
      http::html_escape(title), http::html_escape(message));
  http::Response response = http::make_response(status, kHtml, document(title, content));
  add_headers(response.headers, "");
  if (status == 503) response.headers.set("Retry-After", "5");
  return response;
}

}  // namespace gatehouse::identity
