#include "config/config.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

#include "config/environment.h"
#include "config/findings.h"
#include "config/reader.h"
#include "config/rules.h"
#include "config/yaml.h"

namespace gatehouse::config {
namespace {

void read_file(std::string_view yaml, const std::string& source, Settings& settings, Reader& reader,
               Findings& findings) {
  const Result<YamlNode::Pointer, std::vector<YamlError>> root = parse_yaml(yaml);
  if (root) return reader.read_settings(**root, source, settings);
  for (const YamlError& error : root.error()) {
    findings.add({.source = source, .mark = error.mark}, "", error.message);
  }
}

/// Defaults that depend on other fields.
void complete(Settings& settings, const Findings& findings) {
  std::vector<Route>& routes = settings.gateway.routes;
  for (std::size_t i = 0; i < routes.size(); ++i) {
    Route& route = routes[i];
    if (route.name.empty()) route.name = route.prefix;
    const std::string idle_timeout = "gateway.routes[" + std::to_string(i) + "].idle_timeout";
    if (route.grpc && !findings.is_given(idle_timeout)) route.idle_timeout = kGrpcIdleTimeout;
  }
  for (TcpRoute& route : settings.gateway.tcp) {
    if (route.name.empty()) route.name = route.listen;
  }
}

}  // namespace

std::string Problem::str() const {
  std::string out = source;
  if (line > 0) out += ":" + std::to_string(line) + ":" + std::to_string(column);
  out += ": ";
  if (!field.empty()) out += field + ": ";
  return out + message;
}

Environment process_environment() {
  Environment out;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos) {
      out.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
  }
  return out;
}

Loaded load(std::string_view yaml, std::string_view source_name, const Environment& environment) {
  Loaded out;
  Findings findings{std::string(source_name)};
  Reader reader(findings, environment);
  read_file(yaml, std::string(source_name), out.settings, reader, findings);
  read_environment(environment, out.settings, reader, findings);
  complete(out.settings, findings);
  check_rules(out.settings, findings);
  out.problems = findings.take_problems();
  out.warnings = findings.take_warnings();
  return out;
}

Result<Loaded> load_file(const std::string& path, const Environment& environment) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  // One byte more than may be, so that load() can tell.
  std::string text(kMaxFileBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad()) {
    const ErrorCode code = errno == ENOENT ? ErrorCode::kNotFound : ErrorCode::kInvalid;
    return fail(code, path + ": cannot be read: " + std::strerror(errno));
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  return load(text, path, environment);
}

}  // namespace gatehouse::config
