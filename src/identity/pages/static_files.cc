#include "identity/pages/static_files.h"

#include <algorithm>

#include "base/encoding.h"
#include "crypto/digest.h"

namespace gatehouse::identity {
namespace {

constexpr std::size_t kNameDigits = 16;

std::string hashed_name(std::string_view bytes, std::string_view extension) {
  return hex_encode(crypto::sha256(bytes)).substr(0, kNameDigits) + std::string(extension);
}

}  // namespace

StaticFiles::StaticFiles(std::string_view prefix) {
  const std::string folder(prefix);
  files_.push_back(
      {folder + hashed_name(kStyleSheet, ".css"), "text/css; charset=utf-8", kStyleSheet});
  files_.push_back({folder + hashed_name(kLogo, ".svg"), "image/svg+xml", kLogo});
}

Task<http::Response> StaticFiles::handle(http::Request& request) {
  const auto file = std::ranges::find(files_, request.target.path(), &File::path);
  if (file == files_.end()) {
    co_return http::make_response(404, "text/plain; charset=utf-8", "There is no such file.\n");
  }
  http::Response response = http::make_response(200, file->content_type, std::string(file->bytes));
  response.headers.set("Cache-Control", "public, max-age=31536000, immutable");
  response.headers.set("X-Content-Type-Options", "nosniff");
  // A picture opened by itself is a document: it may not run or load anything.
  response.headers.set("Content-Security-Policy", "default-src 'none'");
  co_return response;
}

}  // namespace gatehouse::identity
