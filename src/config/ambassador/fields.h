// Reads the fields of one object by name and type, and knows afterwards which nobody asked for.
//
// A value of the wrong type or range is reported as a problem, which marks the whole object as
// failed, and reads as absent. null is absent, as Kubernetes has it.
#pragma once

#include <chrono>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/ambassador/objects.h"
#include "config/ambassador/report.h"
#include "config/yaml.h"

namespace gatehouse::config::ambassador {

/// No field needs more; a header's value is cut off by most servers at half of it.
inline constexpr std::size_t kMaxTextBytes = std::size_t{16} * 1024;
/// As RE2's own size limits, so that no pattern costs more than it says.
inline constexpr std::size_t kMaxRegexBytes = 2'048;
/// A year. Longer is a mistake of units.
inline constexpr long long kMaxMilliseconds = 366LL * 24 * 3600 * 1000;

/// One object that is being read.
class ObjectReport {
 public:
  ObjectReport(const Object& object, Report& report) : object_(object), report_(report) {}

  void problem(const Mark& mark, std::string_view field, std::string message) {
    failed_ = true;
    report_.problem(object_.subject, known(mark), field, std::move(message));
  }
  void warning(const Mark& mark, std::string_view field, std::string message) {
    report_.warning(object_.subject, known(mark), field, std::move(message));
  }
  bool has_room_for_warnings() const { return report_.has_room_for_warnings(); }
  void fail() { failed_ = true; }
  bool failed() const { return failed_; }
  Report& report() const { return report_; }
  const Object& object() const { return object_; }

 private:
  /// What is not there has no place of its own.
  const Mark& known(const Mark& mark) const { return mark.line > 0 ? mark : object_.mark; }

  const Object& object_;
  Report& report_;
  bool failed_ = false;
};

class FieldReader {
 public:
  using Entry = std::pair<std::string, const YamlNode*>;

  /// `path` stands before the names: "spec.".
  FieldReader(const YamlNode& mapping, std::string path, ObjectReport& report);

  /// The same fields, read for another report.
  FieldReader reported_to(ObjectReport& report) const;

  /// Where a field is looked for that `mapping` lacks; in the order of calls.
  void fall_back_to(const YamlNode& mapping) { defaults_.push_back(&mapping); }
  /// Names are found as camelCase too.
  void accept_camel_case() { camel_case_ = true; }

  /// The value, and the name is known from now on; nullptr if absent or null.
  const YamlNode* find(std::string_view name);
  bool has(std::string_view name) { return find(name) != nullptr; }
  /// It stands in the object itself, not only in what is fallen back to.
  bool has_itself(std::string_view name) { return find_in(*mapping_, name) != nullptr; }

  std::optional<bool> boolean(std::string_view name);
  std::optional<long long> integer(std::string_view name, long long min, long long max);
  /// One line.
  std::optional<std::string> text(std::string_view name);
  /// … one of these, compared without case and given as it stands here.
  std::optional<std::string> one_of(std::string_view name, const std::vector<std::string>& values);
  std::optional<std::string> regex(std::string_view name);
  /// An integer of milliseconds, not negative.
  std::optional<std::chrono::milliseconds> milliseconds(std::string_view name);
  /// Text with a unit: "10s"; a bare number is seconds.
  std::optional<std::chrono::milliseconds> duration(std::string_view name);
  /// A list of text, or one text with the members separated by commas.
  std::optional<std::vector<std::string>> texts(std::string_view name);
  /// An object's fields.
  std::optional<FieldReader> object(std::string_view name);
  /// A list of objects.
  std::vector<FieldReader> objects(std::string_view name);
  /// The fields of `node`, which stands at `name`.
  FieldReader at(const YamlNode& node, std::string_view name) const;
  /// An object with free names, each once.
  std::vector<Entry> entries(std::string_view name);
  /// The list's members.
  std::vector<const YamlNode*> items(std::string_view name);

  /// The text of a scalar that belongs to `name`: one line, within the limit.
  std::optional<std::string> text_of(const YamlNode& node, std::string_view name);

  /// Accepted without effect, and said so if it is there.
  void ignore(std::string_view name, std::string_view reason);
  /// Accepted without effect, silently.
  void accept(std::initializer_list<std::string_view> names);
  void problem(const YamlNode& node, std::string_view name, std::string message);
  /// At the field, or at the object if it is absent.
  void problem(std::string_view name, std::string message);
  void warning(std::string_view name, std::string message);
  /// Warns of the names that nobody asked for.
  void finish();

  bool failed() const { return report_->failed(); }
  ObjectReport& report() { return *report_; }

 private:
  const YamlNode* find_in(const YamlNode& mapping, std::string_view name);
  bool matches(std::string_view given, std::string_view name) const;
  std::string path_of(std::string_view name) const { return path_ + std::string(name); }
  void check_names();

  const YamlNode* mapping_;
  std::vector<const YamlNode*> defaults_;
  std::string path_;
  ObjectReport* report_;
  std::vector<std::string_view> asked_;
  bool camel_case_ = false;
};

/// The fields of an object itself. What stands beside them in the flat form is known.
FieldReader fields_of(ObjectReport& report);

}  // namespace gatehouse::config::ambassador
