#include "net/loop.h"

#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "net/file_descriptor.h"
#include "net/timer_wheel.h"

namespace gatehouse::net {

namespace {

/// Fetched by one epoll_wait: enough that a busy loop seldom needs two, few enough for the cache.
constexpr int kEventsPerTurn = 256;

/// A loop that cannot be made or cannot wait serves nobody, and has no caller who could mend it.
[[noreturn]] void give_up(const char* call) {
  std::perror(call);
  std::abort();
}

FileDescriptor or_give_up(int fd, const char* call) {
  if (fd < 0) give_up(call);
  return FileDescriptor(fd);
}

/// What Loop::spawn() runs: a coroutine that owns itself, and is in the loop's list while it runs.
struct SpawnedFrame : Link {
  std::coroutine_handle<> handle;
};

struct Spawned {
  struct promise_type : SpawnedFrame {
    promise_type(LinkedList<SpawnedFrame>& frames, Task<void>& /*task*/) {
      handle = std::coroutine_handle<promise_type>::from_promise(*this);
      frames.push_back(*this);
    }
    Spawned get_return_object() const noexcept { return {}; }
    std::suspend_never initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    void unhandled_exception() const noexcept { std::terminate(); }
  };
};

Spawned run_spawned(LinkedList<SpawnedFrame>& /*frames*/, Task<void> task) {
  co_await std::move(task);
}

}  // namespace

struct Loop::State {
  struct Watch {
    EventListener* listener = nullptr;
    std::uint32_t generation = 0;  // counts the descriptor's uses, so that stale events are known
  };

  explicit State(const Clock& clock_of_loop) : clock(clock_of_loop), now(clock.monotonic()) {}

  int wait_limit() const;
  void tell_listeners(int count);
  void run_posted();
  void run_ready();
  void wake() const { ::eventfd_write(wake_up.get(), 1); }

  const Clock& clock;
  MonotonicTime now;  // of this turn
  bool serving = false;
  FileDescriptor epoll = or_give_up(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
  FileDescriptor wake_up = or_give_up(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd");
  std::array<epoll_event, kEventsPerTurn> events;
  std::vector<Watch> watches;  // by descriptor
  std::shared_ptr<TimerWheel> timers = std::make_shared<TimerWheel>(now);
  RunQueue ready;
  LinkedList<SpawnedFrame> spawned;

  std::atomic<bool> stopping = false;
  std::atomic<std::thread::id> thread;
  std::atomic<bool> has_posted = false;
  std::mutex mutex;  // guards `posted`
  std::vector<std::move_only_function<void()>> posted;
  std::vector<std::move_only_function<void()>> running;  // keeps its memory between turns
};

Loop::Loop(const Clock& clock) : state_(std::make_unique<State>(clock)) {
  // Edge-triggered and never read: each write is an edge, and 2^64 of them do not come.
  epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.u64 = 0}};
  event.data.u64 = static_cast<std::uint32_t>(state_->wake_up.get());
  if (::epoll_ctl(state_->epoll.get(), EPOLL_CTL_ADD, state_->wake_up.get(), &event) != 0) {
    give_up("epoll_ctl");
  }
}

Loop::~Loop() {
  while (SpawnedFrame* const frame = state_->spawned.front()) frame->handle.destroy();
  // What is dropped here may post again from its destructor.
  while (state_->has_posted.exchange(false)) {
    std::vector<std::move_only_function<void()>> dropped;
    const std::lock_guard lock(state_->mutex);
    dropped.swap(state_->posted);
  }
}

void Loop::run() {
  State& state = *state_;
  state.thread = std::this_thread::get_id();
  state.now = state.clock.monotonic();
  state.serving = true;
  while (!state.stopping.exchange(false)) {
    const int count =
        ::epoll_wait(state.epoll.get(), state.events.data(), kEventsPerTurn, state.wait_limit());
    if (count < 0 && errno != EINTR) give_up("epoll_wait");
    state.now = state.clock.monotonic();
    state.tell_listeners(std::max(count, 0));
    state.timers->advance(state.now);
    state.run_posted();
    state.run_ready();
  }
  state.serving = false;
  state.thread = std::thread::id();
}

/// Milliseconds, as epoll_wait takes them.
int Loop::State::wait_limit() const {
  if (!ready.empty() || has_posted) return 0;
  const std::optional<MonotonicTime> next = timers->next();
  if (!next) return -1;
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(*next - clock.monotonic()).count();
  return static_cast<int>(std::clamp<long long>(wait, 0, std::numeric_limits<int>::max()));
}

void Loop::State::tell_listeners(int count) {
  for (int i = 0; i < count; ++i) {
    const std::uint64_t key = events[i].data.u64;
    const auto fd = static_cast<std::uint32_t>(key);
    if (fd >= watches.size()) continue;
    const Watch watch = watches[fd];
    if (watch.listener == nullptr || watch.generation != key >> 32U) continue;
    watch.listener->on_events(events[i].events);
  }
}

void Loop::State::run_posted() {
  if (!has_posted.exchange(false)) return;
  {
    const std::lock_guard lock(mutex);
    running.swap(posted);
  }
  for (auto& work : running) std::exchange(work, nullptr)();
  running.clear();
}

void Loop::State::run_ready() {
  RunQueue present;
  present.take_all(ready);
  while (Runnable* const runnable = present.pop_front()) runnable->run();
}

void Loop::stop() {
  state_->stopping = true;
  state_->wake();
}

void Loop::post(std::move_only_function<void()> work) {
  State& state = *state_;
  bool first = false;
  {
    const std::lock_guard lock(state.mutex);
    state.posted.push_back(std::move(work));
    first = !state.has_posted.exchange(true);
  }
  // The loop's own thread looks before it waits.
  if (first && state.thread.load() != std::this_thread::get_id()) state.wake();
}

void Loop::schedule(Runnable& runnable) {
  state_->ready.push_back(runnable);
}

void Loop::spawn(Task<void> task) {
  run_spawned(state_->spawned, std::move(task));
}

const Clock& Loop::clock() const {
  return state_->clock;
}

MonotonicTime Loop::now() const {
  return state_->serving ? state_->now : state_->clock.monotonic();
}

Result<void> Loop::watch(int fd, EventListener& listener) {
  const auto index = static_cast<std::size_t>(fd);
  if (index >= state_->watches.size()) state_->watches.resize(index + 1);
  State::Watch& watch = state_->watches[index];
  epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data = {.u64 = 0}};
  event.data.u64 = std::uint64_t{watch.generation} << 32U | static_cast<std::uint32_t>(fd);
  if (::epoll_ctl(state_->epoll.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    return fail(ErrorCode::kExhausted,
                std::string("a socket cannot be watched: ") + std::strerror(errno));
  }
  watch.listener = &listener;
  return {};
}

void Loop::forget(int fd) {
  const auto index = static_cast<std::size_t>(fd);
  if (index >= state_->watches.size() || state_->watches[index].listener == nullptr) return;
  State::Watch& watch = state_->watches[index];
  watch.listener = nullptr;
  ++watch.generation;
  ::epoll_ctl(state_->epoll.get(), EPOLL_CTL_DEL, fd, nullptr);
}

struct Loop::Timer::State final : TimerWheel::Entry {
  State(Loop& loop_of_timer, std::move_only_function<void()> call)
      : Entry(std::move(call)), loop(loop_of_timer), wheel(loop.state_->timers) {}

  Loop& loop;
  const std::shared_ptr<TimerWheel> wheel;  // a timer may go after its loop
};

Loop::Timer::Timer(Loop& loop, std::move_only_function<void()> fire)
    : state_(std::make_unique<State>(loop, std::move(fire))) {}

Loop::Timer::~Timer() {
  const std::shared_ptr<TimerWheel> wheel = state_->wheel;
  wheel->destroy(std::move(state_));
}

void Loop::Timer::set(MonotonicTime at) {
  state_->wheel->set(*state_, at);
}

void Loop::Timer::set_after(std::chrono::milliseconds delay) {
  set(state_->loop.now() + delay);
}

void Loop::Timer::cancel() {
  TimerWheel::cancel(*state_);
}

bool Loop::Timer::armed() const {
  return state_->armed();
}

Task<void> Loop::sleep(std::chrono::milliseconds delay) {
  struct Sleep {
    Loop& loop;
    std::chrono::milliseconds delay;
    Resumption resumption;
    Timer timer;

    Sleep(Loop& sleeping_on, std::chrono::milliseconds how_long)
        : loop(sleeping_on), delay(how_long), timer(loop, [this] { loop.schedule(resumption); }) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> awaiting) {
      resumption.waiting = awaiting;
      timer.set_after(delay);
    }
    void await_resume() const noexcept {}
  };
  Sleep sleep(*this, delay);
  co_await sleep;
}

}  // namespace gatehouse::net
