#include "gateway/observe/diagnostics_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <vector>

#include "http/html.h"
#include "http/page_look.h"

namespace gatehouse::gateway {
namespace {

constexpr std::string_view kOwnStyle = R"css(
body.board { padding: clamp(1rem, 3vw, 2.5rem); }
.board > * { max-width: 84rem; margin-inline: auto; }
.board header { display: flex; flex-wrap: wrap; align-items: center; gap: 0.75rem 1rem; }
.board header .button { margin-inline-start: auto; }
.board h2 { margin: 2rem 0 0.75rem; font-size: 1.125rem; }
.board h2 small { color: var(--soft); font-weight: 400; }
.facts { display: flex; flex-wrap: wrap; gap: 0.25rem 2rem; margin: 1rem 0 0; }
.facts div { display: flex; gap: 0.5rem; }
.facts dt { color: var(--soft); }
.facts dd { margin: 0; overflow-wrap: anywhere; }
.board table {
  width: 100%;
  border-collapse: separate;
  border-spacing: 0;
  background: var(--card);
  border: 1px solid var(--edge);
  border-radius: 0.625rem;
  font-size: 0.9375rem;
}
.board th, .board td {
  padding: 0.5rem 0.75rem;
  text-align: start;
  vertical-align: top;
  border-block-end: 1px solid var(--edge);
  overflow-wrap: anywhere;
}
.board th { color: var(--soft); font-weight: 600; font-size: 0.8125rem; white-space: nowrap; }
.board tr:last-child td { border-block-end: 0; }
.board .number { text-align: end; font-variant-numeric: tabular-nums; }
.board td.whole { white-space: nowrap; }
.board td small { display: block; color: var(--soft); }
.board .bad { color: var(--bad); font-weight: 600; }
.board .none { color: var(--soft); }
@media (max-width: 60rem) {
  .board thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .board table, .board tbody, .board tr, .board td { display: block; }
  .board tr { padding-block: 0.5rem; border-block-end: 1px solid var(--edge); }
  .board tr:last-child { border-block-end: 0; }
  .board td { display: flex; gap: 0.75rem; border: 0; padding-block: 0.125rem; }
  .board .number { text-align: start; }
  .board td.whole { white-space: normal; }
  .board td:empty { display: none; }
  .board td::before { content: attr(data-label); flex: 0 0 7rem; color: var(--soft); }
}
)css";

using Cell = std::string;  // HTML
using Row = std::vector<Cell>;

Cell text(std::string_view value) {
  return http::html_escape(value);
}
Cell text(std::string_view value, std::string_view below) {
  if (below.empty()) return text(value);
  return fmt::format("<span>{}<small>{}</small></span>", http::html_escape(value),
                     http::html_escape(below));
}
Cell bad(std::string_view value) {
  return fmt::format("<span class=\"bad\">{}</span>", http::html_escape(value));
}
Cell number(std::uint64_t value) {
  return std::to_string(value);
}
Cell good_or_bad(bool good, std::string_view when_good, std::string_view when_bad) {
  return good ? text(when_good) : bad(when_bad);
}

struct Column {
  std::string_view title;
  std::string_view look = "text";  // a class of the style
};
constexpr std::string_view kWhole = "whole";  // short: on one line
constexpr std::string_view kNumber = "number";

struct Table {
  std::string_view title;
  std::string_view if_empty;
  std::vector<Column> columns;
  std::vector<Row> rows;
  std::size_t total = 0;  // rows there are, of which `rows` may be the first
};

std::string html_of(const Row& row, const std::vector<Column>& columns) {
  std::string out = "<tr>";
  for (std::size_t i = 0; i < row.size(); ++i) {
    out += fmt::format("<td data-label=\"{}\" class=\"{}\">{}</td>", columns[i].title,
                       columns[i].look, row[i]);
  }
  return out + "</tr>\n";
}

std::string html_of(const Table& table) {
  std::string out =
      fmt::format("<section>\n<h2>{} <small>{}</small></h2>\n", table.title, table.total);
  if (table.rows.empty()) {
    return out + fmt::format("<p class=\"none\">{}</p>\n</section>\n", table.if_empty);
  }
  out += "<table>\n<thead><tr>";
  for (const Column& column : table.columns) {
    out += fmt::format("<th scope=\"col\" class=\"{}\">{}</th>", column.look, column.title);
  }
  out += "</tr></thead>\n<tbody>\n";
  for (const Row& row : table.rows) out += html_of(row, table.columns);
  out += "</tbody>\n</table>\n";
  if (table.total > table.rows.size()) {
    out += fmt::format("<p class=\"none\">The first {} of {}; all are in the JSON.</p>\n",
                       table.rows.size(), table.total);
  }
  return out + "</section>\n";
}

/// The first rows of a table, one for each view.
template <class View, class MakeRow>
Table table_of(std::string_view title, std::string_view if_empty, std::vector<Column> columns,
               const std::vector<View>& views, MakeRow make_row) {
  Table table{title, if_empty, std::move(columns), {}, views.size()};
  const std::size_t shown = std::min(views.size(), kDiagnosticRows);
  for (std::size_t i = 0; i < shown; ++i) table.rows.push_back(make_row(views[i]));
  return table;
}

Table problems_of(const DiagnosticSnapshot& snapshot) {
  return table_of("Problems of the configuration", "None.", {{"Severity", kWhole}, {"What"}},
                  snapshot.problems, [](const ProblemView& problem) {
                    return Row{good_or_bad(!problem.is_error, "warning", "error"),
                               text(problem.what)};
                  });
}

Table routes_of(const DiagnosticSnapshot& snapshot) {
  return table_of(
      "Routes, in the order in which they are tried", "None: every request is answered 404.",
      {{"Route"},
       {"Matches"},
       {"Leads to"},
       {"Weight", kWhole},
       {"Authentication", kWhole},
       {"Requests", kNumber}},
      snapshot.routes, [](const RouteView& route) {
        return Row{text(route.name, route.origin),
                   text(route.match),
                   text(without_secrets(route.upstream), route.shadow ? "gets a copy" : ""),
                   text(route.weight),
                   text(route.authenticate ? "asked" : "open"),
                   number(route.hits)};
      });
}

/// An address of a service, with the service's name.
struct Place {
  const ClusterView* cluster;
  const EndpointView* endpoint;  // null: the service has none
};

std::vector<Place> places_of(const std::vector<ClusterView>& clusters) {
  std::vector<Place> places;
  for (const ClusterView& cluster : clusters) {
    if (cluster.endpoints.empty()) places.push_back({&cluster, nullptr});
    for (const EndpointView& endpoint : cluster.endpoints) places.push_back({&cluster, &endpoint});
  }
  return places;
}

std::string_view state_of(const EndpointView& endpoint) {
  if (!endpoint.healthy) return "fails its checks";
  if (endpoint.ejected) return "ejected";
  return endpoint.refused ? "refuses connections" : "";
}

Row row_of(const Place& place) {
  const std::string service = without_secrets(place.cluster->service);
  if (place.endpoint == nullptr) {
    return {text(service), bad("no address"), bad(place.cluster->dns_error), {}, {}, {}};
  }
  const EndpointView& endpoint = *place.endpoint;
  const std::string_view state = state_of(endpoint);
  const std::string_view panic = place.cluster->panic ? "all are used: too few are well" : "";
  const std::string failure =
      endpoint.last_error.empty() ? "" : "last failure: " + endpoint.last_error;
  return {text(service, panic),
          text(endpoint.address),
          state.empty() ? text("well", failure) : bad(state),
          number(endpoint.active_requests),
          number(endpoint.requests),
          number(endpoint.failures)};
}

Table services_of(const DiagnosticSnapshot& snapshot) {
  return table_of("Services", "None.",
                  {{"Service"},
                   {"Address", kWhole},
                   {"State"},
                   {"Under way", kNumber},
                   {"Requests", kNumber},
                   {"Failures", kNumber}},
                  places_of(snapshot.clusters), row_of);
}

Table breakers_of(const DiagnosticSnapshot& snapshot) {
  struct Tripped {
    const ClusterView* cluster;
    const BreakerView* breaker;
  };
  std::vector<Tripped> tripped;
  for (const ClusterView& cluster : snapshot.clusters) {
    for (const BreakerView& breaker : cluster.breakers) {
      if (breaker.refused > 0) tripped.push_back({&cluster, &breaker});
    }
  }
  return table_of("Circuit breakers that have refused requests", "None.",
                  {{"Service"},
                   {"Limit of", kWhole},
                   {"Limit", kNumber},
                   {"Now", kNumber},
                   {"Refused", kNumber}},
                  tripped, [](const Tripped& one) {
                    return Row{text(without_secrets(one.cluster->service)), text(one.breaker->name),
                               number(one.breaker->limit), number(one.breaker->now),
                               number(one.breaker->refused)};
                  });
}

Table listeners_of(const DiagnosticSnapshot& snapshot) {
  return table_of("Listeners", "None.", {{"Address", kWhole}, {"Protocol"}, {"Serves"}},
                  snapshot.listeners, [](const ListenerView& listener) {
                    return Row{text(listener.address), text(listener.protocol),
                               text(listener.serves)};
                  });
}

Table reloads_of(const DiagnosticSnapshot& snapshot) {
  return table_of("Changes of the configuration", "None since the start.",
                  {{"Time", kWhole}, {"Result", kWhole}, {"What"}}, snapshot.reloads,
                  [](const ReloadView& reload) {
                    return Row{text(time_text(reload.time)),
                               good_or_bad(reload.applied, "applied", "refused"),
                               text(reload.what)};
                  });
}

std::string facts_of(const DiagnosticSnapshot& snapshot) {
  const auto fact = [](std::string_view name, const Cell& value) {
    return fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", name, value);
  };
  return "<dl class=\"facts\">\n" +
         fact("State", good_or_bad(snapshot.ready, "ready", "not ready")) +
         fact("Version", text(snapshot.version)) +
         fact("Authorizer", text(without_secrets(snapshot.authorizer))) +
         fact("Started", text(time_text(snapshot.started))) +
         fact("As of", text(time_text(snapshot.taken))) + "</dl>\n";
}

}  // namespace

std::string diagnostics_style() {
  return std::string(http::kPageStyle) + std::string(kOwnStyle);
}

std::string diagnostics_page(const DiagnosticSnapshot& snapshot, std::string_view style_path,
                             std::string_view json_path) {
  std::string out = fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n{}</head>\n<body class=\"board\">\n"
      "<header>{}<h1>Gateway</h1>\n<a class=\"button\" href=\"{}\">JSON</a></header>\n<main>\n",
      http::page_head("Gateway · Gatehouse", http::style_link(style_path)), http::kLogo,
      http::html_escape(json_path));
  out += facts_of(snapshot);
  for (const Table& table : {problems_of(snapshot), routes_of(snapshot), services_of(snapshot),
                             breakers_of(snapshot), listeners_of(snapshot), reloads_of(snapshot)}) {
    out += html_of(table);
  }
  return out + "</main>\n</body>\n</html>\n";
}

}  // namespace gatehouse::gateway
