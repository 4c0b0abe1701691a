#include "gateway/filters/header_edits.h"

#include <algorithm>
#include <utility>

#include "gateway/field_names.h"

namespace gatehouse::gateway {
namespace {

constexpr std::string_view kInternalPrefix = "x-gatehouse-";

std::unexpected<Error> bad(std::string_view name, std::string_view why) {
  return fail(ErrorCode::kInvalid, "header \"" + std::string(name) + "\" " + std::string(why));
}

Result<void> check_name(std::string_view name, const std::vector<std::string>& managed) {
  if (!http::is_token(name)) return bad(name, "is no header name");
  if (folds_to(name, "host")) return bad(name, "is changed by host_rewrite");
  if (is_framing_field(name)) return bad(name, "frames the message and cannot be edited");
  const bool ours = fold_begins_with(name, kInternalPrefix) ||
                    std::ranges::any_of(managed, [name](const std::string& other) {
                      return folds_to(name, folded(other));
                    });
  if (ours) {
    return bad(name,
               "is managed: only the authorizer may set it, or it could be forged; take it out of "
               "managed_headers or out of this list");
  }
  return {};
}

}  // namespace

Result<HeaderEdits> HeaderEdits::make(Of of, const Settings& settings) {
  HeaderEdits out;
  out.of_ = of;
  for (const std::string& name : settings.remove) {
    const Result<void> good = check_name(name, settings.managed_headers);
    if (!good) return std::unexpected(good.error());
    out.removals_.push_back({name, folded(name)});
  }
  const Format::Options options{
      .use = of == Of::kRequest ? Format::Use::kRequestField : Format::Use::kResponseField,
      .private_fields = settings.private_fields,
      .hostname = settings.hostname};
  for (const config::FieldEdit& edit : settings.add) {
    const Result<void> good = check_name(edit.name, settings.managed_headers);
    if (!good) return std::unexpected(good.error());
    Result<Format> value = Format::parse(edit.value, options);
    if (!value) return bad(edit.name, "has a value that cannot be: " + value.error().message);
    out.additions_.push_back({edit.name, folded(edit.name), *std::move(value), edit.append});
  }
  return out;
}

void HeaderEdits::apply(http::Headers& headers, const FormatContext& context) const {
  if (empty()) return;
  // All before the first change. No value holds a line feed, so that one ends each.
  std::string lines;
  for (const Addition& addition : additions_) {
    if (addition.value.constant() != nullptr) continue;
    addition.value.append(lines, context);
    lines.push_back('\n');
  }
  for (const Removal& removal : removals_) remove(headers, removal.name, removal.folded_name);
  std::string_view rest = lines;
  for (const Addition& addition : additions_) {
    const std::string* const constant = addition.value.constant();
    std::string_view value = constant != nullptr ? *constant : std::string_view();
    if (constant == nullptr) {
      value = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(value.size() + 1);
      value = http::trim(value);
    }
    if (!addition.append) remove(headers, addition.name, addition.folded_name);
    if (!value.empty()) headers.add(addition.name, value);
  }
}

void HeaderEdits::remove(http::Headers& headers, const std::string& name,
                         const std::string& folded_name) const {
  if (of_ == Of::kResponse) {
    headers.remove(name);
    return;
  }
  headers.remove_if(
      [&folded_name](http::Field field) { return folds_to(field.name, folded_name); });
}

}  // namespace gatehouse::gateway
