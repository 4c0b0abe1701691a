// Listener → Listen.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/ambassador/context.h"
#include "config/ambassador/module.h"
#include "config/ambassador/objects.h"
#include "config/ambassador/selector.h"
#include "config/gateway_settings.h"

namespace gatehouse::config::ambassador {

struct Listener {
  const Object* object = nullptr;
  Listen listen;
  bool tls = false;
  bool http = true;               // false: for TCPMappings, which open their ports themselves
  std::string name_space;         // whose Hosts are taken; "": all
  std::optional<Selector> hosts;  // by their labels

  bool binds(const Object& host) const;
};

/// Those with problems that were never right are left out.
std::vector<Listener> read_listeners(const Objects& objects, const ListenDefaults& defaults,
                                     const Versions& versions, Report& report);

/// Puts them in place of gateway.listen, unless there are none or the options say otherwise: then
/// `defaults` hold for what stays. One that speaks TLS serves cleartext too, and is given the
/// certificate of a Host as its own, which clients without SNI see; while no Host has one, the
/// self-signed one of the options, and a warning.
void open_listeners(const std::vector<Listener>& listeners, const ListenDefaults& defaults,
                    const Context& context, Report& report, Gateway& gateway);

}  // namespace gatehouse::config::ambassador
