#include "gatekeeper/key_ring.h"

#include <algorithm>
#include <optional>

#include "crypto/digest.h"
#include "crypto/sealer.h"

namespace gatehouse::gatekeeper {
namespace {

constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kKidBytes = 6;  // short: the kid stands in every cookie
constexpr int kPublishedAhead = 4;    // a rotation divided by this

std::string sealing_context(const store::Key& key) {
  return "gatekeeper/" + key.purpose + "/" + key.kid;
}

bool signs_at(const store::Key& key, WallTime now) {
  return key.active_from <= now && now < key.retires;
}

bool same_kids(const std::vector<RingKey>& a, const std::vector<RingKey>& b) {
  return std::ranges::equal(a, b, {}, &RingKey::kid, &RingKey::kid);
}

}  // namespace

KeyRing::KeyRing(Secret sealing_key, Lifetimes lifetimes, Entropy& entropy, const Clock& clock)
    : key_of_keys_(crypto::derive_key(sealing_key, "gatehouse gatekeeper keys")),
      lifetimes_(lifetimes),
      entropy_(entropy),
      clock_(clock),
      snapshot_(std::make_shared<const KeySnapshot>()) {}

std::shared_ptr<const KeySnapshot> KeyRing::snapshot() const {
  const std::lock_guard lock(mutex_);
  return snapshot_;
}

Result<void> KeyRing::refresh(store::Transaction& transaction) {
  const std::shared_ptr<const KeySnapshot> known = snapshot();
  Result<std::vector<RingKey>> session =
      refresh_purpose(transaction, "session", lifetimes_.session, known->session);
  if (!session) return fail(std::move(session));
  Result<std::vector<RingKey>> login =
      refresh_purpose(transaction, "login", lifetimes_.login, known->login);
  if (!login) return fail(std::move(login));
  const bool unchanged = same_kids(*session, known->session) && same_kids(*login, known->login);
  if (epoch() == 0 || !unchanged) publish({std::move(*session), std::move(*login)});
  return {};
}

Result<std::vector<RingKey>> KeyRing::refresh_purpose(store::Transaction& transaction,
                                                      std::string_view purpose,
                                                      std::chrono::seconds accepted_for,
                                                      const std::vector<RingKey>& known) {
  const WallTime now = clock_.now();
  Result<std::vector<store::Key>> stored = transaction.keys(purpose);
  if (!stored) return fail(std::move(stored));
  std::erase_if(*stored, [now](const store::Key& key) { return key.expires <= now; });

  const bool signs =
      std::ranges::any_of(*stored, [now](const store::Key& key) { return signs_at(key, now); });
  const auto newest = std::ranges::max_element(*stored, {}, &store::Key::active_from);
  std::optional<WallTime> due;
  if (!signs) {
    due = now;
  } else if (newest->retires - now <= lifetimes_.rotation / kPublishedAhead) {
    due = newest->retires;
  }
  if (due) {
    Result<store::Key> added = add_key(transaction, purpose, *due, accepted_for);
    if (!added) return fail(std::move(added));
    stored->push_back(std::move(*added));
  }

  std::vector<RingKey> keys;
  for (const store::Key& key : *stored) {
    const auto held = std::ranges::find(known, key.kid, &RingKey::kid);
    if (held != known.end()) {
      keys.push_back(*held);
      continue;
    }
    Result<RingKey> opened = open(key);
    if (!opened) return fail(std::move(opened));
    keys.push_back(std::move(*opened));
  }
  return keys;
}

Result<store::Key> KeyRing::add_key(store::Transaction& transaction, std::string_view purpose,
                                    WallTime active_from, std::chrono::seconds accepted_for) {
  store::Key key;
  key.purpose = purpose;
  key.kid = entropy_.token(kKidBytes);
  crypto::Sealer sealer(key_of_keys_, entropy_);
  const Secret bytes(entropy_.bytes(kKeyBytes));
  key.sealed = sealer.seal(bytes.reveal(), sealing_context(key));
  key.created = clock_.now();
  key.active_from = active_from;
  key.retires = active_from + lifetimes_.rotation;
  key.expires = key.retires + accepted_for;
  Result<void> added = transaction.add_key(key);
  if (!added) return fail(std::move(added));
  return key;
}

Result<RingKey> KeyRing::open(const store::Key& stored) const {
  crypto::Sealer sealer(key_of_keys_, entropy_);
  Result<std::string> bytes = sealer.open(stored.sealed, sealing_context(stored));
  if (!bytes || bytes->size() != kKeyBytes) {
    return fail(ErrorCode::kCorrupt,
                "the " + stored.purpose + " key " + stored.kid +
                    " in the store does not open; give the sealing key that it was made with, or "
                    "delete the key, which ends all sessions");
  }
  return RingKey{stored.kid, Secret(std::move(*bytes)), stored.active_from, stored.retires,
                 stored.expires};
}

void KeyRing::publish(KeySnapshot snapshot) {
  auto fresh = std::make_shared<const KeySnapshot>(std::move(snapshot));
  {
    const std::lock_guard lock(mutex_);
    snapshot_ = std::move(fresh);
  }
  epoch_.fetch_add(1, std::memory_order_release);
}

}  // namespace gatehouse::gatekeeper
