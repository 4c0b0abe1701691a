// The gateway's names for http/field_names.h.
#pragma once

#include "http/field_names.h"

namespace gatehouse::gateway {

using http::fold_begins_with;
using http::folded;
using http::folds_to;
using http::folds_to_one_of;
using http::is_framing_field;

}  // namespace gatehouse::gateway
