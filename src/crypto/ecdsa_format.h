// The two ways to write an ECDSA signature: JOSE's r ‖ s of a fixed length (RFC 7518 §3.4), and the
// DER sequence that OpenSSL takes.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace gatehouse::crypto {

/// nullopt unless the signature has exactly twice `size` bytes, `size` being a coordinate's.
std::optional<std::string> ecdsa_to_der(std::string_view signature, std::size_t size);

/// Empty if that is no DER signature or its numbers are longer than `size` bytes.
std::string ecdsa_from_der(std::string_view der, std::size_t size);

}  // namespace gatehouse::crypto
