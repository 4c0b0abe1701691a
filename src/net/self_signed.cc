#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <utility>

#include "net/openssl.h"
#include "net/socket_address.h"
#include "net/tls.h"

namespace gatehouse::net {

namespace {

constexpr long kValidSeconds = 365L * 24 * 60 * 60;
/// Clocks of clients that are slow.
constexpr long kValidBefore = 60L * 60;
constexpr int kSerialBits = 159;  // RFC 5280 §4.1.2.2: 20 octets at most, and positive

using BigNumberPtr = std::unique_ptr<BIGNUM, FreeBy<BN_free>>;
using ExtensionPtr = std::unique_ptr<X509_EXTENSION, FreeBy<X509_EXTENSION_free>>;
using GeneralNamesPtr = std::unique_ptr<GENERAL_NAMES, FreeBy<GENERAL_NAMES_free>>;

bool is_dns_name(const std::string& name) {
  const bool allowed = name.find_first_not_of(
                           "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.*") ==
                       std::string::npos;
  return allowed && !name.empty() && name.size() <= 253;
}

bool add_alternative_names(X509& certificate, const std::vector<std::string>& names) {
  const GeneralNamesPtr all(sk_GENERAL_NAME_new_null());
  for (const std::string& name : names) {
    const int type = is_ip_address(name) ? GEN_IPADD : GEN_DNS;
    GENERAL_NAME* const one =
        a2i_GENERAL_NAME(nullptr, nullptr, nullptr, type, name.c_str(), /*is_nc=*/0);
    if (one == nullptr || sk_GENERAL_NAME_push(all.get(), one) == 0) return false;
  }
  return X509_add1_ext_i2d(&certificate, NID_subject_alt_name, all.get(), 0, 0) == 1;
}

bool add_extension(X509& certificate, int nid, const char* value) {
  const ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, nullptr, nid, value));
  return extension && X509_add_ext(&certificate, extension.get(), -1) == 1;
}

bool set_serial(X509& certificate) {
  const BigNumberPtr number(BN_new());
  return number && BN_rand(number.get(), kSerialBits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(&certificate)) != nullptr;
}

CertificatePtr make_certificate(EVP_PKEY& key, const std::vector<std::string>& names) {
  CertificatePtr made(X509_new());
  if (!made) return nullptr;
  X509& certificate = *made;
  X509_NAME* const subject = X509_get_subject_name(&certificate);
  const bool good =
      X509_set_version(&certificate, X509_VERSION_3) == 1 && set_serial(certificate) &&
      X509_gmtime_adj(X509_getm_notBefore(&certificate), -kValidBefore) != nullptr &&
      X509_gmtime_adj(X509_getm_notAfter(&certificate), kValidSeconds) != nullptr &&
      X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                 reinterpret_cast<const unsigned char*>(names.front().c_str()), -1,
                                 -1, 0) == 1 &&
      X509_set_issuer_name(&certificate, subject) == 1 &&
      X509_set_pubkey(&certificate, &key) == 1 &&
      add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
      add_extension(certificate, NID_key_usage, "critical,digitalSignature") &&
      add_extension(certificate, NID_ext_key_usage, "serverAuth") &&
      add_alternative_names(certificate, names) && X509_sign(&certificate, &key, EVP_sha256()) > 0;
  return good ? std::move(made) : nullptr;
}

template <class Write>
std::string pem_of(Write write) {
  const BioPtr out(BIO_new(BIO_s_secmem()));
  if (!out || write(out.get()) != 1) return {};
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

}  // namespace

Result<SelfSigned> make_self_signed(const std::vector<std::string>& names) {
  if (names.empty()) return fail(ErrorCode::kInvalid, "a certificate needs a name that it is for");
  for (const std::string& name : names) {
    if (is_dns_name(name) || is_ip_address(name)) continue;
    return fail(ErrorCode::kInvalid, "\"" + name + "\" is neither a DNS name nor an IP address");
  }
  const KeyPtr key(EVP_EC_gen("P-256"));
  const CertificatePtr certificate = key ? make_certificate(*key, names) : nullptr;
  if (!certificate) {
    return fail(ErrorCode::kInternal, "no certificate can be made: " + last_openssl_error());
  }
  SelfSigned made;
  made.certificate_pem =
      pem_of([&](BIO* out) { return PEM_write_bio_X509(out, certificate.get()); });
  made.key_pem = Secret(pem_of([&](BIO* out) {
    return PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  }));
  return made;
}

}  // namespace gatehouse::net
