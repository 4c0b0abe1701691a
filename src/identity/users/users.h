// Finding, adding and changing the users that log in with a password of our own.
//
// E-mail addresses and usernames are kept and compared in lower case. A username never holds an
// '@', so that no name can be taken for somebody's address. All functions run inside a transaction.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/entropy.h"
#include "config/settings.h"
#include "store/contract.h"

namespace gatehouse::identity {

/// What was typed into the login field, in the one form by which users are found and failures are
/// counted: without white space at the ends, in lower case.
std::string normalize_login(std::string_view typed);

/// kInvalid if it is no e-mail address: one '@' with something on both sides, no white space, no
/// control bytes, at most 254 bytes (RFC 5321 §4.5.3.1.3).
Result<void> check_email(std::string_view email);

/// By e-mail address, else by username. `login` is normalised.
Result<std::optional<store::User>> find_by_login(store::Transaction& transaction,
                                                 std::string_view login);

/// Gives `user` the username, for find_by_login(). kConflict if another user has it.
Result<void> claim_username(store::Transaction& transaction, const store::User& user);

/// Makes the users of the configuration so: the file wins over what the store holds. Users that an
/// earlier file had and this one has not are disabled.
Result<void> apply_static_users(store::Transaction& transaction,
                                const std::vector<config::StaticUser>& users, Entropy& entropy,
                                WallTime now);

/// 128 random bits: enough never to meet again.
inline constexpr std::size_t kUserIdBytes = 16;

}  // namespace gatehouse::identity
