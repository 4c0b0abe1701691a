// Asks one address regularly whether it is well, by HTTP or by gRPC's health checking protocol
// (grpc.health.v1.Health/Check), and writes the outcome on the board. Of one loop; does the asking
// only while it holds the entry's lease.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/task.h"
#include "config/gateway_settings.h"
#include "gateway/upstream/health_board.h"
#include "gateway/upstream/random_sequence.h"
#include "http/message.h"
#include "net/http_client.h"
#include "net/loop.h"
#include "net/running_task.h"

namespace gatehouse::gateway::upstream {

class HealthCheck {
 public:
  /// kInvalid says which setting could not be sent or can never be met.
  static Result<void> validate(const config::HealthCheck& settings);
  /// The board's key of a check of `endpoint` ("192.0.2.1:8080"): all that its outcome depends on.
  static std::string key(const config::Upstream& upstream, const config::HealthCheck& settings,
                         std::string_view endpoint);

  /// Starts at once, within a second that is shared out by chance; then each interval, give or take
  /// a tenth, so that not all addresses are asked at the same moment. `client` has connections of
  /// its own to the address; for gRPC it speaks HTTP/2. `settings` are valid. `random` outlives
  /// this.
  HealthCheck(net::Loop& loop, config::HealthCheck settings,
              std::unique_ptr<net::HttpClient> client, std::shared_ptr<HealthBoard::Entry> entry,
              RandomSequence& random);
  ~HealthCheck();
  HealthCheck(const HealthCheck&) = delete;
  HealthCheck& operator=(const HealthCheck&) = delete;

  const HealthBoard::Entry& entry() const { return *entry_; }

 private:
  void due();
  std::chrono::milliseconds next_interval();
  Task<void> check();
  Task<Result<void>> ask();
  http::Request http_question() const;

  net::Loop& loop_;
  const config::HealthCheck settings_;
  const std::unique_ptr<net::HttpClient> client_;
  const std::shared_ptr<HealthBoard::Entry> entry_;
  RandomSequence& random_;
  bool asking_ = false;
  http::Cancellation cancellation_;  // of the question under way
  net::Loop::Timer timer_;
  net::Loop::Timer limit_;
  net::RunningTask task_;
};

}  // namespace gatehouse::gateway::upstream
