#include <algorithm>
#include <limits>
#include <utility>

#include "config/ambassador/mapping.h"
#include "config/text.h"
#include "http/headers.h"
#include "http/url.h"

namespace gatehouse::config::ambassador {
namespace {

bool is_visible_path(std::string_view text) {
  return text.starts_with('/') && std::ranges::all_of(text, [](char c) {
           return c > ' ' && c <= '~' && c != '?' && c != '#' && c != '\\';
         });
}

/// A path that no request has once it is normalised.
bool never_matches(std::string_view prefix) {
  const std::string closed = std::string(prefix) + "/";
  const bool doubled = prefix.find("//") != std::string_view::npos;
  return doubled || closed.find("/./") != std::string::npos ||
         closed.find("/../") != std::string::npos;
}

void read_prefix(FieldReader& fields, const Context& context, Route& route) {
  const bool regex = fields.boolean("prefix_regex").value_or(false);
  const bool exact = fields.boolean("prefix_exact").value_or(false);
  route.case_sensitive = fields.boolean("case_sensitive").value_or(true);
  const bool as_text = context.defaults.string_prefix || context.options.string_prefix;
  route.match = regex ? "regex" : exact ? "exact" : as_text ? "string" : "segment";
  const std::optional<std::string> prefix = regex ? fields.regex("prefix") : fields.text("prefix");
  if (!prefix) {
    if (!fields.has("prefix")) fields.problem("prefix", "is missing");
    return;
  }
  route.prefix = *prefix;
  if (regex && exact) fields.warning("prefix_exact", "has no effect beside prefix_regex");
  if (regex) {
    if (prefix->empty()) fields.problem("prefix", "must not be empty");
  } else if (!is_visible_path(*prefix)) {
    fields.problem("prefix", quote(*prefix) +
                                 " must begin with / and hold visible ASCII characters without "
                                 "?, # and \\");
  } else if (never_matches(*prefix)) {
    fields.warning("prefix", quote(*prefix) +
                                 " matches no request: doubled slashes and dot segments are "
                                 "gone from a path before it is routed");
  }
}

void set_host(FieldReader& fields, std::string_view field, const std::string& text, bool wildcards,
              Route& route) {
  const Result<std::string, std::string> host = parse_hostname(text);
  if (!host) return fields.problem(field, quote(text) + " must be " + host.error());
  if (!wildcards && host->find('*') != std::string::npos) {
    return fields.problem(field,
                          quote(text) + " holds *, which matches nothing here; use hostname");
  }
  if (http::lower_case(text) != *host) fields.warning(field, "the port has no effect");
  route.host = *host == "*" ? "" : *host;
}

/// hostname wins over host, and host over a header match for :authority, as in Emissary.
void read_host(FieldReader& fields, Route& route) {
  const bool regex = fields.boolean("host_regex").value_or(false);
  const YamlNode* hostname = fields.find("hostname");
  const YamlNode* host = fields.find("host");
  if (hostname != nullptr) {
    const auto text = fields.text("hostname");
    if (text && !text->empty()) set_host(fields, "hostname", *text, true, route);
    if (host != nullptr) fields.warning("host", "has no effect beside hostname");
  } else if (host != nullptr && regex) {
    route.host_regex = fields.regex("host").value_or("");
  } else if (host != nullptr) {
    const auto text = fields.text("host");
    if (text && !text->empty()) set_host(fields, "host", *text, *text == "*", route);
  }
}

void set_method(FieldReader& fields, std::string_view field, const std::string& text, bool regex,
                Route& route) {
  if (regex) {
    route.method_regex = text;
  } else if (!http::is_token(text)) {
    fields.problem(field, quote(text) + " must be a method, as GET");
  } else {
    route.methods = {text};
  }
}

void read_method(FieldReader& fields, Route& route) {
  const bool regex = fields.boolean("method_regex").value_or(false);
  const auto method = regex ? fields.regex("method") : fields.text("method");
  if (method && !method->empty()) set_method(fields, "method", *method, regex, route);
}

/// true (v2), or a text. nullopt: a problem.
std::optional<std::string> match_value(FieldReader& fields, std::string_view field,
                                       const YamlNode& node) {
  if (!is_text(node) && node.text == "true") return "";
  return fields.text_of(node, field);
}

/// :authority and :method, which manifests may match as if they were headers.
bool read_pseudo_header(FieldReader& fields, std::string_view field, const std::string& name,
                        const std::string& value, bool regex, Route& route) {
  if (name == ":authority") {
    if (!route.host.empty() || !route.host_regex.empty()) return true;
    if (regex) {
      route.host_regex = value;
    } else {
      set_host(fields, field, value, false, route);
    }
    return true;
  }
  if (name == ":method") {
    set_method(fields, field, value, regex, route);
    return true;
  }
  return false;
}

void read_header_matches(FieldReader& fields, std::string_view field, bool regex, Route& route) {
  const std::vector<std::string> present =
      fields.texts("v2BoolHeaders").value_or(std::vector<std::string>{});
  for (const auto& [name, node] : fields.entries(field)) {
    const std::optional<std::string> value = match_value(fields, field, *node);
    if (!value) continue;
    if (regex && value->size() > kMaxRegexBytes) {
      fields.problem(
          *node, field,
          "a regular expression longer than " + std::to_string(kMaxRegexBytes) + " bytes");
      continue;
    }
    if (read_pseudo_header(fields, field, name, *value, regex, route)) continue;
    if (!http::is_token(name)) {
      fields.problem(*node, field, quote(name) + ": a header's name must be a token");
      continue;
    }
    FieldMatch match{.name = name};
    const bool any = std::ranges::find(present, name) != present.end();
    if (!any) (regex ? match.regex : match.value) = *value;
    route.headers.push_back(std::move(match));
  }
}

void read_query_matches(FieldReader& fields, std::string_view field, bool regex, Route& route) {
  const std::vector<std::string> present =
      fields.texts("v2BoolQueryParameters").value_or(std::vector<std::string>{});
  for (const auto& [name, node] : fields.entries(field)) {
    const std::optional<std::string> value = match_value(fields, field, *node);
    if (!value) continue;
    if (name.empty() || !is_one_line(name) || (regex && value->size() > kMaxRegexBytes)) {
      fields.problem(*node, field, quote(name) + " is no name, or its pattern is too long");
      continue;
    }
    FieldMatch match{.name = name};
    const bool any = std::ranges::find(present, name) != present.end();
    if (!any) (regex ? match.regex : match.value) = *value;
    route.query.push_back(std::move(match));
  }
}

}  // namespace

bool is_name_of_tls(std::string_view hostname) {
  return hostname.find('*') == std::string_view::npos || hostname == "*" ||
         hostname.starts_with("*.");
}

Result<std::string, std::string> parse_hostname(std::string_view text) {
  if (text == "*" || text == "*:*") return "*";
  // A pattern is one if it is a name when a letter stands for its star.
  std::string host(text);
  const bool suffix = text.starts_with('*');
  const bool prefix = !suffix && text.ends_with('*');
  if (suffix) host.front() = 'a';
  if (prefix) host.back() = 'a';
  const Result<http::Url> url = http::parse_url("http://" + host);
  if (!url || !http::parse_authority(host) || ((suffix || prefix) && url->host == "a")) {
    return std::unexpected(
        "a host name, with * at most at one end, as example.org, *.example.org, example.* or *");
  }
  const bool ipv6 = url->host.find(':') != std::string::npos;
  std::string out = ipv6 ? "[" + url->host + "]" : url->host;
  if (suffix) out.front() = '*';
  if (prefix) out.back() = '*';
  return out;
}

void read_match(FieldReader& fields, const Context& context, Route& route) {
  read_prefix(fields, context, route);
  read_host(fields, route);
  read_method(fields, route);
  read_header_matches(fields, "headers", false, route);
  read_header_matches(fields, "regex_headers", true, route);
  read_query_matches(fields, "query_parameters", false, route);
  read_query_matches(fields, "regex_query_parameters", true, route);
  if (const auto precedence = fields.integer("precedence", std::numeric_limits<int>::min(),
                                             std::numeric_limits<int>::max())) {
    route.precedence = static_cast<int>(*precedence);
  }
}

}  // namespace gatehouse::config::ambassador
