#include "app/events.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>

namespace gatehouse::app {
namespace {

int open_signals() {
  const sigset_t served = served_signals();
  return ::signalfd(-1, &served, SFD_CLOEXEC);
}

}  // namespace

sigset_t served_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
  return set;
}

Events::Events(std::optional<FolderWatch> manifests)
    : signals_(open_signals()), manifests_(std::move(manifests)) {}

Events::~Events() {
  ::close(signals_);
}

Event Events::next() {
  for (;;) {
    const Seen seen = wait(-1);
    if (seen.signal) return take_signal();
    if (!seen.change || !manifests_->take_changes()) continue;
    for (int i = 0; i < kRests && wait_for_changes(); ++i) manifests_->take_changes();
    return Event::kManifestsChanged;
  }
}

void Events::wait_for_stop() {
  while (take_signal() != Event::kStop) {
  }
}

Events::Seen Events::wait(int milliseconds) const {
  std::array<pollfd, 2> all{
      {{.fd = signals_, .events = POLLIN, .revents = 0},
       {.fd = manifests_ ? manifests_->fd() : -1, .events = POLLIN, .revents = 0}}};
  ::poll(all.data(), all.size(), milliseconds);
  return {.signal = all[0].revents != 0, .change = all[1].revents != 0};
}

bool Events::wait_for_changes() const {
  const Seen seen = wait(kRestMilliseconds);
  return seen.change && !seen.signal;
}

Event Events::take_signal() const {
  signalfd_siginfo signal{};
  if (::read(signals_, &signal, sizeof signal) != sizeof signal) return Event::kStop;
  return signal.ssi_signo == SIGHUP ? Event::kReread : Event::kStop;
}

}  // namespace gatehouse::app
