// Connections to one origin: those that idle for reuse, and how many there are.
//
// The last one used is the first one reused, so that a burst's connections grow old and go. One
// that the peer has closed, or that gave a byte while nobody had asked, is never reused: such a
// byte would be taken for the start of the next answer.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <utility>

#include "net/connection_counts.h"
#include "net/loop.h"
#include "net/read_buffer.h"
#include "net/spare.h"
#include "net/stream.h"

namespace gatehouse::net {

class ConnectionPool {
 public:
  struct Options {
    std::size_t idle_limit;
    std::size_t connection_limit;
    std::chrono::milliseconds idle_timeout;    // 0: none
    std::chrono::milliseconds lifetime{0};     // an older one is not used again; 0: no limit
    std::shared_ptr<ConnectionCounts> shared;  // with other pools; may be null
  };

  /// What a connection needs while a request is under way.
  struct Workspace {
    ReadBuffer buffer;
    std::string out;
  };

  /// A place among the connections that may be open at once.
  class Place {
   public:
    Place(std::shared_ptr<std::size_t> taken, std::shared_ptr<ConnectionCounts> shared)
        : taken_(std::move(taken)), shared_(std::move(shared)) {
      ++*taken_;
    }
    Place(Place&& other) = default;
    Place& operator=(Place&&) = delete;
    ~Place() {
      if (taken_) --*taken_;
    }
    /// Those of all pools that share them; null if none do.
    ConnectionCounts* shared_counts() const { return shared_.counts(); }

   private:
    std::shared_ptr<std::size_t> taken_;
    CountedConnection shared_;
  };

  struct Connection {
    Place place;
    std::unique_ptr<Stream> stream;
    std::unique_ptr<Workspace> workspace;
    MonotonicTime opened{};
    bool reused = false;
    MonotonicTime idle_since{};
  };

  ConnectionPool(Loop& loop, Options options);

  /// One that idles and is fit for use; null if there is none.
  std::unique_ptr<Connection> take_idle();
  /// A place for a new one. kExhausted if there are too many, here or among those that share the
  /// count.
  Result<Place> reserve();
  std::unique_ptr<Connection> adopt(Place place, std::unique_ptr<Stream> stream);
  /// Keeps a connection whose last answer ended in order, and tells who waits for one.
  void keep(std::unique_ptr<Connection> connection);
  /// Keeps its memory, and closes it.
  void drop(std::unique_ptr<Connection> connection);
  /// Closes the one that has idled for longest; false if none idles.
  bool close_idle();

  std::size_t open() const { return *open_; }
  std::size_t idle() const { return idle_.size(); }

 private:
  static constexpr std::size_t kSpareWorkspaces = 128;

  bool is_fit(const Connection& connection) const;
  bool idled_too_long(const Connection& connection) const;
  bool is_old(const Connection& connection) const;
  void give_workspace_back(Connection& connection);
  void sweep();

  Loop& loop_;
  const Options options_;
  std::shared_ptr<std::size_t> open_ = std::make_shared<std::size_t>(0);
  Spare<Workspace> workspaces_{kSpareWorkspaces};
  std::deque<std::unique_ptr<Connection>> idle_;  // the oldest first
  Loop::Timer sweeper_;
};

}  // namespace gatehouse::net
