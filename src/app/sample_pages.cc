#include "app/sample_pages.h"

#include <fmt/format.h>

#include "http/html.h"
#include "http/page_look.h"

namespace gatehouse::app {
namespace {

constexpr std::string_view kPage = R"html(<!doctype html>
<html lang="en">
<head>
{head}</head>
<body>
<header>
{logo}<p class="brand">Gatehouse <span>demo</span></p>
<form method="post" action="/authservice/logout"><button class="button quiet" type="submit">Sign out</button></form>
</header>
<main>
<h1>You are signed in</h1>
<p class="lead">The front door told this service who you are.</p>
<dl>
<div><dt>User</dt><dd id="user">{user}</dd></div>
<div><dt>Groups</dt><dd id="groups">{groups}</dd></div>
<div><dt>Session until</dt><dd id="expires">{expires}</dd></div>
</dl>
<h2>Behind the door</h2>
<ul>
<li><a href="/pipeline/?hello=world"><strong>Pipeline</strong> What reached the service, as JSON</a></li>
<li><a href="/events"><strong>Events</strong> A server-sent event a second</a></li>
<li><a href="/dex/.well-known/openid-configuration"><strong>Provider</strong> The OpenID discovery document</a></li>
</ul>
<p class="note">A WebSocket echo answers at <code>/ws</code>.</p>
</main>
</body>
</html>
)html";

constexpr std::string_view kDashboardOnly = R"css(
header {
  display: flex; align-items: center; gap: .625rem;
  padding: .75rem clamp(1rem, 4vw, 2.5rem);
  background: var(--card); border-block-end: 1px solid var(--edge);
}
header .logo { width: 2.25rem; height: 2.25rem; flex: none; }
header .button { padding-inline: .875rem; }
.brand { margin: 0; flex: 1; white-space: nowrap; font-weight: 650; letter-spacing: -.01em; }
.brand span { color: var(--soft); font-weight: 400; }
@media (max-width: 22rem) { .brand span { display: none; } }
main { max-width: 60rem; margin: 0 auto; padding: clamp(1.5rem, 5vw, 3.5rem) clamp(1rem, 4vw, 2.5rem); }
h2 { margin: 2.5rem 0 .875rem; font-size: 1.125rem; letter-spacing: -.01em; }
dl, li a { background: var(--card); border: 1px solid var(--edge); border-radius: 1rem; box-shadow: var(--shadow); }
dl { margin: 1.75rem 0 0; }
dl div { display: flex; flex-wrap: wrap; gap: .125rem 1rem; padding: .875rem 1.25rem; }
dl div + div { border-block-start: 1px solid var(--edge); }
dt { flex: 0 0 8rem; color: var(--soft); }
dd { margin: 0; font-weight: 600; overflow-wrap: anywhere; min-width: 0; }
ul {
  list-style: none; margin: 0; padding: 0; display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 15rem), 1fr));
}
li a { display: block; height: 100%; padding: 1rem 1.25rem; color: var(--soft); text-decoration: none; }
li a strong { display: block; color: var(--accent); font-weight: 650; }
li a:hover { border-color: var(--accent); }
.button.quiet { background: transparent; color: var(--text); border-color: var(--field-edge); }
.button.quiet:hover { border-color: var(--accent); color: var(--accent); }
)css";

/// As people write lists: a browser breaks lines after spaces only.
std::string spaced(std::string_view list) {
  std::string out;
  for (const char c : list) {
    out += c;
    if (c == ',') out += ' ';
  }
  return out;
}

}  // namespace

std::string dashboard_style() {
  return std::string(http::kPageStyle) + std::string(kDashboardOnly);
}

std::string dashboard_page(const DashboardView& view) {
  const auto shown = [](const std::string& text, std::string_view otherwise) {
    return text.empty() ? std::string(otherwise) : http::html_escape(text);
  };
  return fmt::format(kPage,
                     fmt::arg("head", http::page_head("Dashboard · Gatehouse demo",
                                                      http::style_link(kDashboardStylePath))),
                     fmt::arg("logo", http::kLogo),
                     fmt::arg("user", shown(view.user,
                                            "nobody: this page was not reached "
                                            "through the front door")),
                     fmt::arg("groups", shown(spaced(view.groups), "none")),
                     fmt::arg("expires", shown(view.expires, "unknown")));
}

}  // namespace gatehouse::app
