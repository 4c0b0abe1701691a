#include "app/gateway_command.h"

#include <fmt/format.h>

#include <utility>

#include "app/commands.h"
#include "net/tcp.h"

namespace gatehouse::app {
namespace {

/// Another gateway on the machine may have the operations' port already. Nobody asked for it.
void leave_out_busy_operations(config::Settings& settings) {
  const Result<net::Endpoint> endpoint = net::parse_endpoint(settings.operations.listen);
  if (!endpoint || net::check_port_free(*endpoint)) return;
  fmt::print(stderr,
             "gatehouse: {} is in use: there are no metrics and health; choose another address "
             "with --operations\n",
             settings.operations.listen);
  settings.operations.listen.clear();
}

}  // namespace

std::optional<config::Settings> gateway_settings(const GatewayArguments& arguments) {
  std::optional<config::Settings> settings = load_settings(arguments.config);
  if (!settings) return std::nullopt;
  config::Gateway& gateway = settings->gateway;
  if (!arguments.manifests.empty()) gateway.manifests = arguments.manifests;
  if (!arguments.ambassador_id.empty()) gateway.ambassador_id = arguments.ambassador_id;
  if (arguments.config.empty()) {
    gateway.authorizer.kind = "none";
    gateway.access_log.form = "off";
  }
  if (!arguments.listen.empty()) gateway.listen.clear();
  for (const std::string& address : arguments.listen) {
    config::Listen listen;
    listen.address = address;
    listen.tls.certificate = arguments.certificate;
    listen.tls.key = arguments.key;
    listen.cleartext_too = !arguments.certificate.empty();
    gateway.listen.push_back(std::move(listen));
  }
  if (arguments.operations) settings->operations.listen = *arguments.operations;
  return settings;
}

ServeOptions gateway_serve_options(const GatewayArguments& arguments, config::Settings settings) {
  ServeOptions options;
  const bool asked_for = arguments.operations || !arguments.config.empty();
  if (!asked_for) leave_out_busy_operations(settings);
  const std::string operations = settings.operations.listen;
  options.settings = std::move(settings);
  options.role = Role::kGateway;
  options.keep_listen = !arguments.listen.empty();
  options.reread = [arguments, operations] {
    std::optional<config::Settings> fresh = gateway_settings(arguments);
    if (fresh) fresh->operations.listen = operations;
    return fresh;
  };
  return options;
}

}  // namespace gatehouse::app
