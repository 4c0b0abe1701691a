// Host and Listener → Host and Listen.
#pragma once

#include <optional>
#include <vector>

#include "config/ambassador/context.h"
#include "config/ambassador/module.h"
#include "config/ambassador/objects.h"
#include "config/ambassador/selector.h"
#include "config/gateway_settings.h"

namespace gatehouse::config::ambassador {

/// A Host as far as it could be read.
struct ReadHost {
  Host host;
  std::optional<Selector> selector;  // of the routes that it takes
  bool has_name = false;             // its host name could be read
  bool can_be_served = false;        // as it is meant
};

/// A Host that cannot be served as it is meant (a problem and no last good version, client
/// certificates that cannot be checked, no Listener) becomes one that no route belongs to: left
/// out, its name would be served under weaker rules.
///
/// Reads Listeners, then the Hosts that they bind, then hosts of TLSContexts that no Host names.
/// Routes must be there: a selector of several labels is put into them as one.
void read_hosts_and_listeners(const Objects& objects, const Context& context,
                              const ListenDefaults& defaults, Report& report, Gateway& gateway);

}  // namespace gatehouse::config::ambassador
