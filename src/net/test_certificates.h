// For tests: certificates made through OpenSSL, written to a directory that goes with this object.
#pragma once

#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <filesystem>
#include <string>

#include "net/openssl.h"
#include "net/tls.h"

namespace gatehouse::net {

class TestCertificates {
 public:
  struct Issued {
    std::string certificate_file, key_file;
  };
  struct Wish {
    std::string names;                            // as "DNS:a.example,IP:127.0.0.1"
    long valid_from = -3600, valid_until = 3600;  // seconds from now
    bool self_signed = false;
  };

  TestCertificates() {
    std::string pattern = ::testing::TempDir() + "gatehouse_tls_XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
    ca_key_ = make_key();
    ca_ = make_certificate(*ca_key_, "Test CA", {});
    add_extension(*ca_, NID_basic_constraints, "critical,CA:TRUE");
    sign(*ca_, *ca_, *ca_key_);
    write(ca_file(), [&](BIO* out) { return PEM_write_bio_X509(out, ca_.get()); });
  }
  ~TestCertificates() { std::filesystem::remove_all(directory_); }
  TestCertificates(const TestCertificates&) = delete;
  TestCertificates& operator=(const TestCertificates&) = delete;

  std::string ca_file() const { return path("ca.pem"); }
  std::string path(const std::string& name) const { return directory_ + "/" + name; }

  Issued issue(const std::string& name, const Wish& wish) {
    const Issued issued{path(name + ".pem"), path(name + ".key")};
    const KeyPtr key = make_key();
    const CertificatePtr certificate = make_certificate(*key, name, wish);
    add_extension(*certificate, NID_subject_alt_name, wish.names);
    if (wish.self_signed) {
      sign(*certificate, *certificate, *key);
    } else {
      sign(*certificate, *ca_, *ca_key_);
    }
    write(issued.certificate_file,
          [&](BIO* out) { return PEM_write_bio_X509(out, certificate.get()); });
    write(issued.key_file, [&](BIO* out) {
      return PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    });
    return issued;
  }

  /// A revocation list of this authority with that certificate in it; the file's name.
  std::string revoke(const Issued& issued) {
    const BioPtr in(BIO_new_file(issued.certificate_file.c_str(), "r"));
    const CertificatePtr certificate(PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr));
    const RevocationListPtr list(X509_CRL_new());
    const std::unique_ptr<ASN1_TIME, FreeBy<ASN1_TIME_free>> now(ASN1_TIME_new());
    X509_gmtime_adj(now.get(), -60);
    X509_CRL_set1_lastUpdate(list.get(), now.get());
    X509_gmtime_adj(now.get(), 3600);
    X509_CRL_set1_nextUpdate(list.get(), now.get());
    X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(ca_.get()));
    X509_REVOKED* const revoked = X509_REVOKED_new();
    X509_REVOKED_set_serialNumber(revoked, X509_get_serialNumber(certificate.get()));
    X509_REVOKED_set_revocationDate(revoked, now.get());
    X509_CRL_add0_revoked(list.get(), revoked);
    EXPECT_GT(X509_CRL_sign(list.get(), ca_key_.get(), EVP_sha256()), 0);
    const std::string file = path("revoked.pem");
    write(file, [&](BIO* out) { return PEM_write_bio_X509_CRL(out, list.get()); });
    return file;
  }

  static TlsHost host_of(const Issued& issued) {
    TlsHost host;
    host.certificate_file = issued.certificate_file;
    host.key_file = issued.key_file;
    return host;
  }
  std::shared_ptr<const ServerTls> server(const Issued& issued,
                                          std::vector<std::string> alpn = {"http/1.1"}) {
    TlsHost host = host_of(issued);
    host.alpn = std::move(alpn);
    auto tls = ServerTls::load({.hosts = {host}});
    EXPECT_TRUE(tls) << tls.error().message;
    return *tls;
  }
  std::shared_ptr<const ClientTls> client() {
    auto tls = ClientTls::load({.ca_file = ca_file()});
    EXPECT_TRUE(tls) << tls.error().message;
    return *tls;
  }

 private:
  static KeyPtr make_key() { return KeyPtr(EVP_EC_gen("P-256")); }

  CertificatePtr make_certificate(EVP_PKEY& key, const std::string& name, const Wish& wish) {
    CertificatePtr certificate(X509_new());
    X509_set_version(certificate.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), ++serial_);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), wish.valid_from);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), wish.valid_until);
    X509_set_pubkey(certificate.get(), &key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    return certificate;
  }

  static void add_extension(X509& certificate, int nid, const std::string& value) {
    X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
    ASSERT_NE(extension, nullptr) << value;
    X509_add_ext(&certificate, extension, -1);
    X509_EXTENSION_free(extension);
  }

  static void sign(X509& certificate, const X509& issuer, EVP_PKEY& key) {
    X509_set_issuer_name(&certificate, X509_get_subject_name(&issuer));
    ASSERT_GT(X509_sign(&certificate, &key, EVP_sha256()), 0);
  }

  template <class Write>
  static void write(const std::string& file, Write write_to) {
    const BioPtr out(BIO_new_file(file.c_str(), "w"));
    ASSERT_EQ(write_to(out.get()), 1) << file;
  }

  std::string directory_;
  long serial_ = 0;
  KeyPtr ca_key_;
  CertificatePtr ca_;
};

}  // namespace gatehouse::net
