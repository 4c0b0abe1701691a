// How requests, or connections, are shared out among those that match the same.
#pragma once

#include <string>
#include <vector>

namespace gatehouse::gateway {

/// The share of each, 1 in all, by its weight in percent. Those without one (-1) get what the
/// others leave, in equal parts; if all have one, they are taken in proportion. Adds to `warnings`
/// what can hardly be meant, a sentence each.
std::vector<double> shares_of(const std::vector<int>& weights, std::vector<std::string>& warnings);

}  // namespace gatehouse::gateway
