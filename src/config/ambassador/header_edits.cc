#include "config/ambassador/header_edits.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "config/text.h"
#include "http/headers.h"

namespace gatehouse::config::ambassador {
namespace {

constexpr std::size_t kMaxHeaderValueBytes = std::size_t{8} * 1024;

bool frames_the_message(std::string_view name) {
  constexpr std::array<std::string_view, 10> kFraming{
      "connection", "content-length", "transfer-encoding", "te",   "trailer",
      "upgrade",    "keep-alive",     "proxy-connection",  "host", "http2-settings"};
  return std::ranges::any_of(
      kFraming, [&](std::string_view framing) { return http::equal_ignoring_case(framing, name); });
}

/// CGI and its heirs read a_b and a-b as one.
bool could_be_taken_for(std::string_view name, std::string_view managed) {
  return std::ranges::equal(name, managed, [](char a, char b) {
    const auto plain = [](char c) {
      if (c == '_') return '-';
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    };
    return plain(a) == plain(b);
  });
}

std::optional<std::string> why_not(std::string_view name, const std::vector<std::string>& managed) {
  if (!http::is_token(name)) return "a header's name must be a token (RFC 9110, section 5.6.2)";
  if (http::equal_ignoring_case(name, "host")) return "Host is set by host_rewrite";
  if (frames_the_message(name)) return "this header frames the message and cannot be set";
  if (std::ranges::any_of(
          managed, [&](const std::string& header) { return could_be_taken_for(name, header); })) {
    return "this header carries the user's identity, which only the gateway sets";
  }
  return std::nullopt;
}

/// The text, or {value, append}. Ambassador appends unless it is told otherwise.
FieldEdit read_edit(FieldReader& fields, std::string_view field, std::string name,
                    const YamlNode& node) {
  FieldEdit out{.name = std::move(name), .append = true};
  if (node.kind == YamlNode::Kind::kMapping) {
    FieldReader edit = fields.at(node, std::string(field) + "." + out.name);
    const std::optional<std::string> value = edit.text("value");
    if (!value && !edit.has("value")) edit.problem("value", "is missing");
    out.value = value.value_or("");
    out.append = edit.boolean("append").value_or(true);
    edit.accept({"v2Representation"});
    edit.finish();
  } else {
    out.value = fields.text_of(node, std::string(field) + "." + out.name).value_or("");
  }
  return out;
}

}  // namespace

std::vector<FieldEdit> read_header_edits(FieldReader& fields, std::string_view name,
                                         const std::vector<std::string>& managed) {
  std::vector<FieldEdit> out;
  for (auto& [header, node] : fields.entries(name)) {
    if (const std::optional<std::string> reason = why_not(header, managed)) {
      fields.problem(*node, name, quote(header) + ": " + *reason);
      continue;
    }
    if (node->kind == YamlNode::Kind::kNull) continue;
    out.push_back(read_edit(fields, name, header, *node));
    if (out.back().value.size() > kMaxHeaderValueBytes) {
      fields.problem(*node, name,
                     quote(header) + ": the value is longer than " +
                         std::to_string(kMaxHeaderValueBytes) + " bytes");
    }
  }
  return out;
}

std::vector<std::string> read_header_names(FieldReader& fields, std::string_view name) {
  std::vector<std::string> out = fields.texts(name).value_or(std::vector<std::string>{});
  for (const std::string& header : out) {
    if (!http::is_token(header)) {
      fields.problem(name, quote(header) + ": a header's name must be a token");
    } else if (frames_the_message(header)) {
      fields.problem(name, quote(header) + ": this header frames the message and cannot go");
    }
  }
  return out;
}

std::vector<FieldEdit> read_text_members(FieldReader& fields, std::string_view name) {
  std::vector<FieldEdit> out;
  for (auto& [key, node] : fields.entries(name)) {
    if (!is_one_line(key)) {
      fields.problem(*node, name, "a name must be one line of text without control characters");
      continue;
    }
    const std::optional<std::string> value = fields.text_of(*node, name);
    if (value) out.push_back({.name = key, .value = *value});
  }
  return out;
}

}  // namespace gatehouse::config::ambassador
