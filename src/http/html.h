// Text for HTML pages, made safe.
#pragma once

#include <string>
#include <string_view>

namespace gatehouse::http {

/// Escapes & < > " ' for element content and quoted attributes.
std::string html_escape(std::string_view text);

/// The headers that every page of ours carries: CSP without any inline code, no-store, nosniff,
/// no-referrer, frame-ancestors none, COOP (see docs/threat-model.md).
class Headers;
void add_page_headers(Headers& headers);

}  // namespace gatehouse::http
