// Module "ambassador": settings of the whole gateway, and defaults of Mappings.
#pragma once

#include "config/ambassador/context.h"
#include "config/ambassador/fields.h"
#include "config/gateway_settings.h"

namespace gatehouse::config::ambassador {

/// What a Module says about listeners; each one may say otherwise.
struct ListenDefaults {
  std::size_t trusted_hops = 0;
  bool proxy_protocol = false;
  std::vector<std::string> forward_client;  // as Tls::forward_client
};

/// Reads the first Module "ambassador", if there is one. With a key that is wrong, its last good
/// version holds; without one the key is left out alone, since half of the rules for addresses are
/// better than none. `objects` outlive the context.
void read_module(const Objects& objects, Report& report, Context& context, Gateway& gateway,
                 ListenDefaults& listen);

/// config.defaults.tls_secret_namespacing, which is needed before anything else is read: a dot in a
/// Secret's name parts name and namespace.
bool secret_names_are_dotted(const Objects& objects);

}  // namespace gatehouse::config::ambassador
