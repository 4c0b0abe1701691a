#include "config/ambassador/objects.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "config/ambassador/fields.h"
#include "config/text.h"

namespace gatehouse::config::ambassador {
namespace {

using Kind = YamlNode::Kind;

constexpr std::string_view kAnnotation = "getambassador.io/config";
constexpr std::string_view kAuthService = "AuthService";
/// Objects that Emissary's own conversion webhook has marked.
constexpr std::string_view kConvertedId = "--apiVersion-v3alpha1-only--";

const YamlNode& nothing() {
  static const YamlNode kNothing;
  return kNothing;
}

const YamlNode& member(const YamlNode& mapping, std::string_view name) {
  for (const auto& [key, value] : mapping.entries) {
    if (key->kind == Kind::kScalar && key->text == name) return *value;
  }
  return nothing();
}

std::string text_member(const YamlNode& mapping, std::string_view name) {
  const YamlNode& value = member(mapping, name);
  return value.kind == Kind::kScalar && is_one_line(value.text) ? value.text : std::string();
}

struct ApiVersion {
  std::string group, version;
};

ApiVersion split_api_version(const std::string& text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string::npos) return {.group = {}, .version = text};
  return {.group = text.substr(0, slash), .version = text.substr(slash + 1)};
}

/// Emissary 2.0's early kinds: AmbassadorMapping of x.getambassador.io.
std::string kind_without_prefix(std::string kind, std::string_view group) {
  constexpr std::string_view kPrefix = "Ambassador";
  if (group == "x.getambassador.io" && kind.starts_with(kPrefix)) kind.erase(0, kPrefix.size());
  return kind;
}

bool is_ambassador_group(std::string_view group) {
  return group == "getambassador.io" || group == "x.getambassador.io" || group == "ambassador";
}

/// Of Kubernetes: HTTPRoute, Gateway, …
bool is_gateway_api(std::string_view group) {
  return group == "gateway.networking.k8s.io" || group == "networking.x-k8s.io";
}

/// An Ingress that Ambassador would serve.
bool is_ambassador_ingress(const YamlNode& root) {
  constexpr std::string_view kClass = "ambassador";
  const YamlNode& annotations = member(member(root, "metadata"), "annotations");
  return text_member(root, "kind") == "Ingress" &&
         (text_member(member(root, "spec"), "ingressClassName") == kClass ||
          text_member(annotations, "kubernetes.io/ingress.class") == kClass);
}

bool is_known_version(std::string_view version) {
  constexpr std::array<std::string_view, 4> kVersions{"v0", "v1", "v2", "v3alpha1"};
  return std::ranges::find(kVersions, version) != kVersions.end();
}

/// The offsets of the lines of a file, to look at what stands at a mark.
class Lines {
 public:
  explicit Lines(std::string_view text) : text_(text) {
    for (std::size_t at = 0; at != std::string_view::npos;) {
      starts_.push_back(at);
      const std::size_t end = text.find('\n', at);
      at = end == std::string_view::npos ? end : end + 1;
    }
  }

  std::string_view line(int number) const {
    if (number < 1 || static_cast<std::size_t>(number) > starts_.size()) return {};
    const std::string_view rest = text_.substr(starts_[static_cast<std::size_t>(number) - 1]);
    return rest.substr(0, rest.find('\n'));
  }

  char at(const Mark& mark) const {
    const std::string_view whole = line(mark.line);
    const auto column = static_cast<std::size_t>(mark.column);
    return column >= 1 && column <= whole.size() ? whole[column - 1] : '\0';
  }

  /// Of the first line below `number` that is not blank.
  int indentation_below(int number) const {
    for (int below = number + 1; static_cast<std::size_t>(below) <= starts_.size(); ++below) {
      const std::size_t content = line(below).find_first_not_of(" \r");
      if (content != std::string_view::npos) return static_cast<int>(content);
    }
    return 0;
  }

 private:
  std::string_view text_;
  std::vector<std::size_t> starts_;
};

class Collector {
 public:
  Collector(const ManifestOptions& options, Report& report) : options_(options), report_(report) {}

  void read_file(const ManifestFile& file) {
    const Lines lines(file.text);
    lines_ = &lines;
    read_stream(file.text, {.file = printable(file.name)},
                [&](const YamlNode& root, const Subject& subject) { read_object(root, subject); });
    lines_ = nullptr;
  }

  Objects take() { return std::move(out_); }

 private:
  template <class ReadRoot>
  void read_stream(std::string_view text, const Subject& subject, ReadRoot read_root) {
    const YamlStreamLimits limits{.document = {.bytes = kMaxManifestFileBytes,
                                               .values = values_left_,
                                               .depth = kMaxManifestDepth},
                                  .documents = kMaxDocuments,
                                  .values = values_left_};
    for (const YamlResult& document : parse_yaml_stream(text, limits)) {
      if (!document) {
        const bool names_auth_service = text.find(kAuthService) != std::string_view::npos;
        out_.lost_auth_service = out_.lost_auth_service || names_auth_service;
        for (const YamlError& error : document.error()) {
          unreadable(subject, error.mark, "", error.message + "; the document is left out");
        }
        continue;
      }
      values_left_ -= std::min(values_left_, (*document)->values);
      const YamlNode::Pointer around = std::exchange(root_, *document);
      read_root(**document, subject);
      root_ = around;
    }
  }

  void unreadable(const Subject& subject, const Mark& mark, std::string_view field,
                  std::string message) {
    out_.damaged.insert(subject.file);
    report_.problem(subject, mark, field, std::move(message));
  }

  void read_object(const YamlNode& root, const Subject& subject) {
    if (root.kind == Kind::kNull) return;
    if (root.kind != Kind::kMapping) {
      return unreadable(subject, root.mark, "", "a Kubernetes object must stand here");
    }
    const std::string kind = text_member(root, "kind");
    const std::string api_version = text_member(root, "apiVersion");
    if (kind.empty() && api_version.empty()) {
      return report_.warning(subject, root.mark, "",
                             "no Kubernetes object (apiVersion and kind are missing); passed over");
    }
    const ApiVersion api = split_api_version(api_version);
    const YamlNode& items = member(root, "items");
    if (kind.ends_with("List") && items.kind == Kind::kSequence) {
      for (const YamlNode::Pointer& item : items.items) read_object(*item, subject);
      return;
    }
    if (is_ambassador_group(api.group)) {
      read_ambassador(root, subject, api);
    } else if (api_version.empty()) {
      unreadable(subject, root.mark, kind, "apiVersion is missing");
    } else if (api_version == "v1" && kind == "Secret") {
      read_secret(root, subject);
    } else if ((api_version == "v1" && kind == "Service") || kind == "Ingress") {
      read_annotation(root, subject);
    }
    if (is_gateway_api(api.group) || is_ambassador_ingress(root)) warn_of_foreign(root, subject);
  }

  void warn_of_foreign(const YamlNode& root, const Subject& subject) {
    const YamlNode& metadata = member(root, "metadata");
    Subject named = subject;
    named.name = text_member(root, "kind") + " " + name_space_of(metadata) + "/" +
                 printable(text_member(metadata, "name"));
    report_.warning(named, root.mark, "", "is not supported; give a Mapping");
  }

  std::string name_space_of(const YamlNode& metadata) const {
    const std::string given = printable(text_member(metadata, "namespace"));
    return given.empty() ? options_.gateway_namespace : given;
  }

  /// Name, namespace and labels; nullopt and a problem without a name.
  std::optional<Object> head(const YamlNode& root, const YamlNode& metadata,
                             const Subject& subject) {
    Object out;
    out.kind =
        printable(kind_without_prefix(text_member(root, "kind"),
                                      split_api_version(text_member(root, "apiVersion")).group),
                  80);
    out.name = printable(text_member(metadata, "name"));
    out.name_space = name_space_of(metadata);
    out.subject = subject;
    out.subject.name = out.kind + " " + out.name_space + "/" + out.name;
    out.mark = root.mark;
    out.root = root_;
    if (out.kind.empty() || out.name.empty()) {
      out.subject.name = out.kind;
      note_lost(out);
      unreadable(out.subject, root.mark, "",
                 out.kind.empty() ? "kind is missing" : "the object's name is missing");
      return std::nullopt;
    }
    for (const auto& [key, value] : member(metadata, "labels").entries) {
      if (value->kind == Kind::kScalar) out.labels.push_back(key->text + "=" + value->text);
    }
    return out;
  }

  void read_ambassador(const YamlNode& root, const Subject& subject, const ApiVersion& api) {
    const bool flat = member(root, "metadata").kind != Kind::kMapping;
    std::optional<Object> object = head(root, flat ? root : member(root, "metadata"), subject);
    if (!object) return;
    object->version = api.version;
    if (!is_known_version(api.version)) {
      note_lost(*object);
      return unreadable(object->subject, root.mark, "apiVersion",
                        "this version is not known; v1, v2 and v3alpha1 are");
    }
    object->fields = flat ? &root : &member(root, "spec");
    object->path = flat ? "" : "spec.";
    add(std::move(*object));
  }

  void note_lost(const Object& object) {
    if (object.kind == kAuthService) out_.lost_auth_service = true;
  }

  void add(Object object) {
    if (!is_ours(object)) return;
    if (object.path == "spec." && !names_.insert(object.subject.name).second) {
      return report_.problem(object.subject, object.mark, "",
                             "a second object of this kind and name; the first counts");
    }
    out_.list.push_back(std::move(object));
  }

  bool is_ours(const Object& object) const {
    const YamlNode& id = member(*object.fields, "ambassador_id");
    if (id.kind == Kind::kNull) return options_.ambassador_id == "default";
    const auto names_us = [&](const YamlNode& node) {
      std::string_view text = node.text;
      if (text.starts_with(kConvertedId)) text.remove_prefix(kConvertedId.size());
      return node.kind == Kind::kScalar && text == options_.ambassador_id;
    };
    return names_us(id) ||
           std::ranges::any_of(id.items, [&](const auto& item) { return names_us(*item); });
  }

  void read_secret(const YamlNode& root, const Subject& subject) {
    std::optional<Object> object = head(root, member(root, "metadata"), subject);
    if (!object) return;
    object->fields = &root;
    out_.secrets.emplace(object->name_space + "/" + object->name, std::move(*object));
  }

  void read_annotation(const YamlNode& root, const Subject& subject) {
    const YamlNode& metadata = member(root, "metadata");
    const YamlNode& text = member(member(metadata, "annotations"), kAnnotation);
    if (text.kind == Kind::kNull) return;
    const std::optional<Object> service = head(root, metadata, subject);
    if (!service) return;
    if (text.kind != Kind::kScalar) {
      return unreadable(service->subject, text.mark, kAnnotation, "must be text");
    }
    const Subject inside = subject_inside(text, *service);
    read_stream(text.text, inside, [&](const YamlNode& document, const Subject& within) {
      read_annotated(document, within, *service);
    });
  }

  /// A literal block keeps its lines, so that a place inside it is a place in the file.
  Subject subject_inside(const YamlNode& text, const Object& service) const {
    Subject out = service.subject;
    if (lines_ != nullptr && lines_->at(text.mark) == '|') {
      out.lines = text.mark.line;
      out.columns = lines_->indentation_below(text.mark.line);
    } else {
      out.whole = text.mark;
    }
    return out;
  }

  void read_annotated(const YamlNode& root, const Subject& subject, const Object& service) {
    if (root.kind == Kind::kNull) return;
    if (root.kind == Kind::kSequence) {
      for (const YamlNode::Pointer& item : root.items) read_annotated(*item, subject, service);
      return;
    }
    const ApiVersion api = split_api_version(text_member(root, "apiVersion"));
    if (root.kind != Kind::kMapping || !is_ambassador_group(api.group)) {
      return unreadable(subject, root.mark, kAnnotation,
                        "an object must stand here whose apiVersion is that of Ambassador, as "
                        "getambassador.io/v2");
    }
    std::optional<Object> object = head(root, root, subject);
    if (!object) return;
    object->version = api.version;
    object->fields = &root;
    if (text_member(root, "namespace").empty()) object->name_space = service.name_space;
    object->subject.name = object->kind + " " + object->name_space + "/" + object->name + " of " +
                           service.subject.name;
    object->labels = service.labels;
    if (!is_known_version(api.version)) {
      note_lost(*object);
      return unreadable(object->subject, root.mark, "apiVersion",
                        "this version is not known; v0, v1, v2 and v3alpha1 are");
    }
    add(std::move(*object));
  }

  const ManifestOptions& options_;
  Report& report_;
  Objects out_;
  std::set<std::string> names_;
  std::size_t values_left_ = kMaxManifestValues;
  const Lines* lines_ = nullptr;
  YamlNode::Pointer root_;  // of the document that is being read
};

}  // namespace

std::string origin_of(const Object& object) {
  const Mark place = object.subject.place(object.mark);
  return object.subject.name + " in " + object.subject.file + ":" + std::to_string(place.line);
}

Object head_of(const Object& object) {
  Object head = object;
  head.fields = &nothing();
  head.root = nullptr;
  return head;
}

std::vector<const Object*> Objects::of(std::string_view kind) const {
  std::vector<const Object*> out;
  for (const Object& object : list) {
    if (object.kind == kind) out.push_back(&object);
  }
  return out;
}

Objects collect_objects(const std::vector<ManifestFile>& files, const ManifestOptions& options,
                        Report& report) {
  Collector collector(options, report);
  for (const ManifestFile& file : files) collector.read_file(file);
  return collector.take();
}

}  // namespace gatehouse::config::ambassador
