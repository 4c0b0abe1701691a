#include "config/ambassador/secrets.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/encoding.h"
#include "config/text.h"

namespace gatehouse::config::ambassador {
namespace {

const YamlNode* member(const YamlNode& mapping, std::string_view name) {
  for (const auto& [key, value] : mapping.entries) {
    if (key->kind == YamlNode::Kind::kScalar && key->text == name) return value.get();
  }
  return nullptr;
}

/// As the API server reads it: lines may be broken.
std::optional<std::string> decode(std::string text) {
  std::erase_if(text, [](char c) { return c == '\n' || c == '\r' || c == ' '; });
  return base64_decode(text);
}

/// `stringData` is what people write; `data` is what the API server gives.
std::optional<std::string> value_of(const Object& secret, std::string_view name) {
  for (const std::string_view section : {"stringData", "data"}) {
    const YamlNode* values = member(*secret.fields, section);
    const YamlNode* value = values != nullptr ? member(*values, name) : nullptr;
    if (value == nullptr || value->kind != YamlNode::Kind::kScalar) continue;
    return section == "data" ? decode(value->text) : value->text;
  }
  return std::nullopt;
}

bool has(const Object& secret, std::string_view name) {
  return std::ranges::any_of(std::initializer_list<std::string_view>{"stringData", "data"},
                             [&](std::string_view section) {
                               const YamlNode* values = member(*secret.fields, section);
                               return values != nullptr && member(*values, name) != nullptr;
                             });
}

}  // namespace

const Object* Secrets::find(const Name& name) const {
  const auto in = [&](std::string_view name_space, std::string_view own) -> const Object* {
    const auto found = objects_.secrets.find(std::string(name_space) + "/" + std::string(own));
    return found == objects_.secrets.end() ? nullptr : &found->second;
  };
  if (const Object* exact = in(name.name_space, name.name)) return exact;
  const std::size_t dot = name.name.rfind('.');
  if (!name.dotted || dot == std::string::npos) return nullptr;
  return in(std::string_view(name.name).substr(dot + 1),
            std::string_view(name.name).substr(0, dot));
}

Result<Secret, std::string> Secrets::pem(const Name& name,
                                         const std::vector<std::string_view>& members) const {
  const Object* secret = find(name);
  const std::string called = "Secret " + quote(name.name) + " of namespace " + name.name_space;
  if (secret == nullptr) return std::unexpected(called + " is not among the manifests");
  for (const std::string_view member : members) {
    if (!has(*secret, member)) continue;
    std::optional<std::string> text = value_of(*secret, member);
    const std::string what = called + ": " + std::string(member);
    if (!text) return std::unexpected(what + " is not base64");
    Secret out(std::move(*text));
    if (out.reveal().size() > kMaxSecretMemberBytes) {
      return std::unexpected(what + " is larger than " + std::to_string(kMaxSecretMemberBytes) +
                             " bytes");
    }
    if (out.reveal().find("-----BEGIN ") == std::string_view::npos) {
      return std::unexpected(what + " holds no PEM text (-----BEGIN …)");
    }
    return out;
  }
  return std::unexpected(called + " has no " + std::string(members.front()));
}

}  // namespace gatehouse::config::ambassador
