#include <gtest/gtest.h>
#include <spdlog/sinks/null_sink.h>
#include <spdlog/spdlog.h>

#include <stdexcept>

#include "app/worker.h"
#include "base/clock.h"

namespace gatehouse::app {
namespace {

using namespace std::chrono_literals;

TEST(Round, ComesAgainAfterATurnThatThrew) {
  const SystemClock clock;
  net::Loop loop(clock);
  const auto log =
      std::make_shared<spdlog::logger>("null", std::make_shared<spdlog::sinks::null_sink_mt>());
  int turns = 0;
  Round round(loop, log, 1ms, [&]() -> Task<void> {
    if (++turns == 3) loop.stop();
    throw std::runtime_error("the store is gone");
    co_return;
  });
  loop.run();
  EXPECT_EQ(turns, 3);
}

TEST(Round, SaysWhenItHasEnded) {
  const SystemClock clock;
  net::Loop loop(clock);
  const auto log =
      std::make_shared<spdlog::logger>("null", std::make_shared<spdlog::sinks::null_sink_mt>());
  bool ended = false;
  Round* self = nullptr;
  Round round(loop, log, 1ms, [&]() -> Task<void> {
    self->end([&] {
      ended = true;
      loop.stop();
    });
    co_return;
  });
  self = &round;
  loop.run();
  EXPECT_TRUE(ended);
  EXPECT_TRUE(round.idle());
}

}  // namespace
}  // namespace gatehouse::app
