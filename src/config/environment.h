// GATEHOUSE_… variables over the file.
//
// gatekeeper.client_id is GATEHOUSE_GATEKEEPER_CLIENT_ID. A list of text is separated by commas; a
// list of objects is YAML. A variable that is near a field's, or begins as a section's, and names
// no field is a problem, but not those that Kubernetes sets in every pod of a namespace that has a
// Service named gatehouse…. Ambassador's own AMBASSADOR_ID and AMBASSADOR_NAMESPACE are read too.
#pragma once

#include <string>
#include <string_view>

#include "config/config.h"
#include "config/findings.h"
#include "config/reader.h"

namespace gatehouse::config {

/// "gatekeeper.client_id" → "GATEHOUSE_GATEKEEPER_CLIENT_ID".
std::string variable_name(std::string_view field);

void read_environment(const Environment& environment, Settings& settings, Reader& reader,
                      Findings& findings);

}  // namespace gatehouse::config
