#include "identity/pages/static_files.h"

#include "base/encoding.h"
#include "crypto/digest.h"
#include "http/page_look.h"

namespace gatehouse::identity {
namespace {

constexpr std::size_t kNameDigits = 16;

}  // namespace

StaticFiles::StaticFiles(std::string_view prefix)
    : style_sheet_path_(std::string(prefix) +
                        hex_encode(crypto::sha256(http::kPageStyle)).substr(0, kNameDigits) +
                        ".css") {}

Task<http::Response> StaticFiles::handle(http::Request& request) {
  if (request.target.path() != style_sheet_path_) {
    co_return http::make_response(404, "text/plain; charset=utf-8", "There is no such file.\n");
  }
  http::Response response =
      http::make_response(200, "text/css; charset=utf-8", std::string(http::kPageStyle));
  response.headers.set("Cache-Control", "public, max-age=31536000, immutable");
  response.headers.set("X-Content-Type-Options", "nosniff");
  co_return response;
}

}  // namespace gatehouse::identity
