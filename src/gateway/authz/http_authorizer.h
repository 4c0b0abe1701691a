// The question whether a request may pass, put to another process: ext_authz over HTTP, as
// Ambassador's AuthService (proto: http) speaks it.
//
// The question has the client's method (of a CONNECT: GET, with X-Forwarded-Method), path_prefix
// and its target, the headers that identify a client and those that are listed, and of the body
// nothing unless body_bytes says so. Exactly 200 allows. An answer of 5xx, a time-out or a broken
// one is a Failure; any other status is a Deny whose answer goes to the client.
//
// A 200 overwrites headers of the upstream request: the managed ones, the listed ones and the five
// that Ambassador always takes. A managed header that it does not name stays absent. Beyond that
// protocol an answer may name the user and session (question.h).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/gateway_settings.h"
#include "gateway/authz/question.h"
#include "http/authorizer.h"
#include "net/http_client.h"
#include "net/loop.h"

namespace gatehouse::gateway {

class HttpAuthorizer final : public http::Authorizer {
 public:
  /// The body of a denial may be so long: a login page, not a document.
  static constexpr std::size_t kBodyLimit = 1024 * 1024;

  struct Parts {
    net::Loop& loop;
    std::unique_ptr<net::HttpClient> client;
    std::string path_prefix;  // a path in normal form, or empty
    Forwarded forwarded;
  };
  HttpAuthorizer(const config::Gateway& settings, Parts parts);

  Task<http::Verdict> judge(const http::Request& request) override;
  const std::vector<std::string>& managed_headers() const override { return managed_headers_; }
  const std::vector<std::string>& private_cookies() const override { return private_cookies_; }
  http::BodyWanted body_wanted() const override {
    return {settings_.body_bytes, settings_.body_may_be_cut};
  }

 private:
  Result<http::Request> question(const http::Request& request) const;
  void tell_body(const http::Request& request, http::Request& question) const;
  http::Allow allow(http::Headers& answer) const;
  http::Deny deny(http::Response answer, std::string body, bool head) const;
  bool goes_upstream(std::string_view name) const;
  bool goes_to_client(std::string_view name) const;

  const std::vector<std::string> managed_headers_, private_cookies_;
  const std::vector<std::string> managed_folded_;
  const config::AuthorizerSettings settings_;
  net::Loop& loop_;
  const std::unique_ptr<net::HttpClient> client_;
  const std::string path_prefix_;
  const QuestionFields fields_;
};

}  // namespace gatehouse::gateway
