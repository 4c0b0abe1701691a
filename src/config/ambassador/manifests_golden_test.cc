// Each file of tests/golden/ambassador/ is manifests and what is to come of them:
//
//   the YAML of one file
//   ==== file NAME       (optional) a further file
//   ==== options         (optional) NAME=value lines
//   ==== outcome
//   what differs from a gateway without manifests, then problems and warnings
//
// UPDATE_GOLDEN=1 writes what came instead, to be read before it is committed.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "config/ambassador/manifests.h"

namespace gatehouse::config::ambassador {
namespace {

const std::filesystem::path kFolder =
    std::filesystem::path(GATEHOUSE_SOURCE_DIR) / "tests" / "golden" / "ambassador";

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

std::string text_of(const std::string& value) {
  return value;
}
std::string text_of(bool value) {
  return value ? "true" : "false";
}
std::string text_of(milliseconds value) {
  return std::to_string(value.count()) + "ms";
}
std::string text_of(seconds value) {
  return std::to_string(value.count()) + "s";
}
std::string text_of(const Secret& value) {
  return value.empty() ? "" : "(secret)";
}
std::string text_of(const FieldMatch& value) {
  return value.name + (value.regex.empty() ? "" : "~" + value.regex) +
         (value.value.empty() ? "" : "=" + value.value);
}
std::string text_of(const FieldEdit& value) {
  return value.name + (value.append ? "+=" : "=") + value.value;
}
std::string text_of(const StatusRange& value) {
  return std::to_string(value.min) + "-" + std::to_string(value.max);
}
template <class Number>
  requires std::is_arithmetic_v<Number>
std::string text_of(Number value) {
  std::ostringstream out;
  out << value;
  return out.str();
}
template <class Element>
std::string text_of(const std::vector<Element>& values) {
  std::string out;
  for (const Element& value : values) out += (out.empty() ? "" : "; ") + text_of(value);
  return "[" + out + "]";
}

/// "name=value", for each member that is not as in a default object.
class Differences {
 public:
  template <class T>
  Differences& add(const std::string& name, const T& value, const T& usual) {
    if (value != usual) out_ += "\n    " + name + ": " + text_of(value);
    return *this;
  }
  std::string str() const { return out_; }

 private:
  std::string out_;
};

#define ADD(member) .add(prefix + #member, value.member, usual.member)

void add(Differences& out, const std::string& prefix, const Tls& value) {
  const Tls usual;
  out ADD(certificate) ADD(key) ADD(certificate_pem) ADD(key_pem) ADD(client_ca) ADD(client_ca_pem)
      ADD(client_required) ADD(crl) ADD(crl_pem) ADD(forward_client) ADD(min_version)
          ADD(max_version) ADD(ciphers) ADD(curves) ADD(alpn);
}

void add(Differences& out, const std::string& prefix, const UpstreamTls& value) {
  const UpstreamTls usual;
  out ADD(ca_file) ADD(ca_pem) ADD(certificate) ADD(key) ADD(certificate_pem) ADD(key_pem)
      ADD(server_name);
}

void add(Differences& out, const std::string& prefix, const CircuitBreakers& value) {
  const CircuitBreakers usual;
  out ADD(connections) ADD(pending_requests) ADD(requests) ADD(retries);
}

void add(Differences& out, const std::string& prefix, const ErrorOverride& value) {
  const ErrorOverride usual;
  out ADD(status) ADD(content_type) ADD(text) ADD(json) ADD(file);
}

void add(Differences& out, const std::string& prefix, const HealthCheck& value) {
  const HealthCheck usual;
  out ADD(kind) ADD(path) ADD(host) ADD(headers) ADD(remove_headers) ADD(expected) ADD(grpc_service)
      ADD(interval) ADD(timeout) ADD(healthy_threshold) ADD(unhealthy_threshold);
}

void add(Differences& out, const std::string& prefix, const Upstream& value) {
  const Upstream usual;
  out ADD(service) ADD(protocol) ADD(connect_timeout) ADD(pool_idle_timeout)
      ADD(connection_lifetime) ADD(keepalive_idle) ADD(keepalive_interval) ADD(keepalive_probes)
          ADD(dns) ADD(respect_dns_ttl) ADD(ipv4) ADD(ipv6) ADD(load_balancer.policy)
              ADD(load_balancer.cookie) ADD(load_balancer.cookie_path) ADD(load_balancer.cookie_ttl)
                  ADD(load_balancer.header) ADD(load_balancer.source_ip)
                      ADD(outlier_detection.consecutive_5xx) ADD(outlier_detection.interval)
                          ADD(outlier_detection.base_ejection)
                              ADD(outlier_detection.max_ejection_percent);
  add(out, prefix + "tls.", value.tls);
  add(out, prefix + "circuit_breakers.", value.circuit_breakers);
  for (const HealthCheck& check : value.health_checks) add(out, prefix + "health_check.", check);
}

void add(Differences& out, const std::string& prefix, const Route& value) {
  const Route usual{.origin = value.origin, .upgrades = {}};
  out ADD(host) ADD(host_regex) ADD(match) ADD(case_sensitive) ADD(methods) ADD(method_regex)
      ADD(headers) ADD(query) ADD(precedence) ADD(labels) ADD(rewrite) ADD(rewrite_regex)
          ADD(rewrite_substitution) ADD(host_rewrite) ADD(auto_host_rewrite) ADD(redirect.host)
              ADD(redirect.path) ADD(redirect.prefix) ADD(redirect.regex) ADD(redirect.substitution)
                  ADD(redirect.https) ADD(redirect.status) ADD(add_request_headers)
                      ADD(remove_request_headers) ADD(add_response_headers)
                          ADD(remove_response_headers) ADD(cors.origins) ADD(cors.methods)
                              ADD(cors.headers) ADD(cors.exposed_headers) ADD(cors.credentials)
                                  ADD(cors.max_age) ADD(bypass_error_overrides) ADD(authenticate)
                                      ADD(auth_context) ADD(weight) ADD(shadow) ADD(timeout)
                                          ADD(idle_timeout) ADD(retry.on) ADD(retry.retries)
                                              ADD(retry.per_try_timeout) ADD(upgrades) ADD(grpc);
  for (const ErrorOverride& entry : value.error_overrides) add(out, prefix + "error.", entry);
  add(out, prefix + "upstream.", value.upstream);
}

void add(Differences& out, const std::string& prefix, const AuthorizerSettings& value) {
  const AuthorizerSettings usual;
  out ADD(kind) ADD(url) ADD(path_prefix) ADD(timeout) ADD(allowed_request_headers)
      ADD(allowed_authorization_headers) ADD(add_headers) ADD(body_bytes) ADD(body_may_be_cut)
          ADD(status_on_error) ADD(failure_mode_allow);
  add(out, prefix + "tls.", value.tls);
  add(out, prefix + "circuit_breakers.", value.circuit_breakers);
}

void add(Differences& out, const std::string& prefix, const Gateway& value) {
  const Gateway usual;
  out ADD(ip_allow) ADD(ip_deny) ADD(grpc_web) ADD(http10) ADD(merge_slashes) ADD(server_name)
      ADD(keep_request_id) ADD(keep_any_request_id) ADD(limits.head_bytes) ADD(limits.target_bytes)
          ADD(limits.body_bytes) ADD(limits.keep_alive_timeout) ADD(compression.algorithms)
              ADD(compression.min_bytes) ADD(compression.level) ADD(compression.content_types)
                  ADD(access_log.form) ADD(access_log.format) ADD(access_log.path)
                      ADD(tracing.endpoint) ADD(tracing.service_name) ADD(tracing.sampling_percent)
                          ADD(tracing.tags);
  for (const ErrorOverride& entry : value.error_overrides) add(out, prefix + "error.", entry);
  add(out, prefix + "authorizer.", value.authorizer);
}

void add(Differences& out, const std::string& prefix, const Listen& value) {
  const Listen usual;
  out ADD(cleartext_too) ADD(proxy_protocol) ADD(trusted_hops) ADD(secure_by);
  add(out, prefix + "tls.", value.tls);
}

void add(Differences& out, const std::string& prefix, const Host& value) {
  const Host usual;
  out ADD(insecure) ADD(insecure_port) ADD(route_selector);
  add(out, prefix + "tls.", value.tls);
}

void add(Differences& out, const std::string& prefix, const TcpRoute& value) {
  const TcpRoute usual;
  out ADD(host) ADD(weight) ADD(idle_timeout);
  add(out, prefix + "upstream.", value.upstream);
  add(out, prefix + "tls.", value.tls);
}

#undef ADD

template <class Object>
std::string block(const std::string& title, const Object& object) {
  Differences differences;
  add(differences, "", object);
  return title + differences.str() + "\n";
}

std::string outcome(const Manifests& manifests) {
  std::string out;
  const Gateway& gateway = manifests.gateway;
  for (const Route& route : gateway.routes) {
    out += block("route " + route.prefix + " (" + route.name + ", " + route.origin + ")", route);
  }
  for (const TcpRoute& route : gateway.tcp) {
    out += block("tcp " + route.listen + " (" + route.name + ")", route);
  }
  if (gateway.listen != Gateway{}.listen) {
    for (const Listen& listen : gateway.listen) out += block("listen " + listen.address, listen);
  }
  for (const Host& host : gateway.hosts) out += block("host " + host.hostname, host);
  const std::string whole = block("gateway", gateway);
  if (whole != "gateway\n") out += whole;
  for (const Problem& problem : manifests.problems) out += "problem " + problem.str() + "\n";
  for (const Problem& warning : manifests.warnings) out += "warning " + warning.str() + "\n";
  return out;
}

struct Case {
  std::vector<ManifestFile> files = {{.name = "a.yaml", .text = {}}};
  std::map<std::string, std::string> options;
  std::string head;  // all before the expected text
};

Case parse_case(const std::string& text) {
  constexpr std::string_view kSeparator = "==== ";
  Case out;
  bool in_options = false;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    out.head += line + "\n";
    if (line == "==== outcome") break;
    if (line == "==== options") {
      in_options = true;
    } else if (line.starts_with("==== file ")) {
      in_options = false;
      out.files.push_back({.name = line.substr(kSeparator.size() + 5), .text = {}});
    } else if (in_options) {
      const std::size_t equals = line.find('=');
      out.options[line.substr(0, equals)] = line.substr(equals + 1);
    } else {
      out.files.back().text += line + "\n";
    }
  }
  return out;
}

Manifests run(const Case& input) {
  ManifestOptions options;
  const auto option = [&](const std::string& name, std::string usual) {
    const auto found = input.options.find(name);
    return found == input.options.end() ? usual : found->second;
  };
  options.ambassador_id = option("ambassador_id", options.ambassador_id);
  options.gateway_namespace = option("gateway_namespace", options.gateway_namespace);
  options.string_prefix = option("string_prefix", "false") == "true";
  options.keep_listen = option("keep_listen", "false") == "true";
  options.self_signed.certificate_pem = option("self_signed", "");
  return read_manifests(input.files, Gateway{}, options);
}

std::vector<std::filesystem::path> golden_files() {
  std::vector<std::filesystem::path> out;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    out.push_back(entry.path());
  }
  std::ranges::sort(out);
  return out;
}

class ManifestsGoldenTest : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(ManifestsGoldenTest, GivesTheExpectedOutcome) {
  const Case input = parse_case(read(GetParam()));
  ASSERT_TRUE(input.head.ends_with("==== outcome\n")) << "no expectation";
  const std::string came = input.head + outcome(run(input));
  if (std::getenv("UPDATE_GOLDEN") != nullptr) {
    std::ofstream(GetParam(), std::ios::binary) << came;
  }
  EXPECT_EQ(read(GetParam()), came) << "run config_test with UPDATE_GOLDEN=1 and read what changed";
}

INSTANTIATE_TEST_SUITE_P(Ambassador, ManifestsGoldenTest, testing::ValuesIn(golden_files()),
                         [](const testing::TestParamInfo<std::filesystem::path>& file) {
                           return file.param.stem().string();
                         });

}  // namespace
}  // namespace gatehouse::config::ambassador
