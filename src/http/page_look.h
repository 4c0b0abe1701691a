// The look of all pages for people: one style sheet, one logo, one frame. The roles do not include
// one another, but a person who signs in goes through the pages of all of them.
#pragma once

#include <string>
#include <string_view>

namespace gatehouse::http {

/// Data.
extern const std::string_view kPageStyle;
/// What a Content-Security-Policy says to allow kPageStyle within a page: 'sha256-…'.
extern const std::string_view kPageStyleSource;
/// An <svg> element without words: beside it stands what it means.
extern const std::string_view kLogo;

/// The logo as a URL, for <link rel="icon">; the bytes of `href` need no escaping.
std::string logo_url();

/// The elements of a page's <head>: encoding, viewport, title (escaped here), icon, and the style.
/// `style` is an element: <link rel="stylesheet" …> or <style>…</style>.
std::string page_head(std::string_view title, std::string_view style);

/// A whole page that shows one card with the logo above `content`, which is HTML.
std::string card_page(std::string_view title, std::string_view style, std::string_view content);

/// <link rel="stylesheet"> for a path.
std::string style_link(std::string_view path);

}  // namespace gatehouse::http
