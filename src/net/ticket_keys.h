// The keys that seal TLS session tickets (RFC 5077, RFC 8446 §4.6.1).
//
// A key that leaks opens what was resumed under it, so each seals for an hour only, and opens for
// one more; then it is wiped. Keys are random and never leave the process: a restart, or a reload
// of the certificates, costs each client one full handshake.
#pragma once

#include <array>
#include <chrono>
#include <mutex>
#include <optional>

#include "base/clock.h"
#include "net/openssl.h"

namespace gatehouse::net {

/// Thread-safe: the loops that share a ServerTls share its keys.
class TicketKeys {
 public:
  static constexpr std::chrono::hours kSealingTime{1};

  struct Key {
    std::array<unsigned char, 16> name;
    std::array<unsigned char, 32> cipher;
    std::array<unsigned char, 32> mac;
    Key();
    Key(const Key&) = default;
    Key& operator=(const Key&) = default;
    ~Key();
  };

  /// The key to seal with at `now`; nullopt if the system gives no random bytes.
  std::optional<Key> sealing(MonotonicTime now);

  struct Opening {
    Key key;
    bool renew;  // no longer the sealing key: the client should get a new ticket
  };
  std::optional<Opening> opening(const unsigned char* name, MonotonicTime now);
  /// AES-256-CBC: fetched once, because OpenSSL looks it up under a lock each time.
  const EVP_CIPHER* cipher() const { return cipher_.get(); }

 private:
  struct Dated {
    Key key;
    MonotonicTime made;
  };
  void rotate(MonotonicTime now);

  const CipherPtr cipher_{EVP_CIPHER_fetch(nullptr, "AES-256-CBC", nullptr)};
  std::mutex mutex_;
  std::optional<Dated> current_, previous_;
};

/// A ticket as OpenSSL's callback hands it over (SSL_CTX_set_tlsext_ticket_key_evp_cb(3)).
struct Ticket {
  unsigned char* key_name;
  unsigned char* iv;
  EVP_CIPHER_CTX* cipher;
  EVP_MAC_CTX* mac;
};
/// Sets a ticket up for sealing or opening; what OpenSSL's callback returns.
int seal_ticket(TicketKeys& keys, const Ticket& ticket, MonotonicTime now);
int open_ticket(TicketKeys& keys, const Ticket& ticket, MonotonicTime now);

}  // namespace gatehouse::net
