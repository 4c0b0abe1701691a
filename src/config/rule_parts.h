// What the rules between fields are written with. Only for the files that hold such rules.
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/findings.h"
#include "config/settings.h"

namespace gatehouse::config {

/// "gateway.routes[2]".
inline std::string element(std::string_view list, std::size_t index) {
  return std::string(list) + "[" + std::to_string(index) + "]";
}

/// One object of the settings, whose fields may break rules.
class Subject {
 public:
  Subject(Findings& findings, std::string path) : findings_(findings), path_(std::move(path)) {}

  /// `field` is dotted, within the object.
  void refuse(std::string_view field, std::string message) const {
    findings_.add_at_field(path_of(field), std::move(message));
  }
  void warn(std::string_view field, std::string message) const {
    findings_.warn_at_field(path_of(field), std::move(message));
  }
  /// If `wrong`.
  void refuse_if(bool wrong, std::string_view field, std::string_view message) const {
    if (wrong) refuse(field, std::string(message));
  }

  std::string path_of(std::string_view field) const { return path_ + "." + std::string(field); }
  /// A struct that stands in this object.
  Subject in(std::string_view section) const { return {findings_, path_of(section)}; }
  /// An entry of a list of this object.
  Subject entry(std::string_view list, std::size_t index) const {
    return {findings_, element(path_of(list), index)};
  }

 private:
  Findings& findings_;
  std::string path_;
};

inline bool holds(const std::vector<std::string>& list, std::string_view text) {
  return std::ranges::find(list, text) != list.end();
}

/// Finds what stands twice in a list of objects.
class Repetitions {
 public:
  /// The index at which the same key came first, if it did.
  const std::size_t* seen_before(std::string key, std::size_t index) {
    const auto [first, is_new] = first_.try_emplace(std::move(key), index);
    return is_new ? nullptr : &first->second;
  }

 private:
  std::map<std::string, std::size_t> first_;
};

/// A value that is given as a file or as the text itself, not both.
void check_one_source(bool file, bool text, std::string_view file_field,
                      std::string_view text_field, const Subject& subject);

/// `list` is the field that holds them.
void check_listeners(const std::vector<Listen>& listeners, const std::string& list,
                     Findings& findings);
/// `subject` is what holds `tls`.
void check_tls(const Tls& tls, const Subject& subject);
void check_upstream_tls(const UpstreamTls& tls, std::string_view service, const Subject& subject);
void check_error_overrides(const std::vector<ErrorOverride>& overrides, const Subject& holder);

void check_gateway(const Settings& settings, Findings& findings);
void check_routes(const Gateway& gateway, const Subject& subject);
void check_tcp(const Gateway& gateway, const Subject& subject);

}  // namespace gatehouse::config
