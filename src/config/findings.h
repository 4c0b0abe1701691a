// The problems found so far, and where each field stood.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "config/config.h"
#include "config/yaml.h"

namespace gatehouse::config {

/// More help nobody.
inline constexpr std::size_t kMostProblems = 100;

struct Place {
  std::string source;
  Mark mark;
};

/// Problems as they are found, and the places of fields.
class Findings {
 public:
  /// `file` is what a problem is put down to that has no place of its own.
  explicit Findings(std::string file) : file_{.source = std::move(file), .mark = {}} {}

  void add(const Place& place, const std::string& field, std::string message);
  /// Of a rule between fields: at the place of the field, or of what encloses it; nothing if the
  /// field has a problem already.
  void add_at_field(const std::string& field, std::string message);
  /// Of what is allowed and dangerous, at the same place.
  void warn_at_field(const std::string& field, std::string message);
  void remember(const std::string& field, const Place& place);
  /// Of a list that is read anew.
  void forget_entries(const std::string& list);
  /// It stood somewhere, be it with a value that is refused.
  bool is_given(const std::string& field) const { return places_.contains(field); }

  bool empty() const { return problems_.empty(); }
  /// In the order of files and lines; the first kMostProblems, with one more that counts the rest.
  std::vector<Problem> take_problems();
  std::vector<Problem> take_warnings();

 private:
  bool is_refused(const std::string& field) const;
  const Place& place_of(const std::string& field) const;
  std::vector<Problem> take(std::vector<Problem>& all) const;

  const Place file_;
  std::vector<Problem> problems_;
  std::vector<Problem> warnings_;
  std::map<std::string, Place> places_;
};

}  // namespace gatehouse::config
