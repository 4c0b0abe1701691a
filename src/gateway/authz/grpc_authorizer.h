// The question whether a request may pass, put to another process by gRPC:
// envoy.service.auth.v3.Authorization/Check. What is told is in check_request.h, what an answer
// means in check_response.h. Whatever is no clear answer is a Failure.
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

class GrpcAuthorizer final : public http::Authorizer {
 public:
  /// Bytes of an answer: what a denial may show, with its headers.
  static constexpr std::size_t kAnswerLimit = 128 * 1024;

  struct Parts {
    net::Loop& loop;
    std::unique_ptr<net::HttpClient> client;  // of HTTP/2
    Forwarded forwarded;
  };
  GrpcAuthorizer(const config::Gateway& settings, Parts parts);

  Task<http::Verdict> judge(const http::Request& request) override;
  const std::vector<std::string>& managed_headers() const override { return managed_headers_; }
  const std::vector<std::string>& private_cookies() const override { return private_cookies_; }
  http::BodyWanted body_wanted() const override {
    return {settings_.body_bytes, settings_.body_may_be_cut};
  }

 private:
  http::Headers metadata() const;

  const std::vector<std::string> managed_headers_, private_cookies_;
  const config::AuthorizerSettings settings_;
  net::Loop& loop_;
  const std::unique_ptr<net::HttpClient> client_;
  const QuestionFields fields_;
};

}  // namespace gatehouse::gateway
