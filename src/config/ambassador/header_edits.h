// Header fields that manifests put into messages or take out of them.
//
// What would forge an identity or the framing of a message is refused.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/ambassador/fields.h"
#include "config/gateway_settings.h"

namespace gatehouse::config::ambassador {

/// `name: {NAME: value}` or `{NAME: {value, append}}`. `managed`: headers that carry an identity;
/// setting one, under any spelling that a server could take for it, is a problem.
std::vector<FieldEdit> read_header_edits(FieldReader& fields, std::string_view name,
                                         const std::vector<std::string>& managed);

/// A list of header names. Framing cannot be removed.
std::vector<std::string> read_header_names(FieldReader& fields, std::string_view name);

/// `name: {KEY: value}`, with keys that are no header's: one line each.
std::vector<FieldEdit> read_text_members(FieldReader& fields, std::string_view name);

}  // namespace gatehouse::config::ambassador
