// Any text as a configuration file, and any text as variables: loading neither crashes nor hangs,
// and what is shown of good settings loads back to the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "config/config.h"

namespace {

using gatehouse::config::Loaded;

bool has_secret(const std::string& shown) {
  return shown.find("<secret>") != std::string::npos;
}

void check_shown_loads_back(const Loaded& loaded) {
  const std::string shown = show(loaded.settings);
  if (has_secret(shown)) return;
  const Loaded again = gatehouse::config::load(shown, "shown", {});
  if (!again.problems.empty() || show(again.settings) != shown) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  // A secret's file may be anything that the fuzzer can name.
  if (text.find("_file") != std::string_view::npos) return 0;
  const Loaded loaded = gatehouse::config::load(text, "fuzz", {{"SECRET", "s"}});
  for (const auto& problem : loaded.problems) {
    if (problem.str().find('\n') != std::string::npos) std::abort();
  }
  if (loaded.problems.empty()) check_shown_loads_back(loaded);

  const std::string value(text);
  gatehouse::config::load("", "fuzz",
                          {{"GATEHOUSE_GATEWAY_ROUTES", value},
                           {"GATEHOUSE_GATEKEEPER_SCOPES", value},
                           {"GATEHOUSE_IDENTITY_USERS", value},
                           {"GATEHOUSE_DRAIN_TIMEOUT", value}});
  return 0;
}
