#include "config/environment.h"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <utility>

#include "config/secret_source.h"
#include "config/text.h"
#include "config/value.h"

namespace gatehouse::config {
namespace {

constexpr std::string_view kPrefix = "GATEHOUSE_";
constexpr std::string_view kFileSuffix = "_FILE";
/// Where Ambassador has these from, and nowhere else, and ours of the same meaning. Empty, they
/// count as not set there.
struct Synonym {
  std::string_view theirs, ours;
};
constexpr std::array<Synonym, 2> kAmbassadors = {
    Synonym{"AMBASSADOR_ID", "GATEHOUSE_GATEWAY_AMBASSADOR_ID"},
    Synonym{"AMBASSADOR_NAMESPACE", "GATEHOUSE_GATEWAY_AMBASSADOR_NAMESPACE"}};

/// The name of ours that means the same; the name itself if it is none of theirs.
std::string_view own_name(std::string_view name) {
  const auto found = std::ranges::find(kAmbassadors, name, &Synonym::theirs);
  return found == kAmbassadors.end() ? name : found->ours;
}

bool is_number(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

/// {SERVICE}_SERVICE_HOST, …_SERVICE_PORT, …_SERVICE_PORT_{NAME}, …_PORT, …_PORT_{N}_TCP,
/// …_PORT_{N}_TCP_PROTO, _PORT and _ADDR: "Docker links" of a Service.
bool is_service_link(std::string_view name) {
  if (name.ends_with("_SERVICE_HOST") || name.ends_with("_SERVICE_PORT") ||
      name.find("_SERVICE_PORT_") != std::string_view::npos || name.ends_with("_PORT")) {
    return true;
  }
  const std::size_t port = name.rfind("_PORT_");
  if (port == std::string_view::npos) return false;
  const std::string_view rest = name.substr(port + std::string_view("_PORT_").size());
  const std::size_t underscore = rest.find('_');
  if (underscore == std::string_view::npos || !is_number(rest.substr(0, underscore))) return false;
  std::string_view protocol = rest.substr(underscore + 1);
  protocol = protocol.substr(0, protocol.find('_'));
  return protocol == "TCP" || protocol == "UDP" || protocol == "SCTP";
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(' ');
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(' ') - begin + 1);
}

std::shared_ptr<YamlNode> raw_text(std::string_view text) {
  auto node = std::make_shared<YamlNode>();
  node->kind = YamlNode::Kind::kScalar;
  node->style = YamlNode::Style::kRaw;
  node->text = text;
  return node;
}

YamlNode::Pointer split_by_commas(std::string_view text) {
  auto list = std::make_shared<YamlNode>();
  list->kind = YamlNode::Kind::kSequence;
  while (!trimmed(text).empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    list->items.push_back(raw_text(trimmed(text.substr(0, comma))));
    text.remove_prefix(std::min(text.size(), comma + 1));
  }
  return list;
}

/// Applies one variable after another.
class VariableReader {
 public:
  VariableReader(const Environment& environment, Settings& settings, Reader& reader,
                 Findings& findings)
      : environment_(environment),
        fields_(fields(settings)),
        reader_(reader),
        findings_(findings) {}

  void read(const std::string& name, const std::string& value) {
    const std::string source = "environment " + printable(name);
    const Field* const field = find(own_name(name));
    if (field != nullptr) return read_value(*field, source, value);
    if (name.ends_with(kFileSuffix)) {
      const Field* secret = find(name.substr(0, name.size() - kFileSuffix.size()));
      if (secret != nullptr && std::holds_alternative<Secret*>(secret->member)) {
        return read_secret_file(*secret, source, value);
      }
    }
    if (!is_service_link(name)) refuse_unknown(name, source);
  }

 private:
  const Field* find(std::string_view variable) const {
    const auto found = std::ranges::find_if(
        fields_, [&](const Field& field) { return variable_name(field.name) == variable; });
    return found == fields_.end() ? nullptr : &*found;
  }

  void read_value(const Field& field, const std::string& source, const std::string& value) {
    if (!is_list(field.member)) return reader_.read_variable(*raw_text(value), source, field);
    if (!is_list_of_objects(field.member)) {
      return reader_.read_variable(*split_by_commas(value), source, field);
    }
    const Result<YamlNode::Pointer, std::vector<YamlError>> parsed = parse_yaml(value);
    if (parsed) return reader_.read_variable(**parsed, source, field);
    for (const YamlError& error : parsed.error()) {
      findings_.add({.source = source, .mark = error.mark}, field.name, error.message);
    }
  }

  void read_secret_file(const Field& field, const std::string& source, const std::string& path) {
    std::optional<std::string> wrong;
    if (environment_.contains(variable_name(field.name))) {
      wrong = "is given in two ways; set " + variable_name(field.name) + " or " +
              variable_name(field.name) + std::string(kFileSuffix);
    } else if (const Result<Secret, std::string> secret = secret_from_file(path); !secret) {
      wrong = secret.error();
    } else {
      wrong = set_secret(field, secret->reveal());
    }
    findings_.remember(field.name, {.source = source, .mark = {}});
    if (wrong) findings_.add({.source = source, .mark = {}}, field.name, *wrong);
  }

  /// Other programs' variables may begin with our prefix; those that are near a field's, or begin
  /// as a section's, are meant for us.
  void refuse_unknown(const std::string& name, const std::string& source) {
    std::vector<std::string> names;
    bool in_section = false;
    for (const Field& field : fields_) {
      const std::size_t dot = field.name.find('.');
      in_section = in_section || (dot != std::string_view::npos &&
                                  name.starts_with(variable_name(field.name.substr(0, dot + 1))));
      names.push_back(variable_name(field.name).substr(kPrefix.size()));
      if (std::holds_alternative<Secret*>(field.member)) {
        names.push_back(names.back() + std::string(kFileSuffix));
      }
    }
    const std::optional<std::string> near = nearest(name.substr(kPrefix.size()), names);
    if (!near && !in_section) return;
    findings_.add({.source = source, .mark = {}}, "",
                  "no field has this variable" +
                      (near ? "; did you mean " + std::string(kPrefix) + *near + "?" : ""));
  }

  const Environment& environment_;
  const std::vector<Field> fields_;
  Reader& reader_;
  Findings& findings_;
};

}  // namespace

std::string variable_name(std::string_view field) {
  std::string name(kPrefix);
  for (const char c : field) {
    if (c == '.') {
      name.push_back('_');
    } else {
      name.push_back(c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
    }
  }
  return name;
}

void read_environment(const Environment& environment, Settings& settings, Reader& reader,
                      Findings& findings) {
  VariableReader variables(environment, settings, reader, findings);
  // In their order: Ambassador's comes first, so that ours wins.
  for (const auto& [name, value] : environment) {
    const bool theirs = own_name(name) != name && !value.empty();
    if (theirs || name.starts_with(kPrefix)) variables.read(name, value);
  }
}

}  // namespace gatehouse::config
