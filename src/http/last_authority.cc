#include "http/last_authority.h"

#include <optional>
#include <utility>

#include "http/url.h"

namespace gatehouse::http {

const std::string* LastAuthority::parse(std::string_view text) {
  const bool same = !authority_.empty() && text == text_;
  if (same) return &authority_;
  std::optional<std::string> authority = parse_authority(text);
  if (!authority) return nullptr;
  text_ = text;
  authority_ = std::move(*authority);
  return &authority_;
}

}  // namespace gatehouse::http
