// Which changes a reload cannot bring about.
#pragma once

#include <string>
#include <vector>

#include "config/settings.h"

namespace gatehouse::config {

/// The fields that differ and that only a restart applies, by the field table: each once, in
/// alphabetical order. A list is named as a whole, if its entries differ in more than a reload
/// applies ("gatekeeper.listen"); what stands in a list that a reload applies, it applies too.
/// Values are not told: they may be secrets.
std::vector<std::string> needs_restart(const Settings& running, const Settings& fresh);

}  // namespace gatehouse::config
