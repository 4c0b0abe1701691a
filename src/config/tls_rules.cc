// Rules between the fields of TLS, on both sides of the gateway.
#include "config/rule_parts.h"
#include "http/headers.h"

namespace gatehouse::config {
namespace {

void check_pair(bool certificate, bool key, std::string_view certificate_field,
                std::string_view key_field, const Subject& subject) {
  const auto with = [](std::string_view other) {
    return "must be given with " + std::string(other);
  };
  subject.refuse_if(key && !certificate, certificate_field, with(key_field));
  subject.refuse_if(certificate && !key, key_field, with(certificate_field));
}

/// Anything that says how TLS is to be spoken.
bool has_terms(const Tls& tls) {
  const Tls usual;
  return tls.min_version != usual.min_version || tls.max_version != usual.max_version ||
         tls.ciphers != usual.ciphers || tls.curves != usual.curves || tls.alpn != usual.alpn;
}

void check_client_certificates(const Tls& tls, bool certificate, const Subject& subject) {
  const bool authority = !tls.client_ca.empty() || !tls.client_ca_pem.empty();
  check_one_source(!tls.client_ca.empty(), !tls.client_ca_pem.empty(), "tls.client_ca",
                   "tls.client_ca_pem", subject);
  check_one_source(!tls.crl.empty(), !tls.crl_pem.empty(), "tls.crl", "tls.crl_pem", subject);
  subject.refuse_if(authority && !certificate,
                    tls.client_ca.empty() ? "tls.client_ca_pem" : "tls.client_ca",
                    "needs tls.certificate: a client shows its certificate within TLS only");
  constexpr std::string_view kNeedsAuthority =
      "needs tls.client_ca, which says who may certify clients";
  subject.refuse_if(tls.client_required && !authority, "tls.client_required", kNeedsAuthority);
  subject.refuse_if(!tls.crl.empty() && !authority, "tls.crl", kNeedsAuthority);
  subject.refuse_if(!tls.crl_pem.empty() && !authority, "tls.crl_pem", kNeedsAuthority);
  subject.refuse_if(!tls.forward_client.empty() && !authority, "tls.forward_client",
                    kNeedsAuthority);
}

}  // namespace

void check_one_source(bool file, bool text, std::string_view file_field,
                      std::string_view text_field, const Subject& subject) {
  if (file && text) {
    subject.refuse(text_field,
                   "must not be given with " + std::string(file_field) + "; keep one of the two");
  }
}

void check_tls(const Tls& tls, const Subject& subject) {
  const bool certificate = !tls.certificate.empty() || !tls.certificate_pem.empty();
  const bool key = !tls.key.empty() || !tls.key_pem.empty();
  check_one_source(!tls.certificate.empty(), !tls.certificate_pem.empty(), "tls.certificate",
                   "tls.certificate_pem", subject);
  check_one_source(!tls.key.empty(), !tls.key_pem.empty(), "tls.key", "tls.key_pem", subject);
  check_pair(certificate, key, "tls.certificate", "tls.key", subject);
  subject.refuse_if(has_terms(tls) && !certificate && !key, "tls.certificate",
                    "must be given with the other fields of tls: without it nothing is encrypted");
  check_client_certificates(tls, certificate, subject);
  subject.refuse_if(tls.min_version > tls.max_version, "tls.min_version",
                    "must not be newer than tls.max_version");
}

void check_upstream_tls(const UpstreamTls& tls, std::string_view service, const Subject& subject) {
  check_one_source(!tls.ca_file.empty(), !tls.ca_pem.empty(), "ca_file", "ca_pem", subject);
  check_one_source(!tls.certificate.empty(), !tls.certificate_pem.empty(), "client_certificate",
                   "client_certificate_pem", subject);
  check_one_source(!tls.key.empty(), !tls.key_pem.empty(), "client_key", "client_key_pem", subject);
  check_pair(!tls.certificate.empty() || !tls.certificate_pem.empty(),
             !tls.key.empty() || !tls.key_pem.empty(), "client_certificate", "client_key", subject);
  if (http::lower_case(service).starts_with("https://")) return;
  for (const auto& [field, given] :
       {std::pair("ca_file", !tls.ca_file.empty()), std::pair("ca_pem", !tls.ca_pem.empty()),
        std::pair("client_certificate", !tls.certificate.empty()),
        std::pair("client_certificate_pem", !tls.certificate_pem.empty()),
        std::pair("tls_server_name", !tls.server_name.empty())}) {
    subject.refuse_if(given, field, "needs a service with https://");
  }
}

}  // namespace gatehouse::config
