#include "config/ambassador/hosts.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "config/ambassador/fields.h"
#include "config/ambassador/listeners.h"
#include "config/ambassador/mapping.h"
#include "config/ambassador/selector.h"
#include "config/ambassador/tls_contexts.h"
#include "config/text.h"

namespace gatehouse::config::ambassador {
namespace {

/// Puts the selector on the Host, and on the routes what the Host asks for.
void apply_selector(const Selector& selector, Host& host, std::vector<Route>& routes) {
  host.route_selector = selector.str();
  if (selector.is_one_label()) return;
  for (Route& route : routes) {
    const bool has = std::ranges::find(route.labels, host.route_selector) != route.labels.end();
    if (!has && selector.matches(route.labels)) route.labels.push_back(host.route_selector);
  }
}

void read_insecure(FieldReader& fields, Host& host) {
  std::optional<FieldReader> policy = fields.object("requestPolicy");
  std::optional<FieldReader> insecure = policy ? policy->object("insecure") : std::nullopt;
  if (insecure) {
    const auto action = insecure->one_of("action", {"Redirect", "Reject", "Route"});
    host.insecure = action == "Route" ? "route" : action == "Reject" ? "reject" : "redirect";
    // -1 is Emissary's word for none.
    host.insecure_port = static_cast<std::size_t>(
        std::max(0LL, insecure->integer("additionalPort", -1, 65535).value_or(0)));
    insecure->finish();
  }
  if (policy) policy->finish();
}

/// The context that the Host names, or that is named after it, or that lists its host name.
std::optional<TlsContext> choose_context(FieldReader& fields, const Context& context,
                                         const std::string& hostname) {
  const Object& object = fields.report().object();
  std::optional<FieldReader> named = fields.object("tlsContext");
  std::optional<FieldReader> inline_tls = fields.object("tls");
  if (named && inline_tls) {
    fields.problem("tls", "tls and tlsContext exclude each other");
    return std::nullopt;
  }
  if (inline_tls) {
    inline_tls->accept_camel_case();
    TlsContext out = read_tls_fields(*inline_tls, context.secrets, object, "", true);
    inline_tls->finish();
    return out;
  }
  const TlsContext* found = nullptr;
  if (named) {
    const std::string name = named->text("name").value_or("");
    found = context.tls_contexts.find(name, object.name_space);
    if (found == nullptr) {
      named->problem("name", "TLSContext " + quote(name) +
                                 (context.tls_contexts.is_declared(name) ? " is left out itself"
                                                                         : " is not there"));
    }
    named->finish();
  } else {
    found = context.tls_contexts.find(object.name + "-context", object.name_space);
    if (found == nullptr) found = context.tls_contexts.for_host(hostname);
  }
  return found != nullptr ? std::optional(*found) : std::nullopt;
}

/// nullopt: the Host has no TLS of its own.
std::optional<TlsContext> read_tls(FieldReader& fields, const Context& context,
                                   const std::string& hostname) {
  std::optional<TlsContext> out = choose_context(fields, context, hostname);
  const Object& object = fields.report().object();
  if (std::optional<FieldReader> secret = fields.object("tlsSecret")) {
    const std::optional<std::string> name = secret->text("name");
    const std::optional<std::string> name_space = secret->text("namespace");
    if (!name) {
      secret->problem("name", "is missing");
      return std::nullopt;
    }
    if (!out) out = TlsContext{.object = &object};
    const Result<void, std::string> read =
        read_certificate(context.secrets,
                         {.name = *name,
                          .name_space = name_space.value_or(object.name_space),
                          .dotted = !name_space.has_value()},
                         *out);
    if (!read) secret->problem("name", read.error());
    secret->finish();
  }
  return out;
}

void read_acme(FieldReader& fields) {
  std::optional<FieldReader> acme = fields.object("acmeProvider");
  if (!acme) return;
  const std::string authority = acme->text("authority").value_or("");
  if (authority != "none" && !fields.has("tlsSecret")) {
    fields.warning("acmeProvider", "certificates are not fetched; give tlsSecret");
  }
}

bool has_certificate(const Tls& tls) {
  return !tls.certificate.empty() || !tls.certificate_pem.empty();
}

/// A Host whose TLS cannot be read keeps its rules for plain requests: with "redirect" they go
/// where TLS is, and nothing that was meant to be encrypted passes in the clear.
void read_host_tls(FieldReader& fields, const Context& context, Host& host) {
  ObjectReport tls_report(fields.report().object(), fields.report().report());
  FieldReader tls_fields = fields_of(tls_report);
  const std::optional<TlsContext> tls = read_tls(tls_fields, context, host.hostname);
  fields.accept({"tls", "tlsContext", "tlsSecret"});
  if (!tls || tls_report.failed()) return;
  if (has_certificate(tls->tls)) {
    host.tls = tls->tls;
  } else {
    fields.warning("tls", "has no effect without a certificate; give tlsSecret");
  }
  if (tls->redirect_cleartext_from != 0) {
    host.insecure = "redirect";
    host.insecure_port = tls->redirect_cleartext_from;
  }
}

std::optional<Host> read_host(const Object& object, const Context& context, Report& report,
                              std::vector<Route>& routes) {
  ObjectReport object_report(object, report);
  FieldReader fields = fields_of(object_report);
  Host host;
  const std::string hostname = fields.text("hostname").value_or("*");
  const Result<std::string, std::string> parsed =
      parse_hostname(hostname.empty() ? "*" : hostname, false);
  if (!parsed) {
    fields.problem("hostname", quote(hostname) + " must be " + parsed.error());
    return std::nullopt;
  }
  host.hostname = *parsed;
  read_host_tls(fields, context, host);
  read_insecure(fields, host);
  std::optional<Selector> selector = read_selector(fields, "mappingSelector");
  const std::optional<Selector> old_selector = read_selector(fields, "selector");
  if (!selector) selector = old_selector;
  read_acme(fields);
  fields.ignore("previewUrl", "there are no previews");
  fields.accept({"status"});
  fields.finish();
  if (object_report.failed()) return std::nullopt;
  if (selector) apply_selector(*selector, host, routes);
  return host;
}

/// Ambassador 1: a TLSContext with hosts ends TLS by itself.
void add_hosts_of_contexts(const TlsContexts& contexts, std::vector<Host>& hosts) {
  for (const TlsContext& context : contexts.list()) {
    if (!has_certificate(context.tls)) continue;
    for (const std::string& hostname : context.hosts) {
      const bool known =
          std::ranges::any_of(hosts, [&](const Host& host) { return host.hostname == hostname; });
      if (known || !parse_hostname(hostname, false)) continue;
      const bool redirects = context.redirect_cleartext_from != 0;
      hosts.push_back({.hostname = hostname,
                       .tls = context.tls,
                       .insecure = redirects ? "redirect" : "route",
                       .insecure_port = context.redirect_cleartext_from});
    }
  }
}

bool is_repeated(const Host& host, const std::vector<Host>& hosts) {
  return std::ranges::any_of(hosts, [&](const Host& other) {
    return other.hostname == host.hostname && other.route_selector == host.route_selector;
  });
}

}  // namespace

void read_hosts_and_listeners(const Objects& objects, const Context& context,
                              const ListenDefaults& defaults, Report& report, Gateway& gateway) {
  const std::vector<Listener> listeners = read_listeners(objects, defaults, report);
  const bool any_http = std::ranges::any_of(listeners, &Listener::http);
  std::vector<Host> hosts;
  for (const Object* object : objects.of("Host")) {
    const auto binds = [&](const Listener& listener) { return listener.binds(*object); };
    if (any_http && std::ranges::none_of(listeners, binds)) {
      report.warning(object->subject, object->mark, "",
                     "is left out: the hostBinding of no Listener takes it");
      continue;
    }
    std::optional<Host> host = read_host(*object, context, report, gateway.routes);
    if (!host) continue;
    if (is_repeated(*host, hosts)) {
      report.problem(object->subject, object->mark, "spec.hostname",
                     "a second Host for " + quote(host->hostname) +
                         " with the same mappingSelector; the first counts");
      continue;
    }
    hosts.push_back(std::move(*host));
  }
  add_hosts_of_contexts(context.tls_contexts, hosts);
  gateway.hosts.insert(gateway.hosts.end(), hosts.begin(), hosts.end());
  open_listeners(listeners, context, report, gateway);
}

}  // namespace gatehouse::config::ambassador
