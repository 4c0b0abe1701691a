// Reads and describes the configuration.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/settings.h"

namespace gatehouse::config {

/// One thing that is wrong in a file or a variable. `str()`:
///   gatehouse.yaml:12:5: gatekeeper.sesion_max_age: no such field; did you mean session_max_age?
struct Problem {
  std::string source;        // the file's name, or "environment GATEHOUSE_…"
  int line = 0, column = 0;  // 1-based; 0: unknown
  std::string field;         // dotted path
  std::string message;
  std::string str() const;
};

using Environment = std::map<std::string, std::string>;
/// The process's.
Environment process_environment();

struct Loaded {
  Settings settings;
  std::vector<Problem> problems;  // empty: good. All at once.
  std::vector<Problem> warnings;  // what is allowed and dangerous; said at each start
};

/// Reads YAML text, then GATEHOUSE_… variables over it (GATEHOUSE_GATEKEEPER_CLIENT_ID for
/// gatekeeper.client_id), then checks each range and the fields against one another. A secret field
/// `x` may be given as `x_file: PATH` or `x_env: NAME`, and GATEHOUSE_…_FILE. A field whose value
/// is refused keeps its default; settings with problems are not to be used.
Loaded load(std::string_view yaml, std::string_view source_name, const Environment& environment);
/// kNotFound or kInvalid if the file cannot be read.
Result<Loaded> load_file(const std::string& path, const Environment& environment);

/// What is in force, as YAML; secrets stand as "<secret>".
std::string show(const Settings& settings);
/// JSON Schema (2020-12) of the file.
std::string json_schema();
/// docs/configuration.md.
std::string markdown();

}  // namespace gatehouse::config
