#include "gateway/filters/compression.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <utility>

#include "gateway/filters/accept_encoding.h"
#include "gateway/filters/compressed_body.h"

namespace gatehouse::gateway {
namespace {

struct Known {
  std::string_view name;
  Coding coding;
};
constexpr std::array<Known, 3> kCodings = {
    {{"gzip", Coding::kGzip}, {"br", Coding::kBrotli}, {"zstd", Coding::kZstd}}};

// WOFF and WOFF2 are compressed already.
constexpr std::array<std::string_view, 8> kUsualTypes = {"application/json",
                                                         "application/javascript",
                                                         "application/x-javascript",
                                                         "application/xml",
                                                         "image/svg+xml",
                                                         "font/ttf",
                                                         "font/otf",
                                                         "application/vnd.ms-fontobject"};

// They say something of the bytes as they were (RFC 9530, RFC 9110 §14.3).
constexpr std::array<std::string_view, 6> kOfPlainBytes = {
    "Content-Length", "Accept-Ranges", "Content-MD5", "Content-Digest", "Repr-Digest", "Digest"};

std::string media_type(std::string_view content_type) {
  return http::lower_case(http::trim(content_type.substr(0, content_type.find(';'))));
}

/// Of the body; of an answer to HEAD, as its head says it.
std::optional<std::uint64_t> length_of(const http::Request& request,
                                       const http::Response& response) {
  const http::Body& body = response.body;
  if (body.stream != nullptr) return body.length;
  if (request.method != "HEAD" || !body.bytes.empty()) return body.bytes.size();
  const std::string_view said = response.headers.get("Content-Length").value_or("");
  std::uint64_t length = 0;
  const bool known =
      std::from_chars(said.data(), said.data() + said.size(), length).ec == std::errc();
  return known ? std::optional(length) : std::nullopt;
}

void weaken_etag(http::Headers& headers) {
  const std::optional<std::string_view> etag = headers.get("ETag");
  if (!etag || etag->starts_with("W/")) return;
  const bool quoted = etag->size() >= 2 && etag->starts_with('"') && etag->ends_with('"');
  const std::string weak = "W/" + std::string(*etag);
  headers.remove("ETag");
  if (quoted) headers.add("ETag", weak);
}

void describe(http::Headers& headers, std::string_view coding) {
  headers.remove_if([](http::Field field) {
    return std::ranges::any_of(kOfPlainBytes, [field](std::string_view name) {
      return http::equal_ignoring_case(field.name, name);
    });
  });
  headers.set("Content-Encoding", coding);
  weaken_etag(headers);
}

}  // namespace

Result<Compression> Compression::make(const config::Compression& settings) {
  Compression out;
  for (const std::string& name : settings.algorithms) {
    const auto* const known = std::ranges::find(kCodings, name, &Known::name);
    if (known == kCodings.end()) {
      return fail(ErrorCode::kInvalid,
                  "compression.algorithms: \"" + name + "\" is not one of gzip, br, zstd");
    }
    if (std::ranges::find(out.names_, known->name) != out.names_.end()) continue;
    const Levels levels = levels_of(known->coding);
    const int level = settings.level == 0 ? levels.usual : settings.level;
    if (level < levels.least || level > levels.most) {
      return fail(ErrorCode::kInvalid, "compression.level: " + name + " has levels 1 to " +
                                           std::to_string(levels.most) + " here, not " +
                                           std::to_string(level));
    }
    out.algorithms_.push_back({known->coding, level});
    out.names_.push_back(known->name);
  }
  for (const std::string& type : settings.content_types) {
    const std::size_t slash = type.find('/');
    const bool good = slash != std::string::npos && http::is_token(type.substr(0, slash)) &&
                      http::is_token(type.substr(slash + 1));
    if (!good) {
      return fail(ErrorCode::kInvalid, "compression.content_types: \"" + type +
                                           "\" is no media type such as text/html or text/*");
    }
    out.types_.push_back(http::lower_case(type));
  }
  out.min_bytes_ = settings.min_bytes;
  return out;
}

bool Compression::is_compressible_type(std::string_view content_type) const {
  const std::string type = media_type(content_type);
  if (type == "text/event-stream" || type.starts_with("application/grpc")) return false;
  if (types_.empty()) {
    return type.starts_with("text/") || type.ends_with("+json") || type.ends_with("+xml") ||
           std::ranges::find(kUsualTypes, type) != kUsualTypes.end();
  }
  return std::ranges::any_of(types_, [&type](std::string_view wanted) {
    return wanted.ends_with("/*") ? type.starts_with(wanted.substr(0, wanted.size() - 1))
                                  : type == wanted;
  });
}

bool Compression::may_compress(const http::Request& request, const http::Response& response) const {
  const int status = response.status;
  if (status < 200 || status == 204 || status == 205 || status == 206 || status == 304) {
    return false;
  }
  const http::Headers& headers = response.headers;
  if (response.upgrade != nullptr || headers.has("Content-Encoding") ||
      headers.has("Content-Range") || headers.list_has("Cache-Control", "no-transform") ||
      request.headers.list_has("Cache-Control", "no-transform")) {
    return false;
  }
  const std::optional<std::uint64_t> length = length_of(request, response);
  if (length && (*length < min_bytes_ || *length == 0)) return false;
  const std::optional<std::string_view> type = headers.only("Content-Type");
  return type && is_compressible_type(*type);
}

Result<std::string> Compression::compress(Encoder& encoder, std::string_view bytes) {
  std::string out;
  std::array<char, 16 * 1024> piece;
  for (;;) {
    const Result<Encoder::Progress> progress =
        encoder.run(Encoder::Operation::kFinish, bytes, piece);
    if (!progress) return std::unexpected(progress.error());
    out.append(piece.data(), progress->produced);
    if (progress->done) return out;
  }
}

void Compression::apply(const http::Request& request, http::Response& response) const {
  if (!on() || !may_compress(request, response)) return;
  http::Headers& headers = response.headers;
  if (!headers.list_has("Vary", "Accept-Encoding") && !headers.list_has("Vary", "*")) {
    headers.add("Vary", "Accept-Encoding");
  }
  const std::optional<std::size_t> chosen = choose_coding(request.headers, names_);
  if (!chosen) return;
  if (request.method == "HEAD") {
    response.body = {};
    return describe(headers, names_[*chosen]);
  }
  std::unique_ptr<Encoder> encoder =
      make_encoder(algorithms_[*chosen].coding, algorithms_[*chosen].level);
  if (encoder == nullptr) return;
  if (response.body.stream == nullptr) {
    Result<std::string> compressed = compress(*encoder, response.body.bytes);
    if (!compressed) return;
    response.body = http::Body(*std::move(compressed));
  } else {
    response.body = http::Body(
        std::make_unique<CompressedBody>(std::move(response.body.stream), std::move(encoder)));
  }
  describe(headers, names_[*chosen]);
}

}  // namespace gatehouse::gateway
