// What a serving process waits for: signals, and changes of the folder of manifests.
//
// On one thread, which blocks in next(). The signals are blocked in every thread (block_signals()).
#pragma once

#include <signal.h>

#include <optional>
#include <utility>

#include "app/folder_watch.h"

namespace gatehouse::app {

/// The signals that a process of ours answers: SIGTERM and SIGINT stop, SIGHUP reads again.
sigset_t served_signals();

enum class Event { kStop, kReread, kManifestsChanged };

class Events {
 public:
  /// Changes are told once nothing has changed for this time …
  static constexpr int kRestMilliseconds = 50;
  /// … but a folder that is written all the time is read nevertheless.
  static constexpr int kRests = 20;

  explicit Events(std::optional<FolderWatch> manifests);
  ~Events();
  Events(const Events&) = delete;
  Events& operator=(const Events&) = delete;

  /// Another folder from now on; nullopt: none.
  void watch(std::optional<FolderWatch> manifests) { manifests_ = std::move(manifests); }
  Event next();
  /// Waits for a signal to stop, whatever else happens.
  void wait_for_stop();

 private:
  struct Seen {
    bool signal = false, change = false;
  };
  Seen wait(int milliseconds) const;
  bool wait_for_changes() const;
  Event take_signal() const;

  const int signals_;
  std::optional<FolderWatch> manifests_;
};

}  // namespace gatehouse::app
