#include "config/ambassador/hosts.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "config/ambassador/fields.h"
#include "config/ambassador/last_good.h"
#include "config/ambassador/listeners.h"
#include "config/ambassador/mapping.h"
#include "config/ambassador/selector.h"
#include "config/ambassador/tls_contexts.h"
#include "config/text.h"

namespace gatehouse::config::ambassador {
namespace {

/// Labels have an "=", so that no route has this one.
constexpr std::string_view kClosed = "(closed)";

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

/// What could be read of a Host's TLS, and whether all could.
struct HostTls {
  std::optional<TlsContext> context;
  bool failed = false;
};

/// The context that the Host names, or that is named after it, or that lists its host name.
std::optional<TlsContext> choose_context(FieldReader& fields, const Context& context,
                                         const std::string& hostname) {
  const Object& object = fields.report().object();
  std::optional<FieldReader> named = fields.object("tlsContext");
  std::optional<FieldReader> inline_tls = fields.object("tls");
  if (named && inline_tls) fields.problem("tls", "tls and tlsContext exclude each other");
  if (inline_tls) {
    inline_tls->accept_camel_case();
    TlsContext out = read_tls_fields(*inline_tls, context.secrets, object, "", true);
    inline_tls->finish();
    return out;
  }
  const TlsContext* found = nullptr;
  std::string name;
  if (named) {
    name = named->text("name").value_or("");
    found = context.tls_contexts.find(name, object.name_space);
    named->finish();
  } else {
    found = context.tls_contexts.find(object.name + "-context", object.name_space);
    if (found == nullptr) found = context.tls_contexts.for_host(hostname);
    if (found != nullptr) name = found->object->name;
  }
  if ((named && found == nullptr) || (found != nullptr && found->broken)) {
    fields.problem("tlsContext", "TLSContext " + quote(name) +
                                     (found != nullptr ? " is left out itself" : " is not there"));
  }
  return found != nullptr ? std::optional(*found) : std::nullopt;
}

void read_secret(FieldReader& secret, const Context& context, TlsContext& out) {
  const Object& object = secret.report().object();
  const std::optional<std::string> name = secret.text("name");
  const std::optional<std::string> name_space = secret.text("namespace");
  if (!name) return secret.problem("name", "is missing");
  const Result<void, std::string> read =
      read_certificate(context.secrets,
                       {.name = *name,
                        .name_space = name_space.value_or(object.name_space),
                        .dotted = !name_space.has_value()},
                       out);
  if (!read) secret.problem("name", read.error());
  secret.finish();
}

HostTls read_tls(FieldReader& fields, const Context& context, const std::string& hostname) {
  ObjectReport report(fields.report().object(), fields.report().report());
  FieldReader tls_fields = fields.reported_to(report);
  HostTls out{.context = choose_context(tls_fields, context, hostname)};
  if (std::optional<FieldReader> secret = tls_fields.object("tlsSecret")) {
    if (!out.context) out.context = TlsContext{.object = &report.object()};
    read_secret(*secret, context, *out.context);
  }
  if (out.context) check_certificates(tls_fields, context.options, "tlsSecret", *out.context);
  fields.accept({"tls", "tlsContext", "tlsSecret"});
  out.failed = report.failed();
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

/// Of a Host whose hostname is a pattern that no certificate is found by. True if it may be served.
bool without_tls(FieldReader& fields, const TlsContext& context) {
  constexpr std::string_view kReason =
      "no certificate is chosen by such a pattern: give it to a Host for a whole name, for "
      "*.example.org or for *";
  if (context.tls.client_required) {
    fields.problem("hostname", std::string(kReason));
    return false;
  }
  if (has_certificate(context.tls)) fields.warning("hostname", std::string(kReason));
  return true;
}

/// A Host whose certificate cannot be read keeps its rules for plain requests: with "redirect" they
/// go where TLS is, and nothing that was meant to be encrypted passes in the clear. False if it
/// asks clients for certificates and has none of its own: it would be served without theirs.
bool read_host_tls(FieldReader& fields, const Context& context, Host& host) {
  const HostTls tls = read_tls(fields, context, host.hostname);
  if (!tls.context) return true;
  if (tls.failed) return !tls.context->tls.client_required;
  if (!is_name_of_tls(host.hostname)) return without_tls(fields, *tls.context);
  if (has_certificate(tls.context->tls)) {
    host.tls = tls.context->tls;
  } else if (tls.context->tls.client_required) {
    fields.problem("tls", "clients cannot be asked for certificates without one; give tlsSecret");
    return false;
  } else {
    fields.warning("tls", "has no effect without a certificate; give tlsSecret");
  }
  if (tls.context->redirect_cleartext_from != 0) {
    host.insecure = "redirect";
    host.insecure_port = tls.context->redirect_cleartext_from;
  }
  return true;
}

/// In place of a Host that cannot be served as it is meant: no route has that label.
Host closed(const std::string& hostname) {
  return {.hostname = hostname, .insecure = "reject", .route_selector = std::string(kClosed)};
}

ReadHost read_host(const Object& object, const Context& context, Report& report) {
  ObjectReport object_report(object, report);
  FieldReader fields = fields_of(object_report);
  ReadHost out;
  const std::string hostname = fields.text("hostname").value_or("*");
  const Result<std::string, std::string> parsed = parse_hostname(hostname.empty() ? "*" : hostname);
  if (fields.failed()) return out;
  if (!parsed) {
    fields.problem("hostname", quote(hostname) + " must be " + parsed.error());
    return out;
  }
  out.has_name = true;
  out.host.hostname = *parsed;
  const bool secure_as_meant = read_host_tls(fields, context, out.host);
  read_insecure(fields, out.host);
  out.selector = read_selector(fields, "mappingSelector");
  const std::optional<Selector> old_selector = read_selector(fields, "selector");
  if (!out.selector) out.selector = old_selector;
  read_acme(fields);
  fields.ignore("previewUrl", "there are no previews");
  fields.accept({"status"});
  fields.finish();
  out.can_be_served = secure_as_meant && !object_report.failed();
  return out;
}

/// The last good version, if there is one, of a Host with a problem; without one, what could be
/// read.
ReadHost read_or_keep_host(const Object& object, const Context& context, Report& report) {
  ReadHost fresh;
  const std::optional<ReadHost> good =
      read_or_keep(object, &LastGood::hosts, context.versions, report, [&] {
        const std::size_t known = report.problem_count();
        fresh = read_host(object, context, report);
        return report.problem_count() == known ? std::optional(fresh) : std::nullopt;
      });
  if (good) return *good;
  if (fresh.has_name && !fresh.can_be_served) {
    report.problem(object.subject, object.mark, "",
                   "until it is mended, nothing is served for " + quote(fresh.host.hostname));
  }
  return fresh;
}

bool is_known(const std::string& hostname, const std::vector<Host>& hosts) {
  return std::ranges::find(hosts, hostname, &Host::hostname) != hosts.end();
}

/// Ambassador 1: a TLSContext with hosts ends TLS by itself.
void add_hosts_of_contexts(const TlsContexts& contexts, std::vector<Host>& hosts) {
  for (const TlsContext& context : contexts.list()) {
    for (const std::string& hostname : context.hosts) {
      const Result<std::string, std::string> parsed = parse_hostname(hostname);
      if (is_known(hostname, hosts) || !parsed || !is_name_of_tls(*parsed)) continue;
      if (context.broken || !has_certificate(context.tls)) {
        if (context.tls.client_required) hosts.push_back(closed(hostname));
      } else {
        const bool redirects = context.redirect_cleartext_from != 0;
        hosts.push_back({.hostname = hostname,
                         .tls = context.tls,
                         .insecure = redirects ? "redirect" : "route",
                         .insecure_port = context.redirect_cleartext_from});
      }
    }
  }
}

bool is_repeated(const Host& host, const std::vector<Host>& hosts) {
  return std::ranges::any_of(hosts, [&](const Host& other) {
    return other.hostname == host.hostname && other.route_selector == host.route_selector;
  });
}

/// Reads the Hosts that a Listener takes. The others, and those with problems, are closed.
std::vector<Host> read_hosts(const Objects& objects, const Context& context,
                             const std::vector<Listener>& listeners, Report& report,
                             std::vector<Route>& routes) {
  const bool any_http = std::ranges::any_of(listeners, &Listener::http);
  std::vector<Host> hosts;
  std::vector<Host> closed_hosts;
  for (const Object* object : objects.of("Host")) {
    const auto binds = [&](const Listener& listener) { return listener.binds(*object); };
    ReadHost read = read_or_keep_host(*object, context, report);
    if (!read.has_name) continue;
    if (read.can_be_served && read.selector) apply_selector(*read.selector, read.host, routes);
    if (any_http && std::ranges::none_of(listeners, binds)) {
      report.warning(object->subject, object->mark, "",
                     "is not served: the hostBinding of no Listener takes it");
      closed_hosts.push_back(closed(read.host.hostname));
    } else if (!read.can_be_served) {
      closed_hosts.push_back(closed(read.host.hostname));
    } else if (is_repeated(read.host, hosts)) {
      report.problem(object->subject, object->mark, "spec.hostname",
                     "a second Host for " + quote(read.host.hostname) +
                         " with the same mappingSelector; the first counts");
    } else {
      hosts.push_back(std::move(read.host));
    }
  }
  for (Host& host : closed_hosts) {
    if (!is_known(host.hostname, hosts)) hosts.push_back(std::move(host));
  }
  return hosts;
}

/// Of a client that is asked for no certificate there is nothing to tell.
void tell_upstreams_of_clients(const std::vector<std::string>& what, Gateway& gateway) {
  const auto tell = [&](Tls& tls) {
    const bool asks = !tls.client_ca.empty() || !tls.client_ca_pem.empty();
    if (asks && tls.forward_client.empty()) tls.forward_client = what;
  };
  for (Host& host : gateway.hosts) tell(host.tls);
  for (Listen& listen : gateway.listen) tell(listen.tls);
}

}  // namespace

void read_hosts_and_listeners(const Objects& objects, const Context& context,
                              const ListenDefaults& defaults, Report& report, Gateway& gateway) {
  const std::vector<Listener> listeners =
      read_listeners(objects, defaults, context.versions, report);
  std::vector<Host> hosts = read_hosts(objects, context, listeners, report, gateway.routes);
  if (!hosts.empty()) gateway.unknown_hosts = "reject";
  add_hosts_of_contexts(context.tls_contexts, hosts);
  gateway.hosts.insert(gateway.hosts.end(), hosts.begin(), hosts.end());
  open_listeners(listeners, defaults, context, report, gateway);
  tell_upstreams_of_clients(defaults.forward_client, gateway);
}

}  // namespace gatehouse::config::ambassador
