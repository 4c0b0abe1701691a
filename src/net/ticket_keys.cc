#include "net/ticket_keys.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <algorithm>

namespace gatehouse::net {

namespace {

// What the callback may answer.
constexpr int kFailed = -1;
constexpr int kUnknownKey = 0;  // a full handshake
constexpr int kGood = 1;
constexpr int kGoodButRenew = 2;

bool set_mac_key(EVP_MAC_CTX* mac, TicketKeys::Key& key) {
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.mac.data(), key.mac.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_end(),
  };
  return EVP_MAC_CTX_set_params(mac, parameters) == 1;
}

bool make_random(TicketKeys::Key& key) {
  const auto fill = [](auto& bytes) {
    return RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1;
  };
  return fill(key.name) && fill(key.cipher) && fill(key.mac);
}

}  // namespace

TicketKeys::Key::Key() : name{}, cipher{}, mac{} {}

TicketKeys::Key::~Key() {
  OPENSSL_cleanse(cipher.data(), cipher.size());
  OPENSSL_cleanse(mac.data(), mac.size());
}

void TicketKeys::rotate(MonotonicTime now) {
  if (previous_ && now - previous_->made >= 2 * kSealingTime) previous_.reset();
  if (!current_ || now - current_->made < kSealingTime) return;
  previous_.reset();
  if (now - current_->made < 2 * kSealingTime) previous_ = current_;
  current_.reset();
}

std::optional<TicketKeys::Key> TicketKeys::sealing(MonotonicTime now) {
  const std::lock_guard lock(mutex_);
  rotate(now);
  if (!current_) {
    Dated fresh{.key = {}, .made = now};
    if (!make_random(fresh.key)) return std::nullopt;
    current_ = fresh;
  }
  return current_->key;
}

std::optional<TicketKeys::Opening> TicketKeys::opening(const unsigned char* name,
                                                       MonotonicTime now) {
  const std::lock_guard lock(mutex_);
  rotate(now);
  const auto is_named = [name](const std::optional<Dated>& dated) {
    return dated && std::equal(dated->key.name.begin(), dated->key.name.end(), name);
  };
  if (is_named(current_)) return Opening{.key = current_->key, .renew = false};
  if (is_named(previous_)) return Opening{.key = previous_->key, .renew = true};
  return std::nullopt;
}

int seal_ticket(TicketKeys& keys, const Ticket& ticket, MonotonicTime now) {
  std::optional<TicketKeys::Key> key = keys.sealing(now);
  if (!key || RAND_bytes(ticket.iv, EVP_MAX_IV_LENGTH) != 1) return kFailed;
  std::ranges::copy(key->name, ticket.key_name);
  const bool set = EVP_EncryptInit_ex2(ticket.cipher, keys.cipher(), key->cipher.data(), ticket.iv,
                                       nullptr) == 1 &&
                   set_mac_key(ticket.mac, *key);
  return set ? kGood : kFailed;
}

int open_ticket(TicketKeys& keys, const Ticket& ticket, MonotonicTime now) {
  std::optional<TicketKeys::Opening> opening = keys.opening(ticket.key_name, now);
  if (!opening) return kUnknownKey;
  const bool set = EVP_DecryptInit_ex2(ticket.cipher, keys.cipher(), opening->key.cipher.data(),
                                       ticket.iv, nullptr) == 1 &&
                   set_mac_key(ticket.mac, opening->key);
  if (!set) return kFailed;
  return opening->renew ? kGoodButRenew : kGood;
}

}  // namespace gatehouse::net
