#include "net/client_certificate.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/encoding.h"

namespace gatehouse::net {

namespace {

std::string sha256(const X509& certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int size = 0;
  if (X509_digest(&certificate, EVP_sha256(), digest.data(), &size) != 1) return {};
  return hex_encode({reinterpret_cast<const char*>(digest.data()), size});
}

template <class Write>
std::string text_of(Write write) {
  const BioPtr out(BIO_new(BIO_s_mem()));
  if (!out || write(out.get()) < 0) return {};
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<std::size_t>(std::max(size, 0L))};
}

std::string subject(const X509& certificate) {
  return text_of([&certificate](BIO* out) {
    return X509_NAME_print_ex(out, X509_get_subject_name(&certificate), 0, XN_FLAG_RFC2253);
  });
}

std::string pem(const X509& certificate) {
  return text_of([&certificate](BIO* out) { return PEM_write_bio_X509(out, &certificate); });
}

bool is_visible(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

void add_names(const X509& certificate, http::ClientCertificate& out) {
  auto* const names = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names, i);
    if (name->type != GEN_URI && name->type != GEN_DNS) continue;
    const ASN1_IA5STRING& ascii = *name->d.ia5;
    const std::string_view text(reinterpret_cast<const char*>(ascii.data),
                                static_cast<std::size_t>(ascii.length));
    if (!is_visible(text)) continue;
    (name->type == GEN_URI ? out.uris : out.dns_names).emplace_back(text);
  }
  GENERAL_NAMES_free(names);
}

}  // namespace

http::ClientCertificate describe(X509& certificate, const STACK_OF(X509) * issuers) {
  http::ClientCertificate out;
  out.sha256 = sha256(certificate);
  out.subject = subject(certificate);
  add_names(certificate, out);
  out.pem = pem(certificate);
  out.chain_pem = out.pem;
  for (int i = 0; i < sk_X509_num(issuers); ++i) out.chain_pem += pem(*sk_X509_value(issuers, i));
  ERR_clear_error();
  return out;
}

}  // namespace gatehouse::net
