// What is wrong or odd in manifests, put down to the object and the place where it stands.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/yaml.h"

namespace gatehouse::config::ambassador {

/// Which object a finding is about.
struct Subject {
  std::string file;
  std::string name;  // "Mapping kubeflow/notebooks"; "": the file itself
  /// Of an object that stands in a text inside the file: added to its marks.
  int lines = 0;
  int columns = 0;
  /// The text is no literal block: only the place of the whole is known.
  Mark whole;

  Mark place(const Mark& mark) const;
};

class Report {
 public:
  void problem(const Subject& subject, const Mark& mark, std::string_view field,
               std::string message);
  void warning(const Subject& subject, const Mark& mark, std::string_view field,
               std::string message);

  /// How many there are so far, those included that are only counted.
  std::size_t problem_count() const { return problems_.list.size() + problems_.more; }
  /// Adds to all but the first `known` that what they are about keeps its last good version.
  void say_that_it_stays(std::size_t known);

  /// False once a further warning would only be counted: its text need not be made.
  bool has_room_for_warnings() const;

  /// In the order of files and lines; the first kMostFindings, with one more that counts the rest.
  std::vector<Problem> take_problems();
  std::vector<Problem> take_warnings();

 private:
  struct Findings {
    std::vector<Problem> list;
    std::size_t more = 0;
  };
  static void add(Findings& findings, const Subject& subject, const Mark& mark,
                  std::string_view field, std::string message);
  static std::vector<Problem> take(Findings& findings, std::string_view what);

  Findings problems_;
  Findings warnings_;
};

}  // namespace gatehouse::config::ambassador
