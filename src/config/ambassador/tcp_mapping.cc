#include <algorithm>
#include <optional>
#include <utility>

#include "config/ambassador/last_good.h"
#include "config/ambassador/mapping.h"
#include "config/ambassador/service_address.h"
#include "config/ambassador/services.h"
#include "config/ambassador/upstream_fields.h"
#include "config/syntax.h"
#include "config/text.h"

namespace gatehouse::config::ambassador {
namespace {

/// A number of milliseconds, which the CRD wants as text.
void read_idle_timeout(FieldReader& fields, TcpRoute& out) {
  const YamlNode* node = fields.find("idle_timeout_ms");
  if (node == nullptr) return;
  const bool number = !node->text.empty() && node->text.size() < 12 &&
                      node->text.find_first_not_of("0123456789") == std::string::npos;
  if (!number) return fields.problem("idle_timeout_ms", "must be a number of milliseconds");
  out.idle_timeout = milliseconds(std::stoll(node->text));
}

void read_address(FieldReader& fields, TcpRoute& out) {
  const std::string address = fields.text("address").value_or("");
  const auto port = fields.integer("port", 1, 65535);
  if (!port && !fields.has("port")) fields.problem("port", "is missing");
  const bool ipv6 = address.find(':') != std::string::npos && !address.starts_with('[');
  out.listen = (ipv6 ? "[" + address + "]" : address) + ":" + std::to_string(port.value_or(0));
  if (!address.empty() && !kAddress.valid(out.listen)) {
    fields.problem("address", quote(address) + " must be an IP address");
  }
}

/// The Host with a certificate that is for that name: by its name, else by the longest pattern.
const Host* host_for(const std::string& name, const std::vector<Host>& hosts) {
  const Host* by_pattern = nullptr;
  for (const Host& host : hosts) {
    if (host.hostname == "*" || !has_certificate(host.tls)) continue;
    if (host.hostname == name) return &host;
    const bool longer = by_pattern == nullptr || host.hostname.size() > by_pattern->hostname.size();
    if (longer && host_matches(host.hostname, name)) by_pattern = &host;
  }
  return by_pattern;
}

/// TLS is ended here where a Host or a TLSContext has the name, as in Ambassador, and passed
/// through elsewhere.
void read_tls(FieldReader& fields, const Context& context, const std::vector<Host>& hosts,
              TcpRoute& out) {
  if (const Host* host = host_for(out.host, hosts)) {
    out.tls = host->tls;
  } else if (const TlsContext* tls = context.tls_contexts.for_host(out.host)) {
    if (tls->broken) {
      fields.problem("host", "TLSContext " + quote(tls->object->name) + " is left out itself");
    }
    out.tls = tls->tls;
  }
}

void read_host(FieldReader& fields, const Context& context, const std::vector<Host>& hosts,
               TcpRoute& out) {
  const auto host = fields.text("host");
  if (!host || host->empty() || *host == "*") return;
  const Result<std::string, std::string> parsed = parse_hostname(*host);
  if (!parsed) return fields.problem("host", quote(*host) + " must be " + parsed.error());
  if (!is_name_of_tls(*parsed)) {
    return fields.problem("host", quote(*host) + " must be a whole name, *.example.org or *");
  }
  out.host = *parsed;
  read_tls(fields, context, hosts, out);
}

std::optional<TcpRoute> read_tcp_mapping(const Object& object, const Context& context,
                                         const std::vector<Host>& hosts, Report& report) {
  ObjectReport object_report(object, report);
  FieldReader fields = fields_of(object_report);
  for (const YamlNode* node : {context.defaults.of_tcp_mappings, context.defaults.of_all,
                               context.defaults.system_wide.get()}) {
    if (node != nullptr) fields.fall_back_to(*node);
  }
  TcpRoute out{.name = object.name_space + "/" + object.name, .origin = origin_of(object)};
  ServiceAddress address;
  read_address(fields, out);
  read_host(fields, context, hosts, out);
  read_service(fields, "service", context, out.upstream, address);
  read_connection(fields, context, out.upstream);
  if (const auto weight = fields.integer("weight", 0, 100)) {
    out.weight = static_cast<int>(*weight);
  }
  read_idle_timeout(fields, out);
  fields.accept({"v2ExplicitTLS", "status"});
  fields.finish();
  if (object_report.failed()) return std::nullopt;
  return out;
}

}  // namespace

void read_tcp_mappings(const Objects& objects, const Context& context, Report& report,
                       Gateway& gateway) {
  const auto is_taken = [&](const TcpRoute& route) {
    return std::ranges::find(gateway.listen, route.listen, &Listen::address) !=
           gateway.listen.end();
  };
  for (const Object* object : objects.of("TCPMapping")) {
    const auto problem = [&](std::string message) {
      report.problem(object->subject, object->mark, "spec.port", std::move(message));
    };
    std::optional<TcpRoute> route =
        read_or_keep(*object, &LastGood::tcp_mappings, context.versions, report, [&] {
          std::optional<TcpRoute> fresh = read_tcp_mapping(*object, context, gateway.hosts, report);
          if (!fresh || !is_taken(*fresh)) return fresh;
          problem("requests come by this port, of a Listener; give another one");
          return std::optional<TcpRoute>();
        });
    if (!route) continue;
    if (is_taken(*route)) {
      problem("requests come by the port of its last good version, which is left out too");
    } else {
      gateway.tcp.push_back(std::move(*route));
    }
  }
}

}  // namespace gatehouse::config::ambassador
