// Who signed in, as the provider's claims tell it and as headers can carry it.
//
// A user id that cannot stand in a header byte for byte (control or non-ASCII characters, blanks at
// an end, over kUserLimit) is refused, not rewritten: two people must never end as one id. A group
// that cannot stand in the comma-joined header (the same, and commas) is left out: that grants
// less, never more.
#pragma once

#include <cstddef>
#include <string>

#include "base/json.h"
#include "base/result.h"
#include "config/settings.h"

namespace gatehouse::gatekeeper {

inline constexpr std::size_t kUserLimit = 320;  // RFC 3696: the longest e-mail address
inline constexpr std::size_t kNameLimit = 200;  // bytes of the display name that are kept

struct Person {
  std::string user;  // userid_prefix and userid_claim
  std::string email;
  std::string name;
  std::string groups;  // comma-joined
};

/// kDenied with a reason for the person: a claim is missing, cannot be a header, an e-mail address
/// is not verified or has not exactly one "@".
Result<Person> read_person(const Json& claims, const config::Gatekeeper& settings);

}  // namespace gatehouse::gatekeeper
