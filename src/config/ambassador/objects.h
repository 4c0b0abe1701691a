// Takes manifests apart into objects: documents, Lists, and the annotations of Services.
//
// Not for what an object says: that is read kind by kind.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "config/ambassador/manifests.h"
#include "config/ambassador/report.h"
#include "config/yaml.h"

namespace gatehouse::config::ambassador {

struct Object {
  std::string kind;
  std::string version;  // v0, v1, v2, v3alpha1
  std::string name;
  std::string name_space;
  std::vector<std::string> labels;  // "key=value"
  /// Never null; valid as long as `root` is.
  const YamlNode* fields = nullptr;
  YamlNode::Pointer root;  // the document; null without fields
  /// "spec.", or "" where the fields stand beside apiVersion and kind.
  std::string path;
  Mark mark;
  Subject subject;
  /// It was there, and may be yet: something in its file cannot be read. It has no fields.
  bool lost = false;
};

/// Where it was written, for people: "Mapping default/a in b.yaml:12".
std::string origin_of(const Object& object);

/// The same object without its fields.
Object head_of(const Object& object);

struct Objects {
  /// Of getambassador.io, and of our ambassador_id, in their order.
  std::vector<Object> list;
  std::map<std::string, Object> secrets;  // by "namespace/name"
  /// Files in which something could not be read: which objects they hold is not known.
  std::set<std::string> damaged;
  /// An AuthService is written in something that could not be read.
  bool lost_auth_service = false;

  /// Those of one kind.
  std::vector<const Object*> of(std::string_view kind) const;
};

Objects collect_objects(const std::vector<ManifestFile>& files, const ManifestOptions& options,
                        Report& report);

}  // namespace gatehouse::config::ambassador
