// The style sheet and the pictures of the pages, under names made of their contents: a browser
// keeps them for ever, and a new version has a new name.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace gatehouse::identity {

/// Their text. Data.
extern const std::string_view kStyleSheet;
extern const std::string_view kLogo;

class StaticFiles final : public http::Handler {
 public:
  /// `prefix` is the path they lie under: "/dex/static/".
  explicit StaticFiles(std::string_view prefix);

  const std::string& style_sheet_path() const { return files_[0].path; }
  const std::string& logo_path() const { return files_[1].path; }

  /// 404 for a name that is none of these.
  Task<http::Response> handle(http::Request& request) override;

 private:
  struct File {
    std::string path;
    std::string_view content_type;
    std::string_view bytes;
  };
  std::vector<File> files_;
};

}  // namespace gatehouse::identity
