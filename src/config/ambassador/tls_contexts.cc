#include "config/ambassador/tls_contexts.h"

#include <algorithm>
#include <array>
#include <utility>

#include "config/ambassador/last_good.h"
#include "config/text.h"
#include "http/headers.h"

namespace gatehouse::config::ambassador {
namespace {

constexpr std::array<std::string_view, 2> kAlpn{"h2", "http/1.1"};

/// "v1.2" → "1.2". Versions before 1.2 are not spoken.
void read_versions(FieldReader& fields, Tls& tls) {
  const std::vector<std::string> known{"v1.0", "v1.1", "v1.2", "v1.3"};
  if (const std::optional<std::string> min = fields.one_of("min_tls_version", known)) {
    const bool old = *min < "v1.2";
    if (old) fields.warning("min_tls_version", "TLS before 1.2 is not spoken; 1.2 is the least");
    tls.min_version = old ? "1.2" : min->substr(1);
  }
  if (const std::optional<std::string> max = fields.one_of("max_tls_version", known)) {
    if (*max < "v1.2") {
      fields.problem("max_tls_version", "TLS before 1.2 is not spoken; give v1.2 or v1.3");
    }
    tls.max_version = max->substr(1);
  }
  if (tls.max_version < tls.min_version) {
    fields.problem("max_tls_version", "is below min_tls_version");
  }
}

/// BoringSSL's groups of equal preference, [A|B], are flattened.
std::vector<std::string> flatten_groups(const std::vector<std::string>& ciphers) {
  std::vector<std::string> out;
  for (const std::string& entry : ciphers) {
    std::string_view rest = entry;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find_first_of("[|]:, "), rest.size());
      if (end > 0) out.emplace_back(rest.substr(0, end));
      rest.remove_prefix(std::min(rest.size(), end + 1));
    }
  }
  return out;
}

void read_algorithms(FieldReader& fields, Tls& tls) {
  if (const auto protocols = fields.texts("alpn_protocols")) {
    for (const std::string& protocol : *protocols) {
      if (std::ranges::find(kAlpn, protocol) != kAlpn.end()) {
        tls.alpn.push_back(protocol);
      } else {
        fields.warning("alpn_protocols", quote(protocol) + " is not spoken; h2 and http/1.1 are");
      }
    }
  }
  if (const auto ciphers = fields.texts("cipher_suites")) tls.ciphers = flatten_groups(*ciphers);
  if (const auto curves = fields.texts("ecdh_curves")) tls.curves = *curves;
}

void read_files(FieldReader& fields, TlsContext& out) {
  const std::optional<std::string> certificate = fields.text("cert_chain_file");
  const std::optional<std::string> key = fields.text("private_key_file");
  if (certificate.has_value() != key.has_value()) {
    fields.problem(certificate ? "cert_chain_file" : "private_key_file",
                   "certificate and key need each other: give cert_chain_file and "
                   "private_key_file");
  }
  out.tls.certificate = out.upstream.certificate = certificate.value_or("");
  out.tls.key = out.upstream.key = key.value_or("");
  if (const auto ca = fields.text("cacert_chain_file")) {
    out.tls.client_ca = out.upstream.ca_file = *ca;
  }
  if (const auto crl = fields.text("crl_file")) out.tls.crl = *crl;
}

/// `ca_field`: the field that names the authorities' Secret.
void read_ca(FieldReader& fields, const Secrets& secrets, const Object& object, bool dotted,
             std::string_view ca_field, TlsContext& out) {
  const auto read = [&](std::string_view field, const std::vector<std::string_view>& members,
                        std::string& text) {
    const std::optional<std::string> name = fields.text(field);
    if (!name) return;
    const Result<Secret, std::string> pem =
        secrets.pem({.name = *name, .name_space = object.name_space, .dotted = dotted}, members);
    if (!pem) return fields.problem(field, pem.error());
    text = pem->reveal();
  };
  read(ca_field, {"ca.crt", "tls.crt"}, out.tls.client_ca_pem);
  read("crl_secret", {"crl.pem"}, out.tls.crl_pem);
  out.upstream.ca_pem = out.tls.client_ca_pem;
  out.tls.client_required = fields.boolean("cert_required").value_or(false);
  // Known even if the rest fails: whoever demands certificates must not be left without.
  const bool has_ca = !out.tls.client_ca.empty() || !out.tls.client_ca_pem.empty();
  if (out.tls.client_required && !has_ca && !fields.failed()) {
    fields.problem("cert_required",
                   "needs " + std::string(ca_field) +
                       " or cacert_chain_file, which say whose certificates are good");
  }
}

std::optional<TlsContext> read_tls_context(const Object& object, const Secrets& secrets,
                                           const ManifestOptions& options, bool dotted,
                                           Report& report) {
  ObjectReport object_report(object, report);
  FieldReader fields = fields_of(object_report);
  TlsContext out = read_tls_fields(fields, secrets, object, "secret", dotted);
  out.hosts = fields.texts("hosts").value_or(std::vector<std::string>{});
  for (std::string& host : out.hosts) host = http::lower_case(host);
  fields.finish();
  check_certificates(fields, options, "secret", out);
  out.broken = object_report.failed();
  return out;
}

/// v0's config.client: whose certificates are good, and whether one is demanded.
void read_legacy_client(FieldReader& client, const Secrets& secrets, bool dotted, TlsContext& out) {
  dotted = client.boolean("secret_namespacing").value_or(dotted);
  const std::string_view ca_field = client.has("ca_secret") ? "ca_secret" : "secret";
  TlsContext read;
  read_files(client, read);
  read_ca(client, secrets, client.report().object(), dotted, ca_field, read);
  client.finish();
  out.tls.client_ca = read.tls.client_ca;
  out.tls.client_ca_pem = read.tls.client_ca_pem;
  out.tls.client_required = read.tls.client_required;
}

/// v0: Module "tls" with config.server and config.client. nullopt if that is not enabled.
std::optional<TlsContext> read_legacy_module(const Object& object, const Secrets& secrets,
                                             const ManifestOptions& options, bool dotted,
                                             Report& report) {
  ObjectReport object_report(object, report);
  FieldReader fields(*object.fields, object.path, object_report);
  std::optional<FieldReader> config = fields.object("config");
  std::optional<FieldReader> server = config ? config->object("server") : std::nullopt;
  if (!server || server->boolean("enabled") == false) return std::nullopt;
  TlsContext out = read_tls_fields(*server, secrets, object, "secret", dotted);
  out.hosts = {"*"};
  std::optional<FieldReader> client = config->object("client");
  if (client && client->boolean("enabled") != false) {
    read_legacy_client(*client, secrets, dotted, out);
  }
  server->finish();
  check_certificates(*server, options, "secret", out);
  out.broken = object_report.failed();
  return out;
}

}  // namespace

bool host_matches(std::string_view pattern, std::string_view hostname) {
  if (pattern == "*") return true;
  if (!pattern.starts_with("*.")) return pattern == hostname;
  return hostname.ends_with(pattern.substr(1)) && hostname.size() > pattern.size() - 1;
}

bool has_certificate(const Tls& tls) {
  return !tls.certificate.empty() || !tls.certificate_pem.empty();
}

Result<void, std::string> read_certificate(const Secrets& secrets, const Secrets::Name& name,
                                           TlsContext& context) {
  const Result<Secret, std::string> certificate = secrets.pem(name, {"tls.crt"});
  if (!certificate) return std::unexpected(certificate.error());
  const Result<Secret, std::string> key = secrets.pem(name, {"tls.key", "user.key"});
  if (!key) return std::unexpected(key.error());
  context.tls.certificate.clear();
  context.tls.key.clear();
  context.tls.certificate_pem = context.upstream.certificate_pem = certificate->reveal();
  context.tls.key_pem = context.upstream.key_pem = *key;
  return {};
}

TlsContext read_tls_fields(FieldReader& fields, const Secrets& secrets, const Object& object,
                           std::string_view own_secret, bool dotted) {
  TlsContext out{.object = &object};
  dotted = fields.boolean("secret_namespacing").value_or(dotted);
  read_files(fields, out);
  read_ca(fields, secrets, object, dotted, "ca_secret", out);
  read_versions(fields, out.tls);
  read_algorithms(fields, out.tls);
  out.upstream.server_name = fields.text("sni").value_or("");
  out.redirect_cleartext_from =
      static_cast<std::size_t>(fields.integer("redirect_cleartext_from", 0, 65535).value_or(0));
  if (own_secret.empty()) return out;
  if (const std::optional<std::string> name = fields.text(own_secret)) {
    const Result<void, std::string> read = read_certificate(
        secrets, {.name = *name, .name_space = object.name_space, .dotted = dotted}, out);
    if (!read) fields.problem(own_secret, read.error());
  }
  return out;
}

void check_certificates(FieldReader& fields, const ManifestOptions& options, std::string_view field,
                        const TlsContext& context) {
  if (fields.failed()) return;
  Result<void> checked;
  if (has_certificate(context.tls) && options.check_tls) checked = options.check_tls(context.tls);
  UpstreamTls own = context.upstream;
  own.server_name.clear();
  if (checked && !(own == UpstreamTls()) && options.check_upstream_tls) {
    checked = options.check_upstream_tls(own);
  }
  if (!checked) fields.problem(field, "cannot be used: " + checked.error().message);
}

TlsContexts::TlsContexts(const Objects& objects, const Secrets& secrets,
                         const ManifestOptions& options, bool dotted, const Versions& versions,
                         Report& report) {
  // What is broken is in the list too: who relies on it must not do without.
  const auto add = [&](const Object& object, auto read) {
    std::optional<TlsContext> fresh;
    std::optional<TlsContext> context =
        read_or_keep(object, &LastGood::tls_contexts, versions, report, [&] {
          fresh = read(object, secrets, options, dotted, report);
          return fresh && fresh->broken ? std::nullopt : fresh;
        });
    if (!context) context = std::move(fresh);
    if (!context) return;
    context->object = &object;
    list_.push_back(std::move(*context));
  };
  for (const Object* object : objects.of("TLSContext")) add(*object, read_tls_context);
  for (const Object* object : objects.of("Module")) {
    if (object->name == "tls") add(*object, read_legacy_module);
  }
}

const TlsContext* TlsContexts::find(std::string_view name, std::string_view name_space) const {
  const TlsContext* elsewhere = nullptr;
  for (const TlsContext& context : list_) {
    if (context.object->kind != "TLSContext" || context.object->name != name) continue;
    if (context.object->name_space == name_space) return &context;
    if (elsewhere == nullptr) elsewhere = &context;
  }
  return elsewhere;
}

const TlsContext* TlsContexts::for_host(std::string_view hostname) const {
  const TlsContext* by_pattern = nullptr;
  for (const TlsContext& context : list_) {
    if (!context.broken && !has_certificate(context.tls)) continue;
    for (const std::string& host : context.hosts) {
      if (host == hostname) return &context;
      if (by_pattern == nullptr && host_matches(host, hostname)) by_pattern = &context;
    }
  }
  return by_pattern;
}

}  // namespace gatehouse::config::ambassador
