#include "gateway/filters/error_overrides.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <utility>

#include "base/json.h"

namespace gatehouse::gateway {
namespace {

struct TypeOf {
  std::string_view ending, type;
};
constexpr std::array<TypeOf, 8> kTypes = {{{".html", "text/html; charset=utf-8"},
                                           {".htm", "text/html; charset=utf-8"},
                                           {".json", "application/json"},
                                           {".xml", "application/xml"},
                                           {".xhtml", "application/xhtml+xml"},
                                           {".svg", "image/svg+xml"},
                                           {".txt", "text/plain; charset=utf-8"},
                                           {".md", "text/markdown; charset=utf-8"}}};

// What describes the body that goes (RFC 9110 §8), or holds for it alone.
constexpr std::array<std::string_view, 16> kOfBody = {
    "Content-Type",     "Content-Encoding", "Content-Length", "Content-Language",
    "Content-Location", "Content-Range",    "Content-MD5",    "Content-Disposition",
    "Content-Digest",   "Repr-Digest",      "Digest",         "ETag",
    "Last-Modified",    "Accept-Ranges",    "Trailer",        "Content-Security-Policy"};

std::string_view type_by_ending(std::string_view file) {
  const auto* const found = std::ranges::find_if(
      kTypes, [file](const TypeOf& type) { return file.ends_with(type.ending); });
  return found == kTypes.end() ? kTypes[6].type : found->type;
}

/// How values are escaped: by what a client will take the body for.
Format::Use use_of(std::string_view content_type) {
  const std::string type =
      http::lower_case(http::trim(content_type.substr(0, content_type.find(';'))));
  if (type.ends_with("json")) return Format::Use::kJson;
  if (type == "text/plain") return Format::Use::kText;
  return Format::Use::kHtml;
}

Result<std::string> read_file(const std::string& path, std::size_t limit) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) {
    return fail(ErrorCode::kInvalid, "\"" + path + "\" is no file that can be read");
  }
  std::ifstream file(path, std::ios::binary);
  std::string content(limit + 1, '\0');
  file.read(content.data(), static_cast<std::streamsize>(content.size()));
  if (file.bad() || (file.fail() && !file.eof())) {
    return fail(ErrorCode::kInvalid, "\"" + path + "\" cannot be read");
  }
  content.resize(static_cast<std::size_t>(file.gcount()));
  if (content.size() > limit) {
    return fail(ErrorCode::kInvalid,
                "\"" + path + "\" is longer than " + std::to_string(limit) + " bytes");
  }
  return content;
}

/// What stands between the quotes of a JSON string. No operator holds what this changes.
std::string json_escape(std::string_view text) {
  const std::string quoted = dump_json(Json(text));
  return quoted.substr(1, quoted.size() - 2);
}

std::unexpected<Error> bad(std::string_view why) {
  return fail(ErrorCode::kInvalid, std::string(why));
}

Result<void> check(const config::ErrorOverride& settings) {
  const int status = settings.status;
  if (status < 200 || status > 599 || status == 204 || status == 205 || status == 304) {
    return bad("it is no status of an answer with a body");
  }
  const int sources = (settings.text.empty() ? 0 : 1) + (settings.json.empty() ? 0 : 1) +
                      (settings.file.empty() ? 0 : 1);
  if (sources > 1) return bad("give at most one of text, json and file");
  if (!http::is_ascii_field_value(settings.content_type)) {
    return bad("content_type is no header value");
  }
  return {};
}

}  // namespace

Result<ErrorOverrides> ErrorOverrides::make(const std::vector<config::ErrorOverride>& settings,
                                            const Options& options) {
  ErrorOverrides out;
  for (const config::ErrorOverride& one : settings) {
    const std::string where = "error override for status " + std::to_string(one.status);
    if (std::ranges::find(out.overrides_, one.status, &Override::status) != out.overrides_.end()) {
      return bad(where + ": there are two for this status");
    }
    Result<void> good = check(one);
    if (!good) return std::unexpected(std::move(good).error().in(where));
    Result<Override> compiled = compile(one, options);
    if (!compiled) return std::unexpected(std::move(compiled).error().in(where));
    out.overrides_.push_back(*std::move(compiled));
  }
  return out;
}

Result<ErrorOverrides::Override> ErrorOverrides::compile(const config::ErrorOverride& settings,
                                                         const Options& options) {
  Override out{.status = settings.status, .json = !settings.json.empty()};
  out.content_type = settings.content_type;
  if (out.content_type.empty()) {
    out.content_type =
        out.json ? std::string_view("application/json") : type_by_ending(settings.file);
  }
  Format::Options format{.use = out.json ? Format::Use::kJson : use_of(out.content_type),
                         .private_fields = options.private_fields,
                         .hostname = options.hostname,
                         .lone_percent = true};
  for (const config::FieldEdit& member : settings.json) {
    Result<Format> value = Format::parse(json_escape(member.value), format);
    if (!value) return std::unexpected(std::move(value).error().in("json." + member.name));
    out.members.push_back({dump_json(Json(member.name)), *std::move(value)});
  }
  if (out.json) return out;
  Result<std::string> text = settings.text;
  if (!settings.file.empty()) text = read_file(settings.file, kFileLimit);
  if (!text) return fail(std::move(text));
  Result<Format> body = Format::parse(*text, format);
  if (!body) return fail(std::move(body));
  out.body = *std::move(body);
  return out;
}

std::string ErrorOverrides::render(const Override& override, const FormatContext& context) {
  std::string body;
  if (!override.json) {
    override.body.append(body, context);
    return body;
  }
  for (const Member& member : override.members) {
    body.append(body.empty() ? "{" : ",").append(member.name).push_back(':');
    std::string value;
    member.value.append(value, context);
    const bool number = member.value.is_number() && value != "-";
    body.append(number ? value : '"' + value + '"');
  }
  body.push_back('}');
  return body;
}

bool ErrorOverrides::apply(const FormatContext& context, http::Response& response) const {
  if (empty() || response.upgrade != nullptr) return false;
  const auto found = std::ranges::find(overrides_, response.status, &Override::status);
  if (found == overrides_.end()) return false;
  std::string body = render(*found, context);
  response.headers.remove_if([](http::Field field) {
    return std::ranges::any_of(kOfBody, [field](std::string_view name) {
      return http::equal_ignoring_case(field.name, name);
    });
  });
  response.headers.add("Content-Type", found->content_type);
  response.headers.set("X-Content-Type-Options", "nosniff");
  response.body = http::Body(std::move(body));
  return true;
}

}  // namespace gatehouse::gateway
