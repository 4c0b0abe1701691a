#include "app/reload.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "app/gateway_compilation.h"
#include "app/listener_tls.h"
#include "net/tcp.h"

namespace gatehouse::app {
namespace {

void append(std::vector<std::string>& all, std::vector<std::string> more) {
  std::ranges::move(more, std::back_inserter(all));
}

/// All that this process listens on.
std::vector<net::Endpoint> endpoints_of(const Serving& serving) {
  std::vector<net::Endpoint> out;
  for (const PlannedListener& listener : serving.listeners) out.push_back(listener.endpoint);
  if (!serving.tcp) return out;
  for (const gateway::TcpRoutes::Listen& listen : serving.tcp->listens()) {
    out.push_back(listen.endpoint);
  }
  return out;
}

/// A port that this process listens on already, be it on another address, is its own.
Result<void> check_new_ports(const Serving& fresh, const Serving& before) {
  const std::vector<net::Endpoint> own = endpoints_of(before);
  for (const net::Endpoint& endpoint : endpoints_of(fresh)) {
    if (std::ranges::find(own, endpoint.port, &net::Endpoint::port) != own.end()) continue;
    Result<void> free = net::check_port_free(endpoint);
    if (!free) return free;
  }
  return {};
}

Result<void> compile(config::Settings settings, const ReloadFrom& from, Reload& out) {
  Result<config::Gateway> gateway = gateway_of(from.plan, std::move(settings));
  if (!gateway) return fail(std::move(gateway));
  Result<std::vector<PlannedListener>> listeners =
      listeners_of(from.serving.listeners, from.serving.gateway->settings().listen, *gateway);
  if (!listeners) return fail(std::move(listeners));
  out.serving->listeners = std::move(*listeners);
  append(out.problems, leave_out_taken_ports(*gateway, endpoints_of(from.serving)));
  Result<CompiledTcp> tcp = compile_tcp(*gateway, out.good.get(), from.good);
  if (!tcp) return fail(std::move(tcp));
  out.serving->tcp = std::move(tcp->routes);
  append(out.problems, std::move(tcp->problems));
  append(out.warnings, std::move(tcp->warnings));
  Result<CompiledSources> compiled =
      compile_sources(std::move(*gateway), from.rate_limits, out.good.get(), from.good);
  if (!compiled) return fail(std::move(compiled));
  out.serving->gateway = std::move(compiled->gateway);
  append(out.problems, std::move(compiled->problems));
  append(out.warnings, std::move(compiled->warnings));
  return {};
}

/// For the listeners of roles without a gateway: the certificates that their settings name now.
void take_certificates(const config::Settings& settings, Reload& out) {
  for (PlannedListener& listener : out.serving->listeners) {
    const bool of_gatekeeper = listener.service == Service::kGatekeeper;
    if (!of_gatekeeper && listener.service != Service::kIdentity) continue;
    const std::vector<config::Listen>& listens =
        of_gatekeeper ? settings.gatekeeper.listen : settings.identity.listen;
    const auto now =
        std::ranges::find(listens, listener.settings.address, &config::Listen::address);
    if (now == listens.end()) continue;
    if (has_certificate(now->tls) == has_certificate(listener.settings.tls)) {
      listener.settings.tls = now->tls;
    } else {
      out.warnings.push_back(listener.settings.address + ": TLS begins or ends at the next start");
    }
  }
}

/// The file that is open, if the settings still name it.
Result<void> take_access_log(const ReloadFrom& from, Serving& fresh) {
  const config::AccessLog& settings = fresh.gateway->settings().access_log;
  const std::shared_ptr<gateway::LogFile>& open = from.serving.access_log;
  if (open && open->path() == settings.path && settings.form != "off") {
    fresh.access_log = open;
    return {};
  }
  Result<std::shared_ptr<gateway::LogFile>> file = open_access_log(settings);
  if (!file) return fail(std::move(file));
  fresh.access_log = std::move(*file);
  return {};
}

}  // namespace

Result<void> load_certificates(std::vector<PlannedListener>& listeners,
                               const std::vector<config::Host>& hosts,
                               std::vector<std::string>& warnings) {
  for (PlannedListener& listener : listeners) {
    const bool of_gateway = listener.service == Service::kGateway;
    Result<std::shared_ptr<const net::ServerTls>> tls =
        load_listener_tls(listener.settings.tls, of_gateway ? hosts : std::vector<config::Host>());
    if (!tls) return fail(std::move(tls));
    if (*tls) append(warnings, (*tls)->warnings());
    listener.tls = std::move(*tls);
  }
  return {};
}

Result<std::shared_ptr<gateway::LogFile>> open_access_log(const config::AccessLog& settings) {
  if (settings.path.empty() || settings.form == "off") return nullptr;
  return gateway::LogFile::open(settings.path);
}

Result<Reload> prepare_reload(const config::Settings& settings, const ReloadFrom& from) {
  Result<GatewaySources> sources = gather(settings.gateway, from.sources, from.good);
  if (!sources) return fail(std::move(sources));
  Reload out{.serving = std::make_shared<Serving>(),
             .good = std::move(sources->good),
             .problems = std::move(sources->problems),
             .warnings = std::move(sources->warnings)};
  out.serving->listeners = from.serving.listeners;
  out.serving->access_log = from.serving.access_log;
  take_certificates(settings, out);
  Result<void> made;
  if (from.serving.gateway) {
    config::Settings whole = settings;
    whole.gateway = std::move(sources->gateway);
    made = compile(std::move(whole), from, out);
    if (made) made = take_access_log(from, *out.serving);
    if (made) made = check_new_ports(*out.serving, from.serving);
  }
  if (made) {
    made = load_certificates(
        out.serving->listeners,
        from.serving.gateway ? out.serving->gateway->settings().hosts : std::vector<config::Host>(),
        out.warnings);
  }
  if (!made) return fail(std::move(made));
  return out;
}

}  // namespace gatehouse::app
