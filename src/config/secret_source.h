// Secrets that configuration only points at: files and environment variables.
//
// The errors name neither file nor variable: who writes a secret where its file's name belongs must
// not find it in the log. Line and field lead there.
#pragma once

#include <cstddef>
#include <string>

#include "base/result.h"
#include "base/secret.h"
#include "config/config.h"

namespace gatehouse::config {

/// No secret is longer; a mistaken path to something large is noticed.
inline constexpr std::size_t kMaxSecretBytes = 64 * 1024;

/// The content of a regular file (or a link to one) without one line end at its end.
Result<Secret, std::string> secret_from_file(const std::string& path);
Result<Secret, std::string> secret_from_variable(const std::string& name,
                                                 const Environment& environment);

}  // namespace gatehouse::config
