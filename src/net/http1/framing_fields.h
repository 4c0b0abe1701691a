// The fields that belong to the connection, not to the message: what they say is taken out of a
// head once, here, so that nothing behind the codec can read them in another way. Used for requests
// and for answers.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "http/headers.h"
#include "net/http1/codec.h"

namespace gatehouse::net::http1 {

/// Names in `Connection` that are neither close, keep-alive, upgrade nor te. More are refused: each
/// costs a look at all fields.
inline constexpr std::size_t kConnectionNames = 16;

class FramingFields {
 public:
  /// Takes the field in if it is one of those; false if it belongs to the message.
  bool take(http::Field field);

  /// What take() found wrong: a second Content-Length, a list that is none. Empty if nothing.
  std::string_view fault() const { return fault_; }

  bool has_length() const { return lengths_ != 0; }
  bool has_coding() const { return codings_ != 0; }
  std::optional<std::uint64_t> length() const;
  /// Why the length or coding cannot be trusted; nullopt if they can. Both together never can, nor
  /// can a coding of HTTP/1.0.
  std::optional<Refusal> refusal(http::Version version) const;

  /// Whether the connection stays open behind this message, as far as its sender says.
  bool keep_alive(http::Version version) const;
  bool lists_upgrade() const { return upgrade_; }
  bool accepts_trailers() const { return trailers_; }
  /// The value of Upgrade; the last one if there were several.
  std::string_view upgrade() const { return upgrade_to_; }

  /// Removes what `Connection` names (RFC 9110 §7.6.1). Done before anything is added to the
  /// headers, so that a sender cannot have a proxy's own fields removed.
  void remove_named(http::Headers& headers) const;

 private:
  void take_length(std::string_view value);
  void take_coding(std::string_view value);
  void take_connection(std::string_view value);
  void take_option(std::string_view option);

  std::string_view fault_;
  std::string_view length_, coding_, upgrade_to_;
  std::uint8_t lengths_ = 0, codings_ = 0;
  bool close_ = false, keep_alive_ = false, upgrade_ = false, trailers_ = false;
  std::array<std::string_view, kConnectionNames> names_{};
  std::size_t named_ = 0;
};

/// True for the names that a codec alone writes: framing, Connection and its company, Host.
bool is_framing_name(std::string_view name);

}  // namespace gatehouse::net::http1
