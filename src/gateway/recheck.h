// Exchanges that are open, and whether they still may be.
//
// A tunnel, an event stream or a long body was let in by a verdict that may no longer hold: the
// session may have ended since. Each exchange is kept here from its verdict to its end. turn(),
// called about every recheck_interval, asks again: once for all exchanges of a session. An answer
// other than an Allow for the same session and user ends them at once. While the judge fails they
// go on for kDoubtLimit at most, then end: what cannot be judged is denied. One a loop.
#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "http/authorizer.h"
#include "http/message.h"
#include "net/running_task.h"

namespace gatehouse::gateway {

class OpenExchanges {
 public:
  /// How long an exchange may go on without an answer of the judge.
  static constexpr std::chrono::seconds kDoubtLimit{10};

  explicit OpenExchanges(std::shared_ptr<http::Authorizer> authorizer)
      : authorizer_(std::move(authorizer)) {}
  OpenExchanges(const OpenExchanges&) = delete;
  OpenExchanges& operator=(const OpenExchanges&) = delete;

 private:
  struct Round;
  struct Entry {
    const http::Request* request = nullptr;
    std::string body;  // as far as the judge knew it
    std::string user, session;
    http::ByteStream* tunnel = nullptr;
    std::optional<MonotonicTime> in_doubt_since;
    Round* round = nullptr;  // under judgement
    bool ended = false;
  };
  using Entries = std::list<Entry>;

 public:
  /// Keeps one exchange in the list as long as it lives.
  class Watch {
   public:
    Watch() = default;
    Watch(Watch&& other) noexcept
        : owner_(std::exchange(other.owner_, nullptr)), entry_(other.entry_) {}
    Watch& operator=(Watch&& other) noexcept {
      std::swap(owner_, other.owner_);
      std::swap(entry_, other.entry_);
      return *this;
    }
    ~Watch() {
      if (owner_ != nullptr) owner_->close(entry_);
    }
    /// What abort() is called on when the exchange must end; must outlive the Watch.
    void set_tunnel(http::ByteStream& tunnel) { entry_->tunnel = &tunnel; }
    /// The judge no longer lets it pass.
    bool ended() const { return owner_ != nullptr && entry_->ended; }
    bool watching() const { return owner_ != nullptr; }

   private:
    friend class OpenExchanges;
    Watch(OpenExchanges& owner, Entries::iterator entry) : owner_(&owner), entry_(entry) {}
    OpenExchanges* owner_ = nullptr;
    Entries::iterator entry_;
  };

  /// `request` must stay as it is, but for its body, until the Watch has gone; and this object must
  /// outlive the Watch.
  Watch open(const http::Request& request, const http::Allow& allow);

  /// Asks again about all that is open.
  void turn(MonotonicTime now);

  /// The judge from the next turn on.
  void use(std::shared_ptr<http::Authorizer> authorizer) { authorizer_ = std::move(authorizer); }

  std::size_t size() const { return open_.size(); }
  /// Called when the list is no longer empty.
  void on_first(std::function<void()> call) { on_first_ = std::move(call); }

 private:
  /// One question to the judge, for all exchanges of a session.
  struct Round {
    std::shared_ptr<http::Authorizer> authorizer;  // lives until it has answered
    http::Request question;
    std::string user, session;
    std::vector<Entry*> members;  // null once closed
    net::RunningTask task;
    bool done = false;
  };

  void close(Entries::iterator entry);
  std::vector<Round*> make_rounds(MonotonicTime now);
  Task<void> judge(Round& round);
  static void settle(Round& round, const http::Verdict& verdict);
  static void end_all(std::vector<Entry*>& members);
  void end_those_in_doubt(MonotonicTime now);

  std::shared_ptr<http::Authorizer> authorizer_;
  Entries open_;
  Entries spare_;  // their memory is used again
  Round doomed_;   // members that are being ended for doubt
  std::function<void()> on_first_;
  std::list<Round> rounds_;
};

/// Keeps the exchange watched until the answer's body or tunnel is gone.
void keep_watch(http::Response& response, OpenExchanges::Watch watch);

}  // namespace gatehouse::gateway
