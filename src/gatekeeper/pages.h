// The gatekeeper's own pages: plain HTML without script, one stylesheet, readable at 320 px, in
// dark and light. Each says what happened and what to do.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "http/message.h"

namespace gatehouse::gatekeeper {

class Pages {
 public:
  /// `url_prefix`: where the gatekeeper's endpoints are, "/authservice".
  explicit Pages(std::string url_prefix);

  http::Response signed_out() const;
  /// The button that ends a session: a GET alone must not do it for another site.
  http::Response sign_out_form(std::string_view user) const;
  http::Response home(std::string_view user) const;

  /// The login went round without the browser keeping a cookie.
  http::Response no_cookie(std::string_view host, std::string_view retry) const;
  /// The provider's answer has lost or doubled parts.
  http::Response damaged_answer() const;
  /// The person, or the provider's rules, said no.
  http::Response login_denied(std::string_view retry) const;
  /// The provider knows the account, but we cannot take it; `reason` is a sentence.
  http::Response account_refused(std::string_view reason) const;
  /// 503 with Retry-After: the provider or the store is away.
  http::Response try_later(std::string_view retry) const;
  /// 502: the provider answered what cannot be right.
  http::Response provider_at_fault(std::string_view retry) const;
  /// A form was posted by another site's page.
  http::Response other_site() const;
  http::Response not_found() const;

  /// The stylesheet, if that is its path; it may be kept for ever, as its name is its hash.
  const std::string& stylesheet_path() const { return stylesheet_path_; }
  http::Response stylesheet() const;

 private:
  struct Action {
    std::string_view label, href;
    bool post = false;
  };
  http::Response page(int status, std::string_view title, std::string_view text,
                      Action action) const;

  std::string url_prefix_;
  std::string stylesheet_path_;
};

}  // namespace gatehouse::gatekeeper
