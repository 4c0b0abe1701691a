// Colours are tokens, light and dark; text on its ground has a contrast of 4.5:1 or more, borders
// of fields and the focus ring 3:1 or more. Targets are 44 px high. No script, no web font, no
// inline style attribute: the pages' Content-Security-Policy allows none.
#include "http/page_look.h"

#include <fmt/format.h>

#include "base/encoding.h"
#include "http/html.h"

namespace gatehouse::http {

const std::string_view kPageStyle = R"css(
:root {
  color-scheme: light dark;
  --ground: #eef1f7;
  --glow: #dbe4fb;
  --card: #ffffff;
  --edge: #dfe4ee;
  --text: #17203a;
  --soft: #55607c;
  --field: #ffffff;
  --field-edge: #7b87a3;
  --accent: #2f55d4;
  --accent-over: #2445b3;
  --on-accent: #ffffff;
  --ring: #2f55d4;
  --bad: #a3182c;
  --bad-ground: #fdf0f1;
  --bad-edge: #e3a7ae;
  --shadow: 0 1px 2px rgb(23 32 58 / 6%), 0 12px 40px rgb(23 32 58 / 10%);
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0d1220;
    --glow: #18234a;
    --card: #161d30;
    --edge: #28324c;
    --text: #e9edf8;
    --soft: #a6b1cb;
    --field: #0f1526;
    --field-edge: #72809f;
    --accent: #8aa6ff;
    --accent-over: #a9beff;
    --on-accent: #0b1124;
    --ring: #a9beff;
    --bad: #ffb3bb;
    --bad-ground: #351820;
    --bad-edge: #7c3440;
    --shadow: 0 1px 2px rgb(0 0 0 / 40%), 0 16px 48px rgb(0 0 0 / 45%);
  }
}
* { box-sizing: border-box; }
html {
  height: 100%;
  background: radial-gradient(60rem 32rem at 50% -8rem, var(--glow), transparent 70%) no-repeat var(--ground);
  color: var(--text);
  -webkit-text-size-adjust: 100%;
  text-size-adjust: 100%;
}
body {
  min-height: 100%;
  margin: 0;
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", Cantarell, sans-serif;
}
body.door {
  padding: clamp(1rem, 5vw, 3rem) 1rem;
  display: flex;
  flex-direction: column;
  align-items: center;
  justify-content: center;
}
.card {
  width: 100%;
  max-width: 26rem;
  padding: clamp(1.5rem, 6vw, 2.5rem);
  background: var(--card);
  border: 1px solid var(--edge);
  border-radius: 1rem;
  box-shadow: var(--shadow);
}
.logo { display: block; width: 3rem; height: 3rem; }
.card > .logo { margin-block-end: 1.5rem; }
h1 {
  margin: 0;
  font-size: 1.625rem;
  font-weight: 650;
  letter-spacing: -0.015em;
  line-height: 1.2;
  overflow-wrap: anywhere;
}
.lead { margin: 0.5rem 0 0; color: var(--soft); overflow-wrap: anywhere; }
.lead strong { color: var(--text); font-weight: 600; }
.note { margin: 1.5rem 0 0; color: var(--soft); font-size: 0.8125rem; overflow-wrap: anywhere; }
.card form { margin-block-start: 1.75rem; }
label { display: block; margin-block: 1.25rem 0.375rem; font-size: 0.9375rem; font-weight: 600; }
input {
  width: 100%;
  min-height: 2.875rem;
  padding: 0.5rem 0.875rem;
  font: inherit;
  color: inherit;
  background: var(--field);
  border: 1px solid var(--field-edge);
  border-radius: 0.625rem;
  transition: border-color 120ms;
}
input:hover { border-color: var(--accent); }
input[aria-invalid="true"] { border-color: var(--bad); }
.button {
  display: inline-flex;
  align-items: center;
  justify-content: center;
  min-height: 2.875rem;
  padding: 0.625rem 1.125rem;
  font: inherit;
  font-weight: 600;
  text-align: center;
  text-decoration: none;
  color: var(--on-accent);
  background: var(--accent);
  border: 1px solid transparent;
  border-radius: 0.625rem;
  cursor: pointer;
  transition: background-color 120ms;
}
.card .button { width: 100%; margin-block-start: 1.75rem; }
.card form > .button:first-child { margin-block-start: 0; }
.button:hover { background: var(--accent-over); }
:focus-visible {
  outline: 3px solid var(--ring);
  outline-offset: 2px;
}
.error {
  margin: 1.5rem 0 0;
  padding: 0.75rem 1rem;
  color: var(--bad);
  background: var(--bad-ground);
  border: 1px solid var(--bad-edge);
  border-radius: 0.625rem;
  font-size: 0.9375rem;
}
@media (prefers-reduced-motion: reduce) {
  * { transition: none !important; }
}
@media (forced-colors: active) {
  .card, .error, .button { border-color: CanvasText; }
}
)css";

const std::string_view kPageStyleSource = "'sha256-vSp2O48UXyc9cXMMcEs0uctauz4efA8xqkrxQYX469c='";

const std::string_view kLogo =
    R"svg(<svg class="logo" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48" width="48" height="48" aria-hidden="true">
<defs><linearGradient id="sky" x2="1" y2="1"><stop stop-color="#5b7dfa"/><stop offset="1" stop-color="#2f3fb8"/></linearGradient></defs>
<rect width="48" height="48" rx="12" fill="url(#sky)"/>
<path fill="#fff" d="M10 13h4v3h4v-3h4v3h4v-3h4v3h4v-3h4v22h-8v-8a6 6 0 0 0-12 0v8h-8z"/>
<path fill="#fff" fill-opacity=".55" d="M20.500 35v-8a3.500 3.500 0 0 1 7 0v8h-1.750v-8h-1v8h-1.500v-8h-1v8z"/>
</svg>
)svg";

std::string logo_url() {
  return "data:image/svg+xml;base64," + base64_encode(kLogo);
}

std::string page_head(std::string_view title, std::string_view style) {
  return fmt::format(
      "<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"robots\" content=\"noindex\">\n<title>{}</title>\n"
      "<link rel=\"icon\" href=\"{}\">\n{}\n",
      html_escape(title), logo_url(), style);
}

std::string card_page(std::string_view title, std::string_view style, std::string_view content) {
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n{}</head>\n<body class=\"door\">\n"
      "<main class=\"card\">\n{}{}</main>\n</body>\n</html>\n",
      page_head(std::string(title) + " · Gatehouse", style), kLogo, content);
}

std::string style_link(std::string_view path) {
  return fmt::format("<link rel=\"stylesheet\" href=\"{}\">", html_escape(path));
}

}  // namespace gatehouse::http
