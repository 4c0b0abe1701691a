// The style sheet of the pages, under a name made of its content: a browser keeps it for ever, and
// a new version has a new name.
#pragma once

#include <string>
#include <string_view>

#include "http/message.h"

namespace gatehouse::identity {

class StaticFiles final : public http::Handler {
 public:
  /// `prefix` is the path they lie under: "/dex/static/".
  explicit StaticFiles(std::string_view prefix);

  const std::string& style_sheet_path() const { return style_sheet_path_; }

  /// 404 for any other name.
  Task<http::Response> handle(http::Request& request) override;

 private:
  std::string style_sheet_path_;
};

}  // namespace gatehouse::identity
