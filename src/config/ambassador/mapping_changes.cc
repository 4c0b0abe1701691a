#include <algorithm>
#include <array>
#include <utility>

#include "config/ambassador/header_edits.h"
#include "config/ambassador/mapping.h"
#include "config/syntax.h"
#include "config/text.h"
#include "http/headers.h"
#include "http/url.h"

namespace gatehouse::config::ambassador {
namespace {

constexpr std::array<long long, 5> kRedirects{301, 302, 303, 307, 308};

struct Substitution {
  std::string pattern, text;
};

std::optional<Substitution> read_substitution(FieldReader& fields, std::string_view name) {
  std::optional<FieldReader> rewrite = fields.object(name);
  if (!rewrite) return std::nullopt;
  Substitution out{.pattern = rewrite->regex("pattern").value_or(""),
                   .text = rewrite->text("substitution").value_or("")};
  if (out.pattern.empty()) rewrite->problem("pattern", "is missing");
  rewrite->finish();
  return out;
}

void read_rewrite(FieldReader& fields, Route& route) {
  const std::optional<std::string> rewrite = fields.text("rewrite");
  const bool given = rewrite && !rewrite->empty() && *rewrite != "/";
  if (auto substitution = read_substitution(fields, "regex_rewrite")) {
    if (given) fields.warning("rewrite", "has no effect beside regex_rewrite");
    route.rewrite_regex = std::move(substitution->pattern);
    route.rewrite_substitution = std::move(substitution->text);
    return;
  }
  if (route.match == "regex") {
    if (given) fields.warning("rewrite", "has no effect beside prefix_regex; use regex_rewrite");
    return;
  }
  route.rewrite = rewrite.value_or("/");
  if (!route.rewrite.empty() && !route.rewrite.starts_with('/')) {
    fields.problem("rewrite", quote(route.rewrite) + " must begin with /, or be empty");
  }
}

void read_host_rewrite(FieldReader& fields, Route& route) {
  route.auto_host_rewrite = fields.boolean("auto_host_rewrite").value_or(false);
  const std::optional<std::string> host = fields.text("host_rewrite");
  if (!host || host->empty()) return;
  if (route.auto_host_rewrite) {
    fields.warning("auto_host_rewrite", "has no effect beside host_rewrite");
    route.auto_host_rewrite = false;
  }
  const std::optional<std::string> authority = http::parse_authority(*host);
  if (!authority) {
    return fields.problem("host_rewrite", quote(*host) + " must be a host, as example.org:8080");
  }
  route.host_rewrite = *authority;
}

void read_replacementbody(FieldReader& body, ErrorOverride& out) {
  out.content_type = body.text("content_type").value_or("");
  // Given, it may be empty, as the body then is.
  const YamlNode* text = body.find("text_format");
  const std::optional<FieldReader> json = body.object("json_format");
  std::optional<FieldReader> source = body.object("text_format_source");
  if (int{text != nullptr} + int{json.has_value()} + int{source.has_value()} != 1) {
    return body.problem("text_format",
                        "exactly one of text_format, json_format and text_format_source is needed");
  }
  if (text != nullptr) {
    // Lines are welcome in a body.
    if (text->kind != YamlNode::Kind::kScalar || text->text.size() > kMaxTextBytes) {
      body.problem("text_format",
                   "must be text of at most " + std::to_string(kMaxTextBytes) + " bytes");
    }
    out.text = text->text;
  }
  if (json) out.json = read_text_members(body, "json_format");
  if (source) {
    out.file = source->text("filename").value_or("");
    if (out.file.empty()) source->problem("filename", "is missing");
    source->finish();
  }
  body.finish();
}

std::vector<std::string> read_origins(FieldReader& cors) {
  std::vector<std::string> out;
  for (std::string& origin : cors.texts("origins").value_or(std::vector<std::string>{})) {
    if (kCorsOrigin.valid(http::lower_case(origin))) {
      out.push_back(std::move(origin));
    } else {
      cors.warning("origins", quote(origin) +
                                  " is left out: it must be an origin, as https://example.org or "
                                  "https://*.example.org, or *");
    }
  }
  return out;
}

/// Any site could read with the user's cookies what the user may see.
void withhold_credentials_from_anyone(FieldReader& cors, Cors& out) {
  if (!out.credentials || std::ranges::find(out.origins, "*") == out.origins.end()) return;
  out.credentials = false;
  cors.warning("credentials",
               "has no effect with the origin *: any site could read what a user may see; name "
               "the origins");
}

}  // namespace

void read_cors(FieldReader& fields, Cors& out) {
  // What stands in the Module has been reported there.
  Report reported_before;
  ObjectReport silent(fields.report().object(), reported_before);
  FieldReader said = fields.has_itself("cors") ? fields : fields.reported_to(silent);
  fields.accept({"cors"});
  std::optional<FieldReader> cors = said.object("cors");
  if (!cors) return;
  const auto list = [&](std::string_view name) {
    return cors->texts(name).value_or(std::vector<std::string>{});
  };
  out.origins = read_origins(*cors);
  out.methods = list("methods");
  out.headers = list("headers");
  out.exposed_headers = list("exposed_headers");
  out.credentials = cors->boolean("credentials").value_or(false);
  if (const auto age = cors->duration("max_age")) {
    out.max_age = std::chrono::duration_cast<seconds>(*age);
  }
  cors->accept({"v2CommaSeparatedOrigins"});
  withhold_credentials_from_anyone(*cors, out);
  cors->finish();
  if (out.origins.empty()) out = {};
}

std::vector<ErrorOverride> read_error_overrides(FieldReader& fields) {
  std::vector<ErrorOverride> out;
  for (FieldReader& entry : fields.objects("error_response_overrides")) {
    ErrorOverride replacement;
    const auto status = entry.integer("on_status_code", 400, 599);
    if (!status && !entry.has("on_status_code")) entry.problem("on_status_code", "is missing");
    replacement.status = static_cast<int>(status.value_or(0));
    if (std::optional<FieldReader> body = entry.object("body")) {
      read_replacementbody(*body, replacement);
    } else {
      entry.problem("body", "is missing");
    }
    entry.finish();
    out.push_back(std::move(replacement));
  }
  return out;
}

void read_redirect(FieldReader& fields, const std::string& host, bool https, Route& route) {
  const bool redirects = fields.boolean("host_redirect").value_or(false);
  const std::optional<std::string> path = fields.text("path_redirect");
  const std::optional<std::string> prefix = fields.text("prefix_redirect");
  const std::optional<Substitution> regex = read_substitution(fields, "regex_redirect");
  const auto status = fields.integer("redirect_response_code", 100, 599);
  if (status && std::ranges::find(kRedirects, *status) == kRedirects.end()) {
    fields.problem("redirect_response_code", "must be 301, 302, 303, 307 or 308");
  }
  if (!redirects) {
    for (const std::string_view name :
         {"path_redirect", "prefix_redirect", "regex_redirect", "redirect_response_code"}) {
      if (fields.has(name)) fields.warning(name, "has no effect without host_redirect: true");
    }
    return;
  }
  route.redirect.host = host;
  route.redirect.https = https;
  route.redirect.status = static_cast<int>(status.value_or(301));
  if (path) {
    route.redirect.path = *path;
  } else if (prefix) {
    route.redirect.prefix = *prefix;
  } else if (regex) {
    route.redirect.regex = regex->pattern;
    route.redirect.substitution = regex->text;
  }
  for (const auto& [name, target] :
       {std::pair{"path_redirect", &path}, std::pair{"prefix_redirect", &prefix}}) {
    if (*target && !(*target)->starts_with('/')) fields.problem(name, "must begin with /");
  }
  if (path && prefix) fields.warning("prefix_redirect", "has no effect beside path_redirect");
  if (regex && (path || prefix)) {
    fields.warning("regex_redirect", "has no effect beside path_redirect or prefix_redirect");
  }
}

void read_changes(FieldReader& fields, const Context& context, Route& route) {
  read_rewrite(fields, route);
  read_host_rewrite(fields, route);
  route.add_request_headers =
      read_header_edits(fields, "add_request_headers", context.base.managed_headers);
  route.remove_request_headers = read_header_names(fields, "remove_request_headers");
  route.add_response_headers = read_header_edits(fields, "add_response_headers", {});
  route.remove_response_headers = read_header_names(fields, "remove_response_headers");
  read_cors(fields, route.cors);
  route.error_overrides = read_error_overrides(fields);
  route.bypass_error_overrides = fields.boolean("bypass_error_response_overrides").value_or(false);
}

}  // namespace gatehouse::config::ambassador
