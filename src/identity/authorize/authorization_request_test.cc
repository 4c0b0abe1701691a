#include "identity/authorize/authorization_request.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace gatehouse::identity {
namespace {

using oauth::OAuthError;

constexpr const char* kChallenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

Clients clients() {
  Client web;
  web.id = "web";
  web.secret = Secret("s");
  web.redirect_uris = {"/authservice/oidc/callback", "https://app.example/cb?tenant=1"};
  Client cli;
  cli.id = "cli";
  cli.is_public = true;
  cli.redirect_uris = {"http://127.0.0.1/cb"};
  return Clients({web, cli});
}

http::Parameters good() {
  return {{"client_id", "web"},
          {"redirect_uri", "/authservice/oidc/callback"},
          {"response_type", "code"},
          {"scope", "openid profile email groups"},
          {"state", "s t"},
          {"nonce", "n"},
          {"code_challenge", kChallenge},
          {"code_challenge_method", "S256"}};
}

http::Parameters with(http::Parameters parameters, const std::string& name,
                      const std::string& value) {
  std::erase_if(parameters, [&](const auto& each) { return each.first == name; });
  parameters.emplace_back(name, value);
  return parameters;
}

http::Parameters without(http::Parameters parameters, const std::string& name) {
  std::erase_if(parameters, [&](const auto& each) { return each.first == name; });
  return parameters;
}

AuthorizationJudgement judge(const http::Parameters& parameters) {
  return judge_authorization_request(parameters, clients());
}

void expect_error(const http::Parameters& parameters, OAuthError error) {
  const AuthorizationJudgement judgement = judge(parameters);
  const auto* const redirect = std::get_if<ErrorRedirect>(&judgement);
  ASSERT_NE(redirect, nullptr);
  EXPECT_EQ(redirect->error, error) << redirect->description;
  EXPECT_EQ(redirect->redirect_uri, "/authservice/oidc/callback");
}

bool is_shown(const http::Parameters& parameters) {
  return std::holds_alternative<ErrorShown>(judge(parameters));
}

TEST(AuthorizationRequest, GoodOneIsTakenAsItIs) {
  const AuthorizationJudgement judgement = judge(good());
  const auto* const request = std::get_if<AuthorizationRequest>(&judgement);
  ASSERT_NE(request, nullptr);
  EXPECT_EQ(request->client_id, "web");
  EXPECT_EQ(request->state, "s t");
  EXPECT_EQ(request->nonce, "n");
  EXPECT_EQ(request->code_challenge, kChallenge);
  EXPECT_EQ(request->scopes, (std::vector<std::string>{"openid", "profile", "email", "groups"}));
}

TEST(AuthorizationRequest, UnknownClientOrRedirectUriIsShownAndNeverRedirected) {
  EXPECT_TRUE(is_shown(with(good(), "client_id", "nobody")));
  EXPECT_TRUE(is_shown(without(good(), "client_id")));
  EXPECT_TRUE(is_shown(with(good(), "redirect_uri", "https://evil.example/")));
  EXPECT_TRUE(is_shown(without(good(), "redirect_uri")));
}

TEST(AuthorizationRequest, RedirectUriDecodedTwiceDoesNotMatch) {
  EXPECT_TRUE(is_shown(with(good(), "redirect_uri", "%2Fauthservice%2Foidc%2Fcallback")));
  EXPECT_TRUE(is_shown(with(good(), "redirect_uri", "/authservice/oidc%2Fcallback")));
}

TEST(AuthorizationRequest, AnotherClientsRedirectUriDoesNotMatch) {
  EXPECT_TRUE(is_shown(with(good(), "redirect_uri", "http://127.0.0.1/cb")));
}

TEST(AuthorizationRequest, DuplicateClientIdOrRedirectUriIsShown) {
  http::Parameters twice = good();
  twice.emplace_back("redirect_uri", "/authservice/oidc/callback");
  EXPECT_TRUE(is_shown(twice));
  twice = good();
  twice.emplace_back("client_id", "web");
  EXPECT_TRUE(is_shown(twice));
}

TEST(AuthorizationRequest, DuplicateParametersAreRefused) {
  for (const char* name :
       {"state", "scope", "response_type", "nonce", "code_challenge", "foreign"}) {
    http::Parameters twice = good();
    twice.emplace_back(name, "x");
    twice.emplace_back(name, "x");
    expect_error(twice, OAuthError::kInvalidRequest);
  }
}

TEST(AuthorizationRequest, OnlyCodeIsAnswered) {
  expect_error(without(good(), "response_type"), OAuthError::kInvalidRequest);
  for (const char* type : {"token", "id_token", "code id_token", "Code"}) {
    expect_error(with(good(), "response_type", type), OAuthError::kUnsupportedResponseType);
  }
}

TEST(AuthorizationRequest, OnlyTheQueryCarriesTheAnswer) {
  EXPECT_TRUE(
      std::holds_alternative<AuthorizationRequest>(judge(with(good(), "response_mode", "query"))));
  expect_error(with(good(), "response_mode", "fragment"), OAuthError::kInvalidRequest);
  expect_error(with(good(), "response_mode", "form_post"), OAuthError::kInvalidRequest);
}

TEST(AuthorizationRequest, RequestObjectsHaveTheirOwnErrors) {
  expect_error(with(good(), "request", "e30."), OAuthError::kRequestNotSupported);
  expect_error(with(good(), "request_uri", "https://a/"), OAuthError::kRequestUriNotSupported);
}

TEST(AuthorizationRequest, ScopeMustHoldOpenidAndOnlyWhatIsKnown) {
  expect_error(without(good(), "scope"), OAuthError::kInvalidScope);
  expect_error(with(good(), "scope", "email"), OAuthError::kInvalidScope);
  expect_error(with(good(), "scope", "openid admin"), OAuthError::kInvalidScope);
  expect_error(with(good(), "scope", "openid audience:server:client_id:cli"),
               OAuthError::kInvalidScope);
}

TEST(AuthorizationRequest, PkceDowngradeToPlainIsRefused) {
  expect_error(with(good(), "code_challenge_method", "plain"), OAuthError::kInvalidRequest);
  expect_error(without(good(), "code_challenge_method"), OAuthError::kInvalidRequest);
  expect_error(without(good(), "code_challenge"), OAuthError::kInvalidRequest);
  expect_error(with(good(), "code_challenge", "short"), OAuthError::kInvalidRequest);
}

TEST(AuthorizationRequest, PublicClientCannotGoWithoutPkce) {
  http::Parameters request = with(good(), "client_id", "cli");
  request = with(request, "redirect_uri", "http://127.0.0.1/cb");
  EXPECT_TRUE(std::holds_alternative<AuthorizationRequest>(judge(request)));
  request = without(without(request, "code_challenge"), "code_challenge_method");
  EXPECT_TRUE(std::holds_alternative<ErrorRedirect>(judge(request)));
}

TEST(AuthorizationRequest, ConfidentialClientMayGoWithoutPkce) {
  const http::Parameters request =
      without(without(good(), "code_challenge"), "code_challenge_method");
  EXPECT_TRUE(std::holds_alternative<AuthorizationRequest>(judge(request)));
}

TEST(AuthorizationRequest, PromptNoneIsLoginRequired) {
  expect_error(with(good(), "prompt", "none"), OAuthError::kLoginRequired);
  expect_error(with(good(), "prompt", "none login"), OAuthError::kInvalidRequest);
  expect_error(with(good(), "prompt", "dance"), OAuthError::kInvalidRequest);
  for (const char* prompt : {"login", "consent", "login consent", "select_account"}) {
    EXPECT_TRUE(
        std::holds_alternative<AuthorizationRequest>(judge(with(good(), "prompt", prompt))));
  }
}

TEST(AuthorizationRequest, MaxAgeIsANumber) {
  EXPECT_TRUE(std::holds_alternative<AuthorizationRequest>(judge(with(good(), "max_age", "0"))));
  expect_error(with(good(), "max_age", "-1"), OAuthError::kInvalidRequest);
  expect_error(with(good(), "max_age", "1e300"), OAuthError::kInvalidRequest);
}

TEST(AuthorizationRequest, LongValuesAreRefused) {
  expect_error(with(good(), "state", std::string(kStateLimit + 1, 'a')),
               OAuthError::kInvalidRequest);
  expect_error(with(good(), "nonce", std::string(kNonceLimit + 1, 'a')),
               OAuthError::kInvalidRequest);
}

TEST(AuthorizationRequest, AnswersNameTheIssuerAgainstMixUp) {
  EXPECT_EQ(answer_location("/cb", {{"code", "c"}}, "s&t", "https://h/dex"),
            "/cb?code=c&state=s%26t&iss=https%3A%2F%2Fh%2Fdex");
  EXPECT_EQ(answer_location("https://app/cb?a=1", {{"code", "c"}}, "", "https://h/dex"),
            "https://app/cb?a=1&code=c&iss=https%3A%2F%2Fh%2Fdex");
  const std::string error =
      error_location({"/cb", "s", OAuthError::kLoginRequired, "log in"}, "https://h/dex");
  EXPECT_TRUE(error.starts_with("/cb?error=login_required&error_description=log"));
  EXPECT_TRUE(error.ends_with("&state=s&iss=https%3A%2F%2Fh%2Fdex"));
}

}  // namespace
}  // namespace gatehouse::identity
