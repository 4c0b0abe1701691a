#include "app/sample_pages.h"

#include <fmt/format.h>

#include "http/html.h"

namespace gatehouse::app {
namespace {

constexpr std::string_view kPage = R"html(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Dashboard - Gatehouse demo</title>
<link rel="stylesheet" href="{style}">
</head>
<body>
<header>
<p class="brand">Gatehouse <span>demo</span></p>
<form method="post" action="/authservice/logout"><button type="submit">Sign out</button></form>
</header>
<main>
<h1>You are signed in</h1>
<dl>
<div><dt>User</dt><dd id="user">{user}</dd></div>
<div><dt>Groups</dt><dd id="groups">{groups}</dd></div>
<div><dt>Until</dt><dd id="expires">{expires}</dd></div>
</dl>
<h2>Behind the door</h2>
<ul>
<li><a href="/pipeline/?hello=world"><strong>Pipeline</strong> What reached the service, as JSON</a></li>
<li><a href="/events"><strong>Events</strong> A server-sent event a second</a></li>
<li><a href="/dex/.well-known/openid-configuration"><strong>Provider</strong> The OpenID discovery document</a></li>
</ul>
<p class="hint">A WebSocket echo answers at <code>/ws</code>.</p>
</main>
</body>
</html>
)html";

}  // namespace

const StaticText kDashboardStyle{.path = "/dashboard.css", .text = R"css(:root {
  color-scheme: light dark;
  --ground: #f4f6f9; --card: #ffffff; --text: #1b2430; --quiet: #566273;
  --line: #d9dfe7; --accent: #1d5fd0; --accent-text: #ffffff;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #10151c; --card: #1a212b; --text: #e8edf4; --quiet: #a3b0c0;
    --line: #303a48; --accent: #7fb0ff; --accent-text: #0c1420;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--ground); color: var(--text);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
header {
  display: flex; flex-wrap: wrap; gap: .75rem; align-items: center; justify-content: space-between;
  padding: .75rem clamp(1rem, 4vw, 2.5rem); background: var(--card); border-bottom: 1px solid var(--line);
}
.brand { margin: 0; font-weight: 700; letter-spacing: -.01em; }
.brand span { color: var(--quiet); font-weight: 400; }
main { max-width: 52rem; margin: 0 auto; padding: clamp(1.25rem, 4vw, 3rem) clamp(1rem, 4vw, 2.5rem); }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 1.25rem; letter-spacing: -.02em; }
h2 { font-size: 1.1rem; margin: 2.25rem 0 .75rem; }
dl { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: .75rem; }
dl div { display: flex; flex-wrap: wrap; gap: .25rem 1rem; padding: .8rem 1.1rem; }
dl div + div { border-top: 1px solid var(--line); }
dt { flex: 0 0 6rem; color: var(--quiet); }
dd { margin: 0; font-weight: 600; overflow-wrap: anywhere; }
ul { list-style: none; margin: 0; padding: 0; display: grid; gap: .75rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 14rem), 1fr)); }
li a {
  display: block; height: 100%; min-height: 44px; padding: 1rem 1.1rem; border-radius: .75rem;
  background: var(--card); border: 1px solid var(--line); color: var(--quiet); text-decoration: none;
}
li a strong { display: block; color: var(--accent); }
li a:hover { border-color: var(--accent); }
button {
  min-height: 44px; padding: 0 1.1rem; border: 1px solid var(--line); border-radius: .6rem;
  background: transparent; color: var(--text); font: inherit; cursor: pointer;
}
button:hover { border-color: var(--accent); }
a:focus-visible, button:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.hint { color: var(--quiet); }
)css"};

std::string dashboard_page(const DashboardView& view) {
  const auto shown = [](const std::string& text, std::string_view otherwise) {
    return text.empty() ? std::string(otherwise) : http::html_escape(text);
  };
  return fmt::format(kPage, fmt::arg("style", kDashboardStyle.path),
                     fmt::arg("user", shown(view.user,
                                            "nobody: this page was not reached "
                                            "through the front door")),
                     fmt::arg("groups", shown(view.groups, "none")),
                     fmt::arg("expires", shown(view.expires, "unknown")));
}

}  // namespace gatehouse::app
