// For the tests of this folder: an authorizer, an upstream and bodies that do what a test says.
#pragma once

#include <coroutine>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gateway/upstream/cluster.h"
#include "http/authorizer.h"
#include "net/http_client.h"

namespace gatehouse::gateway {

/// Holds coroutines until it is opened.
class Gate {
 public:
  bool await_ready() const noexcept { return open_; }
  void await_suspend(std::coroutine_handle<> waiting) { waiting_.push_back(waiting); }
  void await_resume() const noexcept {}
  void open() {
    open_ = true;
    for (const std::coroutine_handle<> waiting : std::exchange(waiting_, {})) waiting.resume();
  }
  void shut() { open_ = false; }

 private:
  bool open_ = true;
  std::vector<std::coroutine_handle<>> waiting_;
};

class FakeAuthorizer final : public http::Authorizer {
 public:
  std::function<http::Verdict(const http::Request&)> answer = [](const http::Request&) {
    return http::Verdict(http::Allow{.user = "alice", .session = "s1"});
  };
  Gate gate;
  int asked = 0;
  http::BodyWanted wanted;

  Task<http::Verdict> judge(const http::Request& request) override {
    ++asked;
    co_await gate;
    http::Verdict verdict = answer(request);
    co_return verdict;
  }
  const std::vector<std::string>& managed_headers() const override { return headers_; }
  const std::vector<std::string>& private_cookies() const override { return cookies_; }
  http::BodyWanted body_wanted() const override { return wanted; }

 private:
  std::vector<std::string> headers_ = {"kubeflow-userid", "kubeflow-groups"};
  std::vector<std::string> cookies_ = {"gatehouse_*"};
};

/// Answers with what `answer` makes; keeps what it saw.
class FakeUpstream final : public net::HttpClient {
 public:
  struct Seen {
    std::string method, target, authority, upgrade;
    http::Headers headers;
    net::HttpClient::Timeouts timeouts;
    bool trailers = false;
  };
  std::function<Result<http::Response>(http::Request&)> answer = [](http::Request&) {
    return Result<http::Response>(http::make_response(200, "text/plain", "hello"));
  };
  std::vector<Seen> seen;

  Task<Result<http::Response>> send(http::Request& request) override {
    return send(request, Timeouts{});
  }
  std::size_t connections() const override { return 0; }
  bool close_idle() override { return false; }
  Task<Result<http::Response>> send(http::Request& request, Timeouts timeouts,
                                    Progress* /*progress*/ = nullptr) override {
    seen.push_back({request.method, request.target.str(), request.authority, request.upgrade,
                    request.headers, timeouts,
                    request.body.stream && !request.body.stream->trailers().empty()});
    Result<http::Response> response = answer(request);
    co_return response;
  }
};

/// A service of one address, which is a FakeUpstream.
class FakeCluster final : public upstream::Cluster {
 public:
  explicit FakeCluster(std::string authority) : authority_(std::move(authority)) {}
  FakeUpstream upstream;

  Task<Result<http::Response>> send(http::Request& request,
                                    upstream::SendOptions options) override {
    request.trace.upstream = authority_;
    request.trace.service = std::make_shared<const std::string>("http://" + authority_);
    return upstream.send(request, {options.response_timeout, options.idle_timeout});
  }
  Task<Result<upstream::Connection>> connect(upstream::Client /*client*/) override {
    co_return fail(ErrorCode::kUnavailable, "nobody is there");
  }
  const std::string& authority() const override { return authority_; }
  upstream::ClusterStatus status() const override { return {.service = authority_}; }

 private:
  const std::string authority_;
};

class FakeBody final : public http::BodyReader {
 public:
  explicit FakeBody(std::deque<Result<std::string>> pieces) : pieces_(std::move(pieces)) {
    trailers_.add("X-Trailer", "t");
  }
  Task<Result<std::string_view>> read() override {
    if (pieces_.empty()) co_return std::string_view();
    current_ = std::move(pieces_.front());
    pieces_.pop_front();
    if (!current_) co_return std::unexpected(current_.error());
    co_return std::string_view(*current_);
  }
  http::SocketBytes* in_socket() override { return &bytes_; }
  const http::Headers& trailers() const override { return trailers_; }

 private:
  class NoBytes final : public http::SocketBytes {
    Task<Result<std::size_t>> move_into(int, std::size_t) override {
      co_return fail(ErrorCode::kUnavailable, "there is no socket");
    }
  };

  NoBytes bytes_;
  std::deque<Result<std::string>> pieces_;
  Result<std::string> current_;
  http::Headers trailers_;
};

/// A tunnel that only notes that it was aborted.
class FakeTunnel final : public http::ByteStream {
 public:
  explicit FakeTunnel(bool& aborted) : aborted_(aborted) {}
  Task<Result<std::string_view>> read() override { co_return std::string_view(); }
  Task<Result<void>> write(std::string_view) override { co_return Result<void>(); }
  void finish() override {}
  void abort() override { aborted_ = true; }

 private:
  bool& aborted_;
};

}  // namespace gatehouse::gateway
