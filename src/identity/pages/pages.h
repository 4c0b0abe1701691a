// The provider's pages for people: sign in, and what went wrong. Plain HTML that needs no script.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "http/message.h"
#include "identity/pages/static_files.h"

namespace gatehouse::identity {

struct LoginPage {
  std::string client_name;   // shown: what one signs in to
  std::string login;         // what was typed before, or hinted at
  std::string_view message;  // why the page is shown again; empty the first time
  std::string form_target;   // CSP source of the place where a right password leads to
};

class Pages {
 public:
  explicit Pages(const StaticFiles& files) : files_(files) {}

  /// The form posts to the URL that the page was got from, so that scripts find it there.
  http::Response login(int status, const LoginPage& page) const;
  /// 429 for who has to wait.
  http::Response wait(LoginPage page, std::chrono::seconds wait) const;
  /// What happened and what to do about it.
  http::Response error(int status, std::string_view title, std::string_view message) const;

 private:
  std::string document(std::string_view title, std::string_view content) const;

  const StaticFiles& files_;
};

}  // namespace gatehouse::identity
