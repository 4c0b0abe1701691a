// The one secret from which all others in a store can be opened.
#pragma once

#include "base/entropy.h"
#include "base/result.h"
#include "base/secret.h"
#include "config/settings.h"

namespace gatehouse::app {

/// 32 bytes: from the configuration (base64, either alphabet), else from `<path>.key` beside the
/// database, which is made with mode 0600 if it is not there. A key file that others may read, or
/// that has another length, is kInvalid. With the memory store: a fresh one.
Result<Secret> load_sealing_key(const config::StoreSettings& settings, Entropy& entropy);

}  // namespace gatehouse::app
