#include "net/tls_rules.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/objects.h>

#include <algorithm>
#include <optional>
#include <ranges>
#include <string_view>
#include <utility>

namespace gatehouse::net {

namespace {

using Host = ServerTls::State::Host;

std::optional<int> version_of(std::string_view text) {
  if (text == "1.2") return TLS1_2_VERSION;
  if (text == "1.3") return TLS1_3_VERSION;
  return std::nullopt;
}

Result<void> set_versions(Host& host, const TlsHost& options) {
  const std::optional<int> min = version_of(options.min_version);
  const std::optional<int> max = version_of(options.max_version);
  if (!min || !max) {
    return fail(ErrorCode::kInvalid, "TLS version \"" +
                                         (min ? options.max_version : options.min_version) +
                                         "\" is not served; say 1.2 or 1.3");
  }
  if (*min > *max) return fail(ErrorCode::kInvalid, "min_version is above max_version");
  host.min_version = *min;
  host.max_version = *max;
  SSL_CTX_set_min_proto_version(host.context.get(), *min);
  SSL_CTX_set_max_proto_version(host.context.get(), *max);
  return {};
}

std::string joined(const std::vector<std::string>& names) {
  std::string all;
  for (const std::string& name : names) all.append(all.empty() ? "" : ":").append(name);
  return all;
}

/// Encrypts, and knows the server by its certificate.
bool is_sound(const SSL_CIPHER& cipher) {
  return SSL_CIPHER_get_bits(&cipher, nullptr) >= 128 &&
         SSL_CIPHER_get_auth_nid(&cipher) != NID_auth_null;
}

/// One name, and none of the commands that OpenSSL's lists may hold ("@SECLEVEL=0", "ALL", "!x").
bool is_one_cipher(SSL_CTX& context, const std::string& name) {
  const bool plain = std::ranges::all_of(
      name, [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-'; });
  if (!plain || SSL_CTX_set_cipher_list(&context, name.c_str()) != 1) {
    ERR_clear_error();
    return false;
  }
  const STACK_OF(SSL_CIPHER)* const found = SSL_CTX_get_ciphers(&context);
  const auto is_meant = [&](int i) {
    const SSL_CIPHER* const cipher = sk_SSL_CIPHER_value(found, i);
    return name == SSL_CIPHER_get_name(cipher) && is_sound(*cipher);
  };
  return std::ranges::any_of(std::views::iota(0, sk_SSL_CIPHER_num(found)), is_meant);
}

Result<void> set_ciphers(SSL_CTX& context, const std::vector<std::string>& ciphers) {
  if (ciphers.empty()) return {};
  for (const std::string& name : ciphers) {
    if (!is_one_cipher(context, name)) {
      return fail(ErrorCode::kInvalid, "ciphers: \"" + name +
                                           "\" is no cipher of TLS 1.2 that can be served; "
                                           "`openssl ciphers -tls1_2 -s` lists them");
    }
  }
  if (SSL_CTX_set_cipher_list(&context, joined(ciphers).c_str()) == 1) return {};
  return fail(ErrorCode::kInternal, "ciphers: " + last_openssl_error());
}

/// Without those that only cost more: no client is known that has none of these.
std::vector<std::string> default_curves() {
  return {"X25519", "P-256", "P-384"};
}

Result<void> set_curves(Host& host, const std::vector<std::string>& curves) {
  for (const std::string& name : curves) {
    int nid = EC_curve_nist2nid(name.c_str());
    if (nid == NID_undef) nid = OBJ_sn2nid(name.c_str());
    if (nid == NID_undef || SSL_CTX_set1_groups(host.context.get(), &nid, 1) != 1) {
      ERR_clear_error();
      return fail(ErrorCode::kInvalid, "curves: \"" + name +
                                           "\" is no curve that can be served; say X25519, P-256, "
                                           "P-384, P-521 or X448");
    }
    host.groups.push_back(nid);
  }
  if (SSL_CTX_set1_groups(host.context.get(), host.groups.data(),
                          static_cast<long>(host.groups.size())) == 1) {
    return {};
  }
  return fail(ErrorCode::kInvalid, "curves: one is given twice");
}

Result<void> set_certificate(SSL_CTX& context, const TlsHost& options,
                             std::vector<std::string>& warnings) {
  const Pem certificate{
      .file = options.certificate_file, .text = options.certificate_pem, .what = "certificate_pem"};
  const Pem key{.file = options.key_file, .text = options.key_pem.reveal(), .what = "key_pem"};
  if (certificate.empty())
    return fail(ErrorCode::kInvalid, "TLS needs a certificate; none is given");
  if (key.empty()) {
    return fail(ErrorCode::kInvalid, certificate.name() + ": its private key is not given");
  }
  const Result<Credential> credential = read_credential(certificate, key);
  if (!credential) return std::unexpected(credential.error());
  if (X509_cmp_current_time(X509_get0_notAfter(credential->certificate.get())) < 0) {
    warnings.push_back(credential->name + ": the certificate has expired");
  }
  return use_credential(context, *credential);
}

Result<void> set_revocations(SSL_CTX& context, const Pem& pem, std::vector<std::string>& warnings) {
  const Result<std::vector<RevocationListPtr>> lists = read_revocation_lists(pem);
  if (!lists) return std::unexpected(lists.error());
  X509_STORE* const store = SSL_CTX_get_cert_store(&context);
  for (const RevocationListPtr& list : *lists) {
    const ASN1_TIME* const next = X509_CRL_get0_nextUpdate(list.get());
    if (next != nullptr && X509_cmp_current_time(next) < 0) {
      warnings.push_back(pem.name() +
                         ": a revocation list has expired; clients whose authority it is of are "
                         "refused until there is a new one");
    }
    if (X509_STORE_add_crl(store, list.get()) != 1) {
      return fail(ErrorCode::kInvalid, pem.name() + ": " + last_openssl_error());
    }
  }
  X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
  return {};
}

Result<void> set_client_rules(Host& host, const TlsHost& options,
                              std::vector<std::string>& warnings) {
  const Pem ca{
      .file = options.client_ca_file, .text = options.client_ca_pem, .what = "client_ca_pem"};
  const Pem crl{.file = options.crl_file, .text = options.crl_pem, .what = "crl_pem"};
  if (ca.empty() && options.client_required) {
    return fail(ErrorCode::kInvalid,
                "client_required needs client_ca: without it no certificate can be verified");
  }
  if (ca.empty() && !crl.empty()) {
    return fail(ErrorCode::kInvalid, crl.name() + ": a crl needs client_ca beside it");
  }
  if (ca.empty()) return {};
  const Result<std::vector<CertificatePtr>> authorities = read_certificates(ca);
  if (!authorities) return std::unexpected(authorities.error());
  SSL_CTX& context = *host.context;
  Result<void> trusted = trust_all(context, *authorities);
  if (!trusted) return trusted;
  for (const CertificatePtr& authority : *authorities) {
    SSL_CTX_add_client_CA(&context, authority.get());
  }
  host.verify = SSL_VERIFY_PEER | (options.client_required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0);
  SSL_CTX_set_verify(&context, host.verify, nullptr);
  SSL_CTX_set_options(&context, SSL_OP_NO_TICKET);
  return crl.empty() ? Result<void>() : set_revocations(context, crl, warnings);
}

void set_sessions(const Host& host, std::size_t index) {
  SSL_CTX* const context = host.context.get();
  // A ticket holds all of a session; one is enough, and the server keeps none.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, host.verify == SSL_VERIFY_NONE ? 1 : 0);
  const std::string id = session_id_context(index);
  SSL_CTX_set_session_id_context(context, reinterpret_cast<const unsigned char*>(id.data()),
                                 static_cast<unsigned int>(id.size()));
}

}  // namespace

std::string session_id_context(std::size_t index) {
  return "host " + std::to_string(index);
}

Result<void> set_rules(Host& host, const TlsHost& options, std::size_t index,
                       std::vector<std::string>& warnings) {
  host.alpn = alpn_on_the_wire(options.alpn);
  Result<void> set = set_versions(host, options);
  if (set) set = set_ciphers(*host.context, options.ciphers);
  if (set) set = set_curves(host, options.curves.empty() ? default_curves() : options.curves);
  if (set) set = set_certificate(*host.context, options, warnings);
  if (set) set = set_client_rules(host, options, warnings);
  if (set) set_sessions(host, index);
  return set;
}

}  // namespace gatehouse::net
