#include "config/ambassador/listeners.h"

#include <algorithm>
#include <array>
#include <utility>

#include "config/ambassador/fields.h"
#include "config/ambassador/last_good.h"
#include "config/text.h"

namespace gatehouse::config::ambassador {
namespace {

struct Protocol {
  std::string_view name;
  std::vector<std::string> stack;
};

std::vector<std::string> stack_of(std::string_view protocol) {
  const std::array<Protocol, 7> known{{{"HTTP", {"HTTP", "TCP"}},
                                       {"HTTPS", {"TLS", "HTTP", "TCP"}},
                                       {"HTTPPROXY", {"PROXY", "HTTP", "TCP"}},
                                       {"HTTPSPROXY", {"TLS", "PROXY", "HTTP", "TCP"}},
                                       {"TCP", {"TCP"}},
                                       {"TLS", {"TLS", "TCP"}},
                                       {"UDP", {"UDP"}}}};
  const auto* found = std::ranges::find(known, protocol, &Protocol::name);
  return found == known.end() ? std::vector<std::string>{} : found->stack;
}

std::vector<std::string> read_stack(FieldReader& fields) {
  const auto protocol =
      fields.one_of("protocol", {"HTTP", "HTTPS", "HTTPPROXY", "HTTPSPROXY", "TCP", "TLS", "UDP"});
  const auto stack = fields.texts("protocolStack");
  if (!stack) {
    if (!protocol && !fields.has("protocol")) {
      fields.problem("protocol", "protocol or protocolStack is needed");
    }
    return stack_of(protocol.value_or("HTTP"));
  }
  if (protocol) fields.warning("protocol", "has no effect beside protocolStack");
  for (const std::string& element : *stack) {
    constexpr std::array<std::string_view, 5> kKnown{"HTTP", "PROXY", "TLS", "TCP", "UDP"};
    if (std::ranges::find(kKnown, element) == kKnown.end()) {
      fields.problem("protocolStack",
                     quote(element) + " must be one of HTTP, PROXY, TLS, TCP or UDP");
    }
  }
  return *stack;
}

void read_binding(FieldReader& fields, Listener& out) {
  std::optional<FieldReader> binding = fields.object("hostBinding");
  if (!binding) return;
  out.hosts = read_selector(*binding, "selector");
  std::optional<FieldReader> name_space = binding->object("namespace");
  const auto from =
      name_space ? name_space->one_of("from", {"SELF", "ALL", "SELECTOR"}) : std::nullopt;
  // Without a namespace a binding by labels is for the Listener's own, as in Emissary.
  if (from != "ALL") out.name_space = out.object->name_space;
  if (from == "SELECTOR") {
    name_space->warning("from", "namespaces' labels are not known here; SELF is taken");
  }
  if (name_space) name_space->finish();
  binding->finish();
}

void read_trust(FieldReader& fields, const ListenDefaults& defaults, Listen& listen) {
  const auto model = fields.one_of("securityModel", {"XFP", "SECURE", "INSECURE"});
  if (!model && !fields.has("securityModel")) fields.problem("securityModel", "is missing");
  listen.secure_by = model == "SECURE" ? "always" : model == "INSECURE" ? "never" : "forwarded";
  listen.trusted_hops = defaults.trusted_hops;
  const auto depth = fields.integer("l7Depth", 0, 64);
  if (depth && *depth > 0) listen.trusted_hops = static_cast<std::size_t>(*depth);
}

/// nullopt: nothing is to be opened.
std::optional<Listener> read_listener(const Object& object, const ListenDefaults& defaults,
                                      Report& report) {
  ObjectReport object_report(object, report);
  FieldReader fields = fields_of(object_report);
  Listener out{.object = &object};
  const auto port = fields.integer("port", 1, 65535);
  if (!port && !fields.has("port")) fields.problem("port", "is missing");
  out.listen.address = ":" + std::to_string(port.value_or(0));
  const std::vector<std::string> stack = read_stack(fields);
  const auto speaks = [&](std::string_view element) {
    return std::ranges::find(stack, element) != stack.end();
  };
  out.tls = speaks("TLS");
  out.http = speaks("HTTP");
  out.listen.proxy_protocol = speaks("PROXY") || defaults.proxy_protocol;
  read_trust(fields, defaults, out.listen);
  read_binding(fields, out);
  fields.accept({"statsPrefix"});
  fields.finish();
  if (speaks("UDP")) {
    fields.problem("protocol", "UDP and HTTP/3 are not served");
  }
  if (object_report.failed()) return std::nullopt;
  return out;
}

/// What a client sees that names no host that we know.
const Tls* default_tls(const Gateway& gateway, const Gateway& base) {
  const Tls* first = nullptr;
  for (const Host& host : gateway.hosts) {
    if (!has_certificate(host.tls)) continue;
    if (host.hostname == "*") return &host.tls;
    if (first == nullptr) first = &host.tls;
  }
  if (first != nullptr) return first;
  const auto own = std::ranges::find_if(
      base.listen, [](const Listen& listen) { return has_certificate(listen.tls); });
  return own == base.listen.end() ? nullptr : &own->tls;
}

/// Where every request counts as secure, one in cleartext would pass without the certificate that a
/// Host demands of clients.
bool serves_cleartext_too(const Listen& listen, const Gateway& gateway) {
  const auto demands = [](const Host& host) { return host.tls.client_required; };
  return listen.secure_by != "always" || std::ranges::none_of(gateway.hosts, demands);
}

/// nullopt: there is no certificate at all.
std::optional<Listen> with_certificate(const Listener& listener, const Context& context,
                                       const Gateway& gateway, Report& report) {
  Listen out = listener.listen;
  if (!listener.tls) return out;
  out.cleartext_too = serves_cleartext_too(out, gateway);
  const Object& object = *listener.object;
  const Tls& self_signed = context.options.self_signed;
  if (const Tls* tls = default_tls(gateway, context.base)) {
    out.tls = *tls;
  } else if (has_certificate(self_signed)) {
    out.tls = self_signed;
    report.warning(object.subject, object.mark, "spec.protocol",
                   "no Host has a certificate: clients are shown a self-signed one, which they do "
                   "not trust; give a Host a tlsSecret");
  } else {
    report.problem(object.subject, object.mark, "spec.protocol",
                   "TLS needs a certificate, and no Host has one; give a Host a tlsSecret");
    return std::nullopt;
  }
  return out;
}

/// The fields of a Listener that are not as on the address that is listened on instead.
std::string unlike(const Listen& wanted, const Listen& kept) {
  std::string out;
  for (const auto& [field, differs] :
       {std::pair("PROXY", wanted.proxy_protocol != kept.proxy_protocol),
        std::pair("l7Depth", wanted.trusted_hops != kept.trusted_hops),
        std::pair("securityModel", wanted.secure_by != kept.secure_by)}) {
    if (differs) out += (out.empty() ? "" : ", ") + std::string(field);
  }
  return out;
}

void warn_that_it_is_not_opened(const Listener& listener, const std::vector<Listen>& kept,
                                Report& report) {
  std::string message = "is not opened: the addresses are given elsewhere";
  for (const Listen& listen : kept) {
    const std::string fields = unlike(listener.listen, listen);
    if (fields.empty()) continue;
    message += ", and what it says of " + fields + " does not hold for " + listen.address;
    break;
  }
  report.warning(listener.object->subject, listener.object->mark, "", std::move(message));
}

/// The addresses that the manifests do not choose: what the Module says holds for them too.
void keep_listen(const ListenDefaults& defaults, std::vector<Listen>& kept) {
  for (Listen& listen : kept) {
    listen.proxy_protocol = listen.proxy_protocol || defaults.proxy_protocol;
    if (defaults.trusted_hops > 0) listen.trusted_hops = defaults.trusted_hops;
  }
}

void warn_of_unused_certificates(const Gateway& gateway, Report& report) {
  const auto shows = [](const auto& holder) { return has_certificate(holder.tls); };
  const auto host = std::ranges::find_if(gateway.hosts, shows);
  if (host == gateway.hosts.end() || std::ranges::any_of(gateway.listen, shows)) return;
  report.warning({.file = "manifests"}, {}, "",
                 "the certificate of the Host for " + quote(host->hostname) +
                     " is unused: the addresses of --listen serve cleartext only without "
                     "--tls-cert; give --tls-cert and --tls-key");
}

}  // namespace

bool Listener::binds(const Object& host) const {
  if (!http) return false;
  if (!name_space.empty() && name_space != host.name_space) return false;
  return !hosts || hosts->matches(host.labels);
}

std::vector<Listener> read_listeners(const Objects& objects, const ListenDefaults& defaults,
                                     const Versions& versions, Report& report) {
  std::vector<Listener> out;
  for (const Object* object : objects.of("Listener")) {
    std::optional<Listener> listener =
        read_or_keep(*object, &LastGood::listeners, versions, report,
                     [&] { return read_listener(*object, defaults, report); });
    if (!listener) continue;
    listener->object = object;
    const auto same_port = [&](const Listener& other) {
      return other.listen.address == listener->listen.address;
    };
    if (std::ranges::any_of(out, same_port)) {
      report.problem(object->subject, object->mark, "spec.port",
                     "another Listener has this port; the first counts");
      continue;
    }
    out.push_back(std::move(*listener));
  }
  return out;
}

void open_listeners(const std::vector<Listener>& listeners, const ListenDefaults& defaults,
                    const Context& context, Report& report, Gateway& gateway) {
  std::vector<Listen> kept = gateway.listen;
  keep_listen(defaults, kept);
  std::vector<Listen> open;
  for (const Listener& listener : listeners) {
    if (!listener.http) continue;
    if (context.options.keep_listen) {
      warn_that_it_is_not_opened(listener, kept, report);
      continue;
    }
    std::optional<Listen> listen = with_certificate(listener, context, gateway, report);
    if (listen) open.push_back(std::move(*listen));
  }
  gateway.listen = open.empty() ? std::move(kept) : std::move(open);
  if (context.options.keep_listen) warn_of_unused_certificates(gateway, report);
}

}  // namespace gatehouse::config::ambassador
