// Copies of requests for a shadow upstream, whose answers nobody sees.
//
// A copy carries no credentials, no cookies and nothing of who the user is: whoever reads the
// shadow could else act as its users. It runs for itself, in a later turn of the loop; if the
// shadow is slow, or there are many copies already, copies are left out, and the request itself
// never waits.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <optional>
#include <string>
#include <vector>

#include "base/entropy.h"
#include "base/result.h"
#include "http/message.h"
#include "net/loop.h"
#include "net/running_task.h"

namespace gatehouse::gateway {

/// What one shadow route copies.
class Shadow {
 public:
  static constexpr std::size_t kBodyLimit = 256 * 1024;

  /// `weight`: percent of the requests, -1 for all. `withheld`: names of headers that are not
  /// copied besides Authorization, Proxy-Authorization, Cookie, x-gatehouse-* and
  /// X-Forwarded-Client-Cert, under any spelling that folds to them. kInvalid for a weight that is
  /// no percentage.
  static Result<Shadow> make(int weight, const std::vector<std::string>& withheld);

  int percent() const { return percent_; }
  /// The same method, target and headers, with "-shadow" behind the host's name as Envoy does it.
  /// nullopt for what cannot be copied: upgrades, and bodies that are longer than kBodyLimit or
  /// stream past.
  std::optional<http::Request> copy(const http::Request& request) const;

 private:
  int percent_ = 100;
  std::vector<std::string> withheld_;  // folded
};

/// The copies under way on one loop.
class ShadowRuns {
 public:
  static constexpr std::size_t kAtOnce = 64;                // more are left out
  static constexpr std::size_t kAnswerLimit = 1024 * 1024;  // of a body; what is longer is cut off
  static constexpr std::chrono::seconds kDeadline{30};

  /// Sends the request, which outlives the task. What it uses must outlive the ShadowRuns.
  using Send = std::move_only_function<Task<Result<http::Response>>(http::Request&)>;

  ShadowRuns(net::Loop& loop, Entropy& entropy);
  ShadowRuns(const ShadowRuns&) = delete;
  ShadowRuns& operator=(const ShadowRuns&) = delete;

  /// True for about that share of the calls.
  bool is_sampled(int percent);
  /// Lets the copy run. False if it was left out.
  bool start(http::Request copy, Send send);

  std::size_t left_out() const { return left_out_; }
  std::size_t running() const;

 private:
  struct Run {
    Run(net::Loop& loop, http::Request copy, Send sending)
        : request(std::move(copy)), send(std::move(sending)), deadline(loop, [this] { stop(); }) {}
    void stop() {
      done = true;
      task.stop();
    }
    http::Request request;
    Send send;
    bool done = false;
    net::Loop::Timer deadline;
    net::RunningTask task;  // last: it uses the others
  };

  Task<void> run(Run& run);

  net::Loop& loop_;
  std::uint64_t chance_;
  std::size_t left_out_ = 0;
  std::list<Run> runs_;
};

}  // namespace gatehouse::gateway
