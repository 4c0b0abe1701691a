#include "gateway/filters/base64_stream.h"

#include <algorithm>
#include <optional>

#include "base/encoding.h"

namespace gatehouse::gateway {
namespace {

std::unexpected<Error> corrupt() {
  return fail(ErrorCode::kCorrupt, "the body is not base64, as grpc-web-text has it");
}

}  // namespace

Result<void> Base64Decoder::feed(std::string_view text, std::string& out) {
  out.reserve(out.size() + text.size() / 4 * 3 + 3);
  while (!text.empty()) {
    // Whole groups without padding go at once; the rest one group at a time.
    const std::size_t padding = std::min(text.find('='), text.size());
    const std::size_t plain = held_ == 0 ? padding / 4 * 4 : 0;
    if (plain > 0) {
      const std::optional<std::string> decoded = base64_decode(text.substr(0, plain));
      if (!decoded) return corrupt();
      out.append(*decoded);
      text.remove_prefix(plain);
      continue;
    }
    group_[held_++] = text.front();
    text.remove_prefix(1);
    if (held_ < group_.size()) continue;
    const std::optional<std::string> decoded = base64_decode({group_.data(), group_.size()});
    if (!decoded) return corrupt();
    out.append(*decoded);
    held_ = 0;
  }
  return {};
}

Result<void> Base64Decoder::finish() const {
  if (held_ != 0) return corrupt();
  return {};
}

}  // namespace gatehouse::gateway
