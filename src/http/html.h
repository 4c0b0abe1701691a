// HTML pages: who wants them, text made safe for them, the headers they carry.
#pragma once

#include <string>
#include <string_view>

namespace gatehouse::http {

class Headers;

/// Escapes & < > " ' for element content and quoted attributes.
std::string html_escape(std::string_view text);

/// The headers that every page of ours carries: CSP without any inline code, no-store, nosniff,
/// referrer to this origin only, frame-ancestors none, COOP (see docs/threat-model.md).
void add_page_headers(Headers& headers);

/// True if the client reads pages: a browser names text/html in Accept, a program hardly ever.
bool accepts_html(const Headers& headers);

}  // namespace gatehouse::http
