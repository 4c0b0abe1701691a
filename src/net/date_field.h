// The Date field (RFC 9110 §6.6.1), made anew once a second.
#pragma once

#include <string>
#include <string_view>

#include "net/loop.h"

namespace gatehouse::net {

class DateField {
 public:
  explicit DateField(const Loop& loop) : loop_(loop) {}
  std::string_view value();

 private:
  const Loop& loop_;
  MonotonicTime good_until_{};
  std::string value_;
};

}  // namespace gatehouse::net
