// Bodies that the configuration puts in the place of error answers, an upstream's or our own.
//
// The body alone is replaced, with what describes it: the status stays, and so do Set-Cookie,
// WWW-Authenticate, Location and Retry-After, so that a page for 401 never lets anybody in
// (CVE-2026-24513). Values from the request are escaped as the body's type asks.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/gateway_settings.h"
#include "gateway/filters/format.h"
#include "http/message.h"

namespace gatehouse::gateway {

class ErrorOverrides {
 public:
  static constexpr std::size_t kFileLimit = Format::kTemplateLimit;

  struct Options {
    std::vector<std::string> private_fields;  // as of Format::Options
    std::string hostname;
  };
  /// Reads the files; call it where that may wait. kInvalid names the status and what is wrong:
  /// none or several of text, json and file, a status that has no body, two for one status, a
  /// template that cannot be, a file that cannot be read or is too long.
  static Result<ErrorOverrides> make(const std::vector<config::ErrorOverride>& settings,
                                     const Options& options);

  /// None.
  ErrorOverrides() = default;

  bool empty() const { return overrides_.empty(); }
  /// Replaces the body if there is one for the answer's status, and says whether there was: the
  /// gateway's own are asked only if the route had none. The context's response is `response`.
  bool apply(const FormatContext& context, http::Response& response) const;

 private:
  struct Member {
    std::string name;  // quoted
    Format value;
  };
  struct Override {
    int status;
    std::string content_type;
    Format body;                  // of text and file
    std::vector<Member> members;  // of json
    bool json;
  };
  static Result<Override> compile(const config::ErrorOverride& settings, const Options& options);
  static std::string render(const Override& override, const FormatContext& context);

  std::vector<Override> overrides_;
};

}  // namespace gatehouse::gateway
