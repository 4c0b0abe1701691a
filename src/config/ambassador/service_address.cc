#include "config/ambassador/service_address.h"

#include <utility>

#include "config/text.h"
#include "http/headers.h"
#include "http/url.h"

namespace gatehouse::config::ambassador {
namespace {

/// What `tls` says: nothing, true, or a TLSContext.
struct Origination {
  bool on = false;
  const TlsContext* context = nullptr;
};

Origination read_tls(FieldReader& fields, const Context& context) {
  const YamlNode* node = fields.find("tls");
  if (node == nullptr) return {};
  if (!is_text(*node)) return {.on = fields.boolean("tls").value_or(false)};
  const std::optional<std::string> name = fields.text("tls");
  if (!name || name->empty()) return {};
  const std::string& name_space = fields.report().object().name_space;
  const TlsContext* found = context.tls_contexts.find(*name, name_space);
  if (found == nullptr || found->broken) {
    fields.problem("tls", "TLSContext " + quote(*name) +
                              (found != nullptr ? " is left out itself" : " is not there"));
  }
  return {.on = true, .context = found};
}

bool is_qualified(std::string_view host) {
  return host.find('.') != std::string_view::npos || host.find(':') != std::string_view::npos ||
         host == "localhost";
}

}  // namespace

Result<ServiceAddress, std::string> parse_service(std::string_view text, bool https,
                                                  std::string_view name_space,
                                                  const Context& context) {
  constexpr std::string_view kForm =
      "name, name.namespace or name:port, with http:// or https:// before it if need be";
  ServiceAddress out{.https = https};
  const std::size_t scheme_end = text.find("://");
  if (scheme_end != std::string_view::npos) {
    const std::string scheme = http::lower_case(text.substr(0, scheme_end));
    if (scheme != "http" && scheme != "https") return std::unexpected(std::string(kForm));
    out.https = scheme == "https";
    out.has_scheme = true;
    text.remove_prefix(scheme_end + 3);
  }
  // TLS by a TLSContext holds even for http://.
  Result<http::Url> url =
      http::parse_url((https || out.https ? "https://" : "http://") + std::string(text));
  if (!url || !url->query.empty()) return std::unexpected(std::string(kForm));
  out.https = out.https || https;
  out.has_path = url->path != "/";
  const bool qualify = !context.defaults.services_in_gateway_namespace &&
                       name_space != context.options.gateway_namespace && !is_qualified(url->host);
  out.host = url->authority();
  if (qualify) url->host += "." + std::string(name_space);
  out.url = url->origin();
  return out;
}

bool read_service(FieldReader& fields, std::string_view name, const Context& context,
                  Upstream& upstream, ServiceAddress& address) {
  const Origination tls = read_tls(fields, context);
  const std::optional<std::string> text = fields.text(name);
  if (!text) {
    if (!fields.has(name)) fields.problem(name, "is missing");
    return false;
  }
  Result<ServiceAddress, std::string> parsed =
      parse_service(*text, tls.on, fields.report().object().name_space, context);
  if (!parsed) {
    fields.problem(name, quote(*text) + " must be " + parsed.error());
    return false;
  }
  if (parsed->has_path) fields.warning(name, "a path has no effect here; use rewrite");
  if (tls.on && parsed->has_scheme && text->starts_with("http:")) {
    fields.warning(name, "http:// has no effect beside tls: the service is reached by TLS");
  }
  address = std::move(*parsed);
  upstream.service = address.url;
  if (tls.context != nullptr) upstream.tls = tls.context->upstream;
  return true;
}

}  // namespace gatehouse::config::ambassador
