#include "http/html.h"

#include "http/headers.h"

namespace gatehouse::http {

std::string html_escape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out.push_back(c);
    }
  }
  return out;
}

void add_page_headers(Headers& headers) {
  // form-action is left out: Chromium applies it to the redirects that answer a form too, and a
  // login form's answer leads to the redirect_uri of any client.
  headers.set("Content-Security-Policy",
              "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
              "font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; "
              "frame-ancestors 'none'");
  headers.set("Cache-Control", "no-store");
  headers.set("X-Content-Type-Options", "nosniff");
  headers.set("X-Frame-Options", "DENY");
  // Under no-referrer a browser sends "Origin: null" with a form (Fetch §3.2), and whether it came
  // from our own page could not be told.
  headers.set("Referrer-Policy", "same-origin");
  headers.set("Cross-Origin-Opener-Policy", "same-origin");
}

bool accepts_html(const Headers& headers) {
  for (const Field field : headers) {
    if (!equal_ignoring_case(field.name, "accept")) continue;
    if (lower_case(field.value).contains("text/html")) return true;
  }
  return false;
}

}  // namespace gatehouse::http
