// Password hashes: Argon2id made, Argon2id and bcrypt accepted. Blocking and slow by design: call
// on a BlockingPool.
#pragma once

#include <string>
#include <string_view>

#include "base/entropy.h"
#include "base/result.h"
#include "base/secret.h"

namespace gatehouse::crypto {

/// OWASP's second choice: 19 MiB, two passes, one lane.
struct Argon2Cost {
  unsigned memory_kib = 19 * 1024;
  unsigned passes = 2;
  unsigned lanes = 1;
};

/// "$argon2id$v=19$m=…,t=…,p=…$salt$hash" (PHC form).
Result<std::string> hash_password(const Secret& password, Entropy& entropy, Argon2Cost cost = {});

/// True if the password is the one that was hashed. False for another one, and for a hash of a form
/// or cost that is not accepted (Argon2id over 256 MiB or 16 passes, bcrypt over cost 16).
bool verify_password(const Secret& password, std::string_view hash);

/// Whether the text is a hash that verify_password() accepts.
bool is_password_hash(std::string_view hash);

/// True for bcrypt and for Argon2id below `cost`: hash again at the next right password.
bool needs_rehash(std::string_view hash, Argon2Cost cost = {});

}  // namespace gatehouse::crypto
