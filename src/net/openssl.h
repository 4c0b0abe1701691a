// OpenSSL's objects as values that free themselves, and its errors as text. For the .cc files of
// this folder; public headers do not show OpenSSL.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

namespace gatehouse::net {

template <auto Free>
struct FreeBy {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};

using BioPtr = std::unique_ptr<BIO, FreeBy<BIO_free>>;
using BioMethodPtr = std::unique_ptr<BIO_METHOD, FreeBy<BIO_meth_free>>;
using CertificatePtr = std::unique_ptr<X509, FreeBy<X509_free>>;
using RevocationListPtr = std::unique_ptr<X509_CRL, FreeBy<X509_CRL_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, FreeBy<EVP_PKEY_free>>;
using CipherPtr = std::unique_ptr<EVP_CIPHER, FreeBy<EVP_CIPHER_free>>;
using SslPtr = std::unique_ptr<SSL, FreeBy<SSL_free>>;
using SslContextPtr = std::unique_ptr<SSL_CTX, FreeBy<SSL_CTX_free>>;

/// The reason of the last error of this thread; empties its queue.
std::string last_openssl_error();

}  // namespace gatehouse::net
