// The fields of a header block that is to be sent, as nghttp2 takes them: names in lower case, no
// field that belongs to an HTTP/1.1 connection, no byte in a value that could end it (RFC 9113
// §8.2). Values and names stay where they are as long as they can be sent as they stand.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/headers.h"

namespace gatehouse::net::http2 {

class FieldList {
 public:
  struct Field {
    std::string_view name, value;
  };

  void clear();
  /// Kept by reference: both outlive the list's use.
  void add(std::string_view name, std::string_view value) { fields_.push_back({name, value}); }
  /// A copy of the value.
  void add_copied(std::string_view name, std::string_view value);
  /// Those of `headers` that belong to the message, by reference where they can. `skip`: names
  /// besides, in lower case.
  void add_all(const http::Headers& headers, std::initializer_list<std::string_view> skip = {});
  const std::vector<Field>& fields() const { return fields_; }

 private:
  void add_message_field(http::Field field);
  std::string& block_for(std::size_t bytes);
  /// A copy, with each byte changed.
  std::string_view changed(std::string_view text, char (*change)(char));

  std::vector<Field> fields_;
  // What had to be changed. Never grows while something refers to it: a full block stays as it is.
  std::vector<std::string> blocks_;
};

}  // namespace gatehouse::net::http2
