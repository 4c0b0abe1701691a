#include "crypto/password.h"

#include <argon2.h>
#include <crypt.h>
#include <string.h>

#include <charconv>
#include <memory>
#include <optional>

#include "base/encoding.h"

namespace gatehouse::crypto {
namespace {

// What one check may cost, whoever wrote the hash: a hash from a configuration file or an import
// must not take the machine's memory or a thread for minutes.
constexpr unsigned kMemoryLimitKib = 256 * 1024;
constexpr unsigned kPassesLimit = 16;
constexpr unsigned kLanesLimit = 16;
constexpr unsigned kBcryptCostLimit = 16;
// Nobody types more; a megabyte of password would only cost hashing time.
constexpr std::size_t kPasswordLimit = 4096;

constexpr std::size_t kSaltSize = 16;
constexpr std::size_t kHashSize = 32;
// What is accepted of others: libargon2's least, and room enough for its command line's choices.
constexpr std::size_t kSaltSizeMin = 8;
constexpr std::size_t kHashSizeMin = 16;
constexpr std::size_t kSizeMax = 64;

/// Takes `prefix` off the front of `text`.
bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

/// Takes a decimal number without sign or leading zero off the front of `text`.
std::optional<unsigned> take_number(std::string_view& text) {
  unsigned number = 0;
  const char* const begin = text.data();
  const auto [rest, error] = std::from_chars(begin, begin + text.size(), number);
  if (error != std::errc() || text.front() == '0') return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(rest - begin));
  return number;
}

/// PHC strings have base64 without padding.
std::optional<std::size_t> decoded_size(std::string_view unpadded) {
  if (unpadded.find('=') != std::string_view::npos) return std::nullopt;
  std::string padded(unpadded);
  padded.append((4 - padded.size() % 4) % 4, '=');
  const auto bytes = base64_decode(padded);
  if (!bytes) return std::nullopt;
  return bytes->size();
}

bool is_within(std::optional<std::size_t> size, std::size_t least) {
  return size && *size >= least && *size <= kSizeMax;
}

bool is_accepted(const Argon2Cost& cost) {
  return cost.lanes >= 1 && cost.lanes <= kLanesLimit && cost.passes >= 1 &&
         cost.passes <= kPassesLimit && cost.memory_kib >= 8 * cost.lanes &&
         cost.memory_kib <= kMemoryLimitKib;
}

/// The cost of a well-formed Argon2id hash, if it is accepted.
std::optional<Argon2Cost> parse_argon2(std::string_view hash) {
  if (!take(hash, "$argon2id$v=19$m=")) return std::nullopt;
  const auto memory = take_number(hash);
  if (!memory || !take(hash, ",t=")) return std::nullopt;
  const auto passes = take_number(hash);
  if (!passes || !take(hash, ",p=")) return std::nullopt;
  const auto lanes = take_number(hash);
  if (!lanes || !take(hash, "$")) return std::nullopt;
  const std::size_t dollar = hash.find('$');
  if (dollar == std::string_view::npos) return std::nullopt;
  if (!is_within(decoded_size(hash.substr(0, dollar)), kSaltSizeMin)) return std::nullopt;
  if (!is_within(decoded_size(hash.substr(dollar + 1)), kHashSizeMin)) return std::nullopt;
  const Argon2Cost cost{*memory, *passes, *lanes};
  if (!is_accepted(cost)) return std::nullopt;
  return cost;
}

bool is_bcrypt_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' ||
         c == '/';
}

/// "$2b$12$" and 53 characters of salt and hash.
bool is_accepted_bcrypt(std::string_view hash) {
  if (hash.size() != 60) return false;
  if (!take(hash, "$2a$") && !take(hash, "$2b$") && !take(hash, "$2y$")) return false;
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (!digit(hash[0]) || !digit(hash[1]) || hash[2] != '$') return false;
  const auto cost = static_cast<unsigned>((hash[0] - '0') * 10 + (hash[1] - '0'));
  if (cost < 4 || cost > kBcryptCostLimit) return false;
  for (const char c : hash.substr(3)) {
    if (!is_bcrypt_character(c)) return false;
  }
  return true;
}

bool verify_argon2(std::string_view password, const std::string& hash) {
  return argon2id_verify(hash.c_str(), password.data(), password.size()) == ARGON2_OK;
}

bool verify_bcrypt(std::string_view password, const std::string& hash) {
  // crypt() reads up to a NUL: "secret\0anything" would pass for "secret".
  if (password.find('\0') != std::string_view::npos) return false;
  std::string terminated(password);
  const auto scratch = std::make_unique<crypt_data>();
  const char* const made = crypt_r(terminated.c_str(), hash.c_str(), scratch.get());
  const bool same = made != nullptr && equal_in_constant_time(made, hash);
  explicit_bzero(scratch.get(), sizeof(crypt_data));
  wipe(terminated);
  return same;
}

}  // namespace

Result<std::string> hash_password(const Secret& password, Entropy& entropy, Argon2Cost cost) {
  if (password.reveal().size() > kPasswordLimit) {
    return fail(ErrorCode::kInvalid, "the password is longer than 4096 bytes");
  }
  if (!is_accepted(cost)) {
    return fail(
        ErrorCode::kInvalid,
        "Argon2id's cost must be 1 to 16 passes, 1 to 16 lanes, and 8 KiB a lane to 256 MiB");
  }
  const std::string salt = entropy.bytes(kSaltSize);
  std::string encoded(
      argon2_encodedlen(cost.passes, cost.memory_kib, cost.lanes, kSaltSize, kHashSize, Argon2_id),
      '\0');
  const std::string_view bytes = password.reveal();
  const int outcome =
      argon2id_hash_encoded(cost.passes, cost.memory_kib, cost.lanes, bytes.data(), bytes.size(),
                            salt.data(), salt.size(), kHashSize, encoded.data(), encoded.size());
  if (outcome != ARGON2_OK) {
    return fail(ErrorCode::kExhausted,
                std::string("the password could not be hashed: ") + argon2_error_message(outcome));
  }
  encoded.resize(::strlen(encoded.c_str()));
  return encoded;
}

bool verify_password(const Secret& password, std::string_view hash) {
  if (password.reveal().size() > kPasswordLimit) return false;
  if (parse_argon2(hash)) return verify_argon2(password.reveal(), std::string(hash));
  if (is_accepted_bcrypt(hash)) return verify_bcrypt(password.reveal(), std::string(hash));
  return false;
}

bool is_password_hash(std::string_view hash) {
  return parse_argon2(hash).has_value() || is_accepted_bcrypt(hash);
}

bool needs_rehash(std::string_view hash, Argon2Cost cost) {
  const auto made = parse_argon2(hash);
  return !made || made->memory_kib < cost.memory_kib || made->passes < cost.passes;
}

}  // namespace gatehouse::crypto
