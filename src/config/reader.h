// Reads a YAML tree into Settings by the field table, and gathers every problem on the way.
//
// A field whose value is refused keeps what it had, so that reading goes on. Where each field stood
// is remembered, for rules that are checked afterwards across fields.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/fields.h"
#include "config/findings.h"
#include "config/yaml.h"

namespace gatehouse::config {

class Reader {
 public:
  /// `environment` answers `x_env`.
  Reader(Findings& findings, const Environment& environment)
      : findings_(findings), environment_(environment) {}

  /// A whole file.
  void read_settings(const YamlNode& root, std::string source, Settings& settings);
  /// One field, out of a variable.
  void read_variable(const YamlNode& value, std::string source, const Field& field);

 private:
  /// The mapping that holds an object's fields, or those of one of its sections.
  struct Scope {
    const std::vector<Field>& fields;
    std::string object;   // "gateway.routes[2]." before the fields' names; "" for the root
    std::string section;  // "tls." within the object; "" at its top
    std::set<std::string, std::less<>>& given;  // names of fields that were there
  };

  void read_object(const YamlNode& mapping, const std::vector<Field>& fields,
                   const std::string& object);
  void read_section(const YamlNode& mapping, const Scope& scope);
  void read_entry(const YamlNode& key, const YamlNode& value, const Scope& scope);
  void read_field(const YamlNode& value, const Field& field, const std::string& path);
  void read_list(const YamlNode& value, const Field& field, const std::string& path);
  void read_named(const YamlNode& mapping, const Field& field, const std::string& path);
  void read_entries(const YamlNode& list, const Field& field, const std::string& path);
  bool read_secret_reference(const YamlNode& key, const YamlNode& value, const Scope& scope);
  void note_given(const YamlNode& key, const Field& field, const Scope& scope);
  void refuse_unknown(const YamlNode& key, const std::string& name, const Scope& scope);
  void add(const YamlNode& node, const std::string& field, std::string message);

  template <class Object>
  void read_objects(const YamlNode& list, std::vector<Object>& objects, const Rule& rule,
                    const std::string& path);
  void read_values(const YamlNode& list, const Field& field, const std::string& path);
  template <class Visit>
  void for_each_new_key(const YamlNode& mapping, const std::string& path, Visit visit);

  Findings& findings_;
  const Environment& environment_;
  std::string source_;
};

}  // namespace gatehouse::config
