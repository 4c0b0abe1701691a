// What became of the spans of one loop, for metrics: counted there, read from any thread.
#pragma once

#include "gateway/observe/count.h"

namespace gatehouse::gateway {

struct TraceCounts {
  Count exported;  // taken by the collector
  Count dropped;   // the queue was full, or the collector would not have them
};

}  // namespace gatehouse::gateway
