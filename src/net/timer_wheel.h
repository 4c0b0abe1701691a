// A hierarchical timer wheel: four levels of 64 slots, ticks of 8 ms, 37 hours around.
//
// Setting a timer later than the slot it lies in is one store: the slot's turn comes, finds the
// timer not yet due, and puts it where it belongs by then. So a deadline that moves with every
// request costs nothing until it nears. Cancelling is one store too. Nothing allocates. A timer
// never fires early; it fires at most one tick late if advance() is called in time.
//
// Used by Loop alone; one thread.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "base/clock.h"
#include "net/link.h"

namespace gatehouse::net {

class TimerWheel {
 public:
  using Tick = std::int64_t;
  static constexpr std::chrono::milliseconds kTick{8};

  class Entry : public Link {
   public:
    explicit Entry(std::move_only_function<void()> call) : fire(std::move(call)) {}
    virtual ~Entry() = default;
    bool armed() const { return armed_; }

   private:
    friend class TimerWheel;
    std::move_only_function<void()> fire;
    Tick due_ = 0;
    Tick visit_ = 0;  // when its slot's turn comes; never after due_ unless due_ has passed
    bool armed_ = false;
  };

  explicit TimerWheel(MonotonicTime now) : origin_(now) {}
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  void set(Entry& entry, MonotonicTime at);
  static void cancel(Entry& entry) { entry.armed_ = false; }
  /// Ends an entry, also from within its own call.
  void destroy(std::unique_ptr<Entry> entry);

  /// When advance() has something to do next; nullopt: never. May be before any timer is due.
  std::optional<MonotonicTime> next() const;
  /// Fires what is due. A call may set, cancel and destroy any entry.
  void advance(MonotonicTime now);

 private:
  static constexpr int kLevels = 4;
  static constexpr int kBits = 6;
  static constexpr std::size_t kSlots = 1U << kBits;

  struct Level {
    std::uint64_t occupied = 0;  // a bit a slot; may be set for a slot that has emptied since
    std::array<LinkedList<Entry>, kSlots> slots;
  };

  std::optional<Tick> next_tick() const;
  void insert(Entry& entry);
  void visit_slots();
  void visit(Entry& entry);

  const MonotonicTime origin_;
  Tick current_ = 0;
  std::array<Level, kLevels> levels_;
  Entry* firing_ = nullptr;
  std::unique_ptr<Entry> destroyed_while_firing_;
};

}  // namespace gatehouse::net
