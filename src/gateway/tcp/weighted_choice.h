// Chooses among several in turn, so that each gets its share as evenly as can be ("smooth weighted
// round robin", nginx). One loop's own.
#pragma once

#include <cstddef>
#include <vector>

namespace gatehouse::gateway {

class WeightedChoice {
 public:
  /// An index in `shares`: one at least, 1 in all, the same at each call.
  std::size_t next(const std::vector<double>& shares) {
    due_.resize(shares.size());
    std::size_t best = 0;
    for (std::size_t i = 0; i < shares.size(); ++i) {
      due_[i] += shares[i];
      if (due_[i] > due_[best]) best = i;
    }
    due_[best] -= 1;
    return best;
  }

 private:
  std::vector<double> due_;
};

}  // namespace gatehouse::gateway
