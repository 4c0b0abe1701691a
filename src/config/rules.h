// Rules that hold between fields. Each names the field that has to change.
#pragma once

#include "config/findings.h"
#include "config/settings.h"

namespace gatehouse::config {

void check_rules(const Settings& settings, Findings& findings);

}  // namespace gatehouse::config
