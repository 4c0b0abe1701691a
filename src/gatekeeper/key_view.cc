#include "gatekeeper/key_view.h"

#include <algorithm>

#include "base/encoding.h"

namespace gatehouse::gatekeeper {
namespace {

/// The first moment after `now` at which what the key may do changes.
WallTime next_change(const RingKey& key, WallTime now) {
  if (now < key.active_from) return key.active_from;
  if (now < key.retires) return key.retires;
  return key.expires;
}

}  // namespace

KeyView::KeyView(const KeyRing& ring, Entropy& entropy, const Clock& clock)
    : ring_(ring), entropy_(entropy), clock_(clock) {}

std::span<jose::Hs256Key> KeyView::session_keys() {
  renew();
  return session_;
}

jose::Hs256Key* KeyView::session_signer() {
  renew();
  return signer_;
}

Result<std::string> KeyView::seal_login(std::string_view plain, std::string_view context) {
  renew();
  if (login_signer_ == nullptr) {
    return fail(ErrorCode::kUnavailable, "no key to seal a login with; is the store reachable?");
  }
  std::string out = login_signer_->kid;
  out += '.';
  out += base64url_encode(login_signer_->sealer.seal(plain, context));
  return out;
}

Result<std::string> KeyView::open_login(std::string_view sealed, std::string_view context) {
  renew();
  const std::size_t dot = sealed.find('.');
  const auto key = std::ranges::find(login_, sealed.substr(0, dot), &LoginKey::kid);
  if (dot == std::string_view::npos || key == login_.end()) {
    return fail(ErrorCode::kInvalid, "not sealed by us");
  }
  const std::optional<std::string> bytes = base64url_decode(sealed.substr(dot + 1));
  if (!bytes) return fail(ErrorCode::kInvalid, "not sealed by us");
  return key->sealer.open(*bytes, context);
}

void KeyView::renew() {
  const std::uint64_t epoch = ring_.epoch();
  const WallTime now = clock_.now();
  if (epoch == epoch_ && made_ <= now && now < changes_) return;

  const std::shared_ptr<const KeySnapshot> snapshot = ring_.snapshot();
  epoch_ = epoch;
  ++version_;
  made_ = now;
  changes_ = WallTime::max();
  session_.clear();
  login_.clear();
  signer_ = nullptr;
  login_signer_ = nullptr;
  // Reserved, so that the pointers to the signers stay good.
  session_.reserve(snapshot->session.size());
  login_.reserve(snapshot->login.size());
  for (const RingKey& key : snapshot->session) {
    if (key.expires <= now) continue;
    session_.emplace_back(key.kid, key.key);
    if (key.signs_at(now)) signer_ = &session_.back();
    changes_ = std::min(changes_, next_change(key, now));
  }
  for (const RingKey& key : snapshot->login) {
    if (key.expires <= now) continue;
    login_.push_back({key.kid, crypto::Sealer(key.key, entropy_)});
    if (key.signs_at(now)) login_signer_ = &login_.back();
    changes_ = std::min(changes_, next_change(key, now));
  }
}

}  // namespace gatehouse::gatekeeper
