// Lets one coroutine of a loop do a piece of work while the others that want the same wait for it.
//
//   const bool leads = co_await flights.lead();
//   if (leads) {
//     const Flight flight(flights);
//     …the work…
//   }
//
// lead() gives true to the one who has to do the work, and false, later, to those who waited.
#pragma once

#include <algorithm>
#include <coroutine>
#include <utility>
#include <vector>

namespace gatehouse::gatekeeper {

/// One a loop and a piece of work.
class SingleFlight {
 public:
  class Waiting {
   public:
    explicit Waiting(SingleFlight& flight) : flight_(flight) {}
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;
    ~Waiting() {
      std::erase(flight_.waiting_, handle_);
      std::erase(flight_.landing_, handle_);
    }

    bool await_ready() {
      leads_ = !std::exchange(flight_.flying_, true);
      return leads_;
    }
    void await_suspend(std::coroutine_handle<> handle) {
      handle_ = handle;
      flight_.waiting_.push_back(handle);
    }
    bool await_resume() const { return leads_; }

   private:
    SingleFlight& flight_;
    std::coroutine_handle<> handle_;
    bool leads_ = false;
  };

  Waiting lead() { return Waiting(*this); }

  /// Ends the flight and lets those who waited go on; they may lead the next one.
  void land() {
    flying_ = false;
    landing_.insert(landing_.end(), waiting_.begin(), waiting_.end());
    waiting_.clear();
    while (!landing_.empty()) {
      const std::coroutine_handle<> next = landing_.front();
      landing_.erase(landing_.begin());
      next.resume();
    }
  }

 private:
  bool flying_ = false;
  std::vector<std::coroutine_handle<>> waiting_;
  std::vector<std::coroutine_handle<>> landing_;  // about to go on
};

/// Lands when it goes.
class Flight {
 public:
  explicit Flight(SingleFlight& flight) : flight_(flight) {}
  Flight(const Flight&) = delete;
  Flight& operator=(const Flight&) = delete;
  ~Flight() { flight_.land(); }

 private:
  SingleFlight& flight_;
};

}  // namespace gatehouse::gatekeeper
