// The command line. Each command is one entry here and one function elsewhere.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "app/commands.h"
#include "app/completion.h"
#include "app/demo.h"
#include "app/exit_code.h"
#include "app/gateway_command.h"
#include "app/process.h"
#include "app/route_command.h"
#include "base/log.h"
#include "crypto/memory.h"

namespace gatehouse::app {
namespace {

/// What the chosen command does; set while the command line is read.
using Action = std::function<int()>;

std::shared_ptr<spdlog::logger> logger_for(const config::Log& log) {
  return make_logger(log.format == "json" ? LogFormat::kJson : LogFormat::kText,
                     spdlog::level::from_str(log.level == "warning" ? "warn"
                                             : log.level == "error" ? "err"
                                                                    : log.level));
}

int serve_file(const std::string& path, Role role) {
  std::optional<config::Settings> settings = load_settings(path);
  if (!settings) return kConfiguration;
  block_signals();
  const auto log = logger_for(settings->log);
  ServeOptions options;
  options.settings = std::move(*settings);
  options.role = role;
  options.reread = [path] { return load_settings(path); };
  return serve(std::move(options), log);
}

int serve_gateway(const GatewayArguments& arguments) {
  std::optional<config::Settings> settings = gateway_settings(arguments);
  if (!settings) return kConfiguration;
  block_signals();
  const auto log = logger_for(settings->log);
  return serve(gateway_serve_options(arguments, std::move(*settings)), log);
}

/// Values that the options of all commands write to; lives as long as the command line.
struct Arguments {
  std::string config;
  GatewayArguments gateway;
  DemoOptions demo;
  std::string email;
  std::vector<std::string> groups;
  bool json = false;
  std::string shell;
  RouteQuestion question;
};

void add_serve(CLI::App& parent, Role role, Arguments& arguments, Action& action) {
  CLI::App* serve = parent.add_subcommand("serve", "Serve until SIGTERM or SIGINT");
  serve->add_option("-c,--config", arguments.config, "Configuration file (YAML)");
  serve->callback([&, role] { action = [&, role] { return serve_file(arguments.config, role); }; });
}

void add_ambassador_id(CLI::App& command, GatewayArguments& arguments) {
  command.add_option("--ambassador-id", arguments.ambassador_id,
                     "Which of the manifests' objects count, by their ambassador_id");
}

void add_gateway(CLI::App& app, Arguments& arguments, Action& action) {
  CLI::App* command = app.add_subcommand("gateway", "The gateway alone");
  command->require_subcommand(1);
  CLI::App* serve = command->add_subcommand("serve", "Serve until SIGTERM or SIGINT");
  GatewayArguments& gateway = arguments.gateway;
  serve->add_option("-c,--config", gateway.config, "Configuration file (YAML)");
  serve->add_option("--manifests", gateway.manifests, "Folder of Ambassador's manifests, watched");
  add_ambassador_id(*serve, gateway);
  serve->add_option("--listen", gateway.listen, "Addresses to listen on, separated by commas")
      ->delimiter(',');
  CLI::Option* certificate = serve->add_option("--tls-cert", gateway.certificate,
                                               "Certificate (PEM): https, and cleartext beside it");
  serve->add_option("--tls-key", gateway.key, "Its key (PEM)")->needs(certificate);
  certificate->needs("--tls-key")->needs("--listen");
  // As text: an empty optional is what CLI11 makes of "".
  serve->add_option_function<std::string>(
      "--operations", [&gateway](const std::string& address) { gateway.operations = address; },
      "Address of metrics, health and the page of routes; \"\": none");
  serve->callback([&] { action = [&] { return serve_gateway(arguments.gateway); }; });
}

void add_roles(CLI::App& app, Arguments& arguments, Action& action) {
  add_serve(app, Role::kAll, arguments, action);
  const auto add_role = [&](const char* name, const char* description, Role role) {
    CLI::App* command = app.add_subcommand(name, description);
    command->require_subcommand(1);
    add_serve(*command, role, arguments, action);
  };
  add_gateway(app, arguments, action);
  add_role("gatekeeper", "The gatekeeper alone", Role::kGatekeeper);
  add_role("identity", "The identity provider alone", Role::kIdentity);
}

void add_demo(CLI::App& app, Arguments& arguments, Action& action) {
  CLI::App* demo = app.add_subcommand("demo", "All roles, one user and sample services, at once");
  demo->add_option("--listen", arguments.demo.listen, "Address to listen on")
      ->capture_default_str();
  demo->add_option("--data", arguments.demo.data, "Folder for the database; made if absent")
      ->capture_default_str();
  CLI::Option* certificate =
      demo->add_option("--tls-cert", arguments.demo.certificate, "Certificate (PEM): https");
  demo->add_option("--tls-key", arguments.demo.key, "Its key (PEM)")->needs(certificate);
  certificate->needs("--tls-key");
  demo->callback([&] {
    action = [&] {
      block_signals();
      return run_demo(arguments.demo, logger_for(config::Log{}));
    };
  });
}

void add_config(CLI::App& app, Arguments& arguments, Action& action) {
  CLI::App* config = app.add_subcommand("config", "Look at configurations");
  config->require_subcommand(1);
  CLI::App* check = config->add_subcommand("check", "Say what is wrong with a file");
  check->add_option("-c,--config,file", arguments.config, "The file")->required();
  check->callback([&] { action = [&] { return check_config(arguments.config); }; });
  CLI::App* show = config->add_subcommand("show", "Print what is in force, without secrets");
  show->add_option("-c,--config,file", arguments.config, "The file; none: the defaults");
  show->callback([&] { action = [&] { return show_config(arguments.config); }; });
  CLI::App* schema = config->add_subcommand("schema", "Print the JSON Schema of the file");
  schema->callback([&] { action = print_config_schema; });
  CLI::App* docs = config->add_subcommand("docs", "Print the reference of all fields");
  docs->callback([&] { action = print_config_docs; });
}

/// Those of `gatehouse gateway serve`, or with neither file nor folder those of `gatehouse serve`.
std::optional<config::Settings> settings_of(const GatewayArguments& arguments) {
  const bool none = arguments.config.empty() && arguments.manifests.empty();
  return none ? load_settings("") : gateway_settings(arguments);
}

void add_route(CLI::App& app, Arguments& arguments, Action& action) {
  CLI::App* route = app.add_subcommand("route", "Look at the gateway's routes");
  route->require_subcommand(1);
  CLI::App* explain =
      route->add_subcommand("explain", "Say which route a request takes, and why no other");
  explain->add_option("-c,--config", arguments.gateway.config, "Configuration file (YAML)");
  explain->add_option("--manifests", arguments.gateway.manifests,
                      "Folder of Ambassador's manifests");
  add_ambassador_id(*explain, arguments.gateway);
  explain->add_option("method", arguments.question.method, "GET, POST, …")->required();
  explain->add_option("url", arguments.question.url, "http(s)://host/path, or a path")->required();
  explain->add_option("--header", arguments.question.headers, "\"Name: value\"; may be repeated")
      ->allow_extra_args(false);
  explain->add_flag("--json", arguments.question.json, "One JSON object");
  explain->callback([&] {
    action = [&] {
      const std::optional<config::Settings> settings = settings_of(arguments.gateway);
      return settings ? explain_route(*settings, arguments.question)
                      : static_cast<int>(kConfiguration);
    };
  });
}

/// `-c FILE`, or `--data DIR` for a demo's users.
std::optional<config::Settings> user_settings(const Arguments& arguments, const CLI::App& user) {
  if (user.count("--data") > 0) return demo_settings(arguments.demo);
  return load_settings(arguments.config);
}

void add_user_commands(CLI::App& app, Arguments& arguments, Action& action) {
  CLI::App* user = app.add_subcommand("user", "Users of the identity role's own store");
  user->require_subcommand(1);
  CLI::Option* file = user->add_option("-c,--config", arguments.config, "Configuration file");
  user->add_option("--data", arguments.demo.data, "A demo's folder")->excludes(file);
  const auto with_settings = [&action, &arguments, user](auto run) {
    return [&action, &arguments, user, run] {
      action = [&arguments, user, run] {
        const std::optional<config::Settings> settings = user_settings(arguments, *user);
        return settings ? run(*settings) : static_cast<int>(kConfiguration);
      };
    };
  };
  CLI::App* add =
      user->add_subcommand("add", "Add a user; the password is asked, or read from stdin");
  add->add_option("email", arguments.email, "E-mail address")->required();
  add->add_option("--group", arguments.groups, "A group; may be repeated");
  add->callback(with_settings([&](const config::Settings& settings) {
    return add_user(settings, arguments.email, arguments.groups);
  }));
  CLI::App* list = user->add_subcommand("list", "List users");
  list->add_flag("--json", arguments.json, "One JSON object a line");
  list->callback(with_settings(
      [&](const config::Settings& settings) { return list_users(settings, arguments.json); }));
  CLI::App* passwd = user->add_subcommand("passwd", "Set a user's password");
  passwd->add_option("email", arguments.email, "E-mail address")->required();
  passwd->callback(with_settings(
      [&](const config::Settings& settings) { return set_password(settings, arguments.email); }));
}

void add_small(CLI::App& app, Arguments& arguments, Action& action) {
  app.add_subcommand("version", "Print the version")->callback([&] {
    action = [] {
      fmt::print("gatehouse {}\n", GATEHOUSE_VERSION);
      return static_cast<int>(kOk);
    };
  });
  CLI::App* completion = app.add_subcommand("completion", "Print a shell's completion script");
  completion->add_option("shell", arguments.shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  completion->callback([&] {
    action = [&] {
      fmt::print("{}", completion_script(app, arguments.shell));
      return static_cast<int>(kOk);
    };
  });
}

int run(int argc, char** argv) {
  CLI::App app("Gatehouse: the front door of Kubeflow", "gatehouse");
  app.require_subcommand(1);
  app.footer(
      "Exit codes: 0 done, 1 failed, 2 wrong command line, 3 wrong configuration, 4 address "
      "in use, 5 database unusable.");
  Arguments arguments;
  Action action;
  add_roles(app, arguments, action);
  add_demo(app, arguments, action);
  add_config(app, arguments, action);
  add_route(app, arguments, action);
  add_user_commands(app, arguments, action);
  add_small(app, arguments, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kOk : kUsage;
  }
  return action();
}

}  // namespace
}  // namespace gatehouse::app

int main(int argc, char** argv) {
  gatehouse::crypto::use_thread_memory();
  return gatehouse::app::run(argc, argv);
}
