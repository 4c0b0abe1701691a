#include "gateway/routing/field_match.h"

#include <algorithm>
#include <utility>

#include "http/headers.h"
#include "http/percent.h"

namespace gatehouse::gateway {
namespace {

/// The values met under one name. Keeps a copy only if there are several, or one was decoded.
class Values {
 public:
  void add(std::string_view value) {
    if (!found_) {
      first_ = value;
    } else {
      if (joined_.empty()) joined_ = first_;
      joined_.append(",").append(value);
      copied_ = true;
    }
    found_ = true;
  }
  void add_decoded(std::string_view value) {
    if (!value.contains('%')) return add(value);
    const std::string decoded = http::decode_what_can_be(value);
    if (found_) return add(decoded);
    joined_ = decoded;
    copied_ = found_ = true;
    first_ = joined_;
  }
  std::optional<std::string_view> get() const {
    if (!found_) return std::nullopt;
    return copied_ ? std::string_view(joined_) : first_;
  }

 private:
  bool found_ = false;
  bool copied_ = false;
  std::string_view first_;
  std::string joined_;
};

void collect_headers(const http::Request& request, std::string_view name, Values& values) {
  if (name == "host" || name == ":authority") {
    if (!request.authority.empty()) values.add(request.authority);
    return;
  }
  for (const http::Field field : request.headers) {
    if (http::equal_ignoring_case(field.name, name)) values.add(field.value);
  }
}

bool is_named(std::string_view encoded, std::string_view name) {
  if (!encoded.contains('%')) return encoded == name;
  return http::decode_what_can_be(encoded) == name;
}

void collect_parameters(std::string_view query, std::string_view name, Values& values) {
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    const std::size_t equals = std::min(pair.find('='), pair.size());
    if (pair.empty() || !is_named(pair.substr(0, equals), name)) continue;
    values.add_decoded(pair.substr(std::min(equals + 1, pair.size())));
  }
}

}  // namespace

Result<FieldMatch> FieldMatch::make(const config::FieldMatch& settings, Of of) {
  FieldMatch out;
  out.of_ = of;
  out.name_ = of == Of::kHeader ? http::lower_case(settings.name) : settings.name;
  const std::string at =
      std::string(of == Of::kHeader ? "header" : "query parameter") + " \"" + settings.name + "\"";
  if (out.name_.empty() ||
      (of == Of::kHeader && out.name_ != ":authority" && !http::is_token(out.name_))) {
    return fail(ErrorCode::kInvalid, at + ": that is not a name");
  }
  if (!settings.value.empty() && !settings.regex.empty()) {
    return fail(ErrorCode::kInvalid, at + ": give a value or a regular expression, not both");
  }
  out.value_ = settings.value;
  out.pattern_ = settings.regex;
  if (!settings.regex.empty()) {
    Result<Regex> regex = Regex::make(settings.regex);
    if (!regex) return std::unexpected(std::move(regex).error().in(at));
    out.regex_ = std::move(*regex);
  }
  out.key_ = out.name_ + '\0' + out.value_ + '\0' + out.pattern_ + '\0';
  return out;
}

FieldMatch::Outcome FieldMatch::test(const http::Request& request) const {
  Values values;
  if (of_ == Of::kHeader) {
    collect_headers(request, name_, values);
  } else {
    collect_parameters(request.target.query(), name_, values);
  }
  return compare(values.get());
}

FieldMatch::Outcome FieldMatch::compare(std::optional<std::string_view> value) const {
  if (!value) return Outcome::kMissing;
  const bool good = regex_ ? regex_->matches(*value) : value_.empty() || *value == value_;
  return good ? Outcome::kMatches : Outcome::kOtherValue;
}

std::string FieldMatch::describe(Outcome outcome) const {
  std::string out = of_ == Of::kHeader ? "header " : "query parameter ";
  out += name_;
  if (outcome == Outcome::kMissing) return out + " is missing";
  if (outcome == Outcome::kMatches) return out + " matches";
  if (regex_) return out + " does not match " + pattern_;
  return out + " is not \"" + value_ + "\"";
}

}  // namespace gatehouse::gateway
