#include "net/timer_wheel.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace gatehouse::net {

namespace {

TimerWheel::Tick tick_at_or_after(MonotonicTime::duration since_origin) {
  const MonotonicTime::duration tick = TimerWheel::kTick;
  return since_origin / tick + (since_origin % tick > MonotonicTime::duration::zero() ? 1 : 0);
}

}  // namespace

void TimerWheel::set(Entry& entry, MonotonicTime at) {
  entry.due_ = tick_at_or_after(at - origin_);
  entry.armed_ = true;
  if (!entry.linked() || entry.due_ < entry.visit_) insert(entry);
}

void TimerWheel::insert(Entry& entry) {
  constexpr Tick kFarthest = (Tick{1} << (kBits * kLevels)) - 1;
  const Tick distance = std::clamp<Tick>(entry.due_ - current_, 1, kFarthest);
  const int level = (std::bit_width(static_cast<std::uint64_t>(distance)) - 1) / kBits;
  const Tick turn = (current_ + distance) >> (kBits * level);
  const std::size_t slot = static_cast<std::size_t>(turn) % kSlots;
  entry.visit_ = turn << (kBits * level);
  levels_[level].slots[slot].push_back(entry);
  levels_[level].occupied |= std::uint64_t{1} << slot;
}

std::optional<TimerWheel::Tick> TimerWheel::next_tick() const {
  std::optional<Tick> earliest;
  for (int level = 0; level < kLevels; ++level) {
    const std::uint64_t occupied = levels_[level].occupied;
    if (occupied == 0) continue;
    // Slots come in the order of their numbers from the one after the present one; the present one
    // is the last, a whole round away.
    const Tick present = current_ >> (kBits * level);
    const int rotation = static_cast<int>((present + 1) % static_cast<Tick>(kSlots));
    const Tick turn = present + 1 + std::countr_zero(std::rotr(occupied, rotation));
    const Tick tick = turn << (kBits * level);
    earliest = earliest ? std::min(*earliest, tick) : tick;
  }
  return earliest;
}

std::optional<MonotonicTime> TimerWheel::next() const {
  const std::optional<Tick> tick = next_tick();
  if (!tick) return std::nullopt;
  return origin_ + *tick * MonotonicTime::duration(kTick);
}

void TimerWheel::advance(MonotonicTime now) {
  const Tick target = (now - origin_) / MonotonicTime::duration(kTick);
  for (auto tick = next_tick(); tick && *tick <= target; tick = next_tick()) {
    current_ = *tick;
    visit_slots();
  }
  current_ = std::max(current_, target);
}

void TimerWheel::visit_slots() {
  LinkedList<Entry> visited;
  for (int level = 0; level < kLevels; ++level) {
    const Tick turn = current_ >> (kBits * level);
    if (turn << (kBits * level) != current_) break;
    const std::size_t slot = static_cast<std::size_t>(turn) % kSlots;
    visited.take_all(levels_[level].slots[slot]);
    levels_[level].occupied &= ~(std::uint64_t{1} << slot);
  }
  while (Entry* const entry = visited.pop_front()) visit(*entry);
}

void TimerWheel::visit(Entry& entry) {
  if (!entry.armed_) return;
  if (entry.due_ > current_) {
    insert(entry);
    return;
  }
  entry.armed_ = false;
  firing_ = &entry;
  entry.fire();
  firing_ = nullptr;
  destroyed_while_firing_.reset();
}

void TimerWheel::destroy(std::unique_ptr<Entry> entry) {
  cancel(*entry);
  entry->unlink();
  if (entry.get() == firing_) destroyed_while_firing_ = std::move(entry);
}

}  // namespace gatehouse::net
