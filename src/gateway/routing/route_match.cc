#include "gateway/routing/route_match.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "http/headers.h"

namespace gatehouse::gateway {
namespace {

std::unexpected<Error> invalid(std::string message) {
  return fail(ErrorCode::kInvalid, std::move(message));
}

Result<std::optional<Regex>> optional_regex(const std::string& pattern, std::string_view what,
                                            bool case_sensitive = true) {
  if (pattern.empty()) return std::optional<Regex>();
  Result<Regex> regex = Regex::make(pattern, case_sensitive);
  if (!regex) return std::unexpected(std::move(regex).error().in(what));
  return std::optional(std::move(*regex));
}

Result<std::vector<FieldMatch>> compile(const std::vector<config::FieldMatch>& settings,
                                        FieldMatch::Of of) {
  std::vector<FieldMatch> out;
  out.reserve(settings.size());
  for (const config::FieldMatch& one : settings) {
    Result<FieldMatch> match = FieldMatch::make(one, of);
    if (!match) return fail(std::move(match));
    out.push_back(std::move(*match));
  }
  std::ranges::sort(out, {}, &FieldMatch::key);
  return out;
}

std::optional<Mismatch> first_mismatch(const std::vector<FieldMatch>& fields,
                                       const http::Request& request, Mismatch::Of of) {
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const FieldMatch::Outcome outcome = fields[i].test(request);
    if (outcome != FieldMatch::Outcome::kMatches) return Mismatch{of, i, outcome};
  }
  return std::nullopt;
}

std::string join(const std::vector<std::string>& parts, std::string_view between) {
  std::string out;
  for (const std::string& part : parts) {
    if (!out.empty()) out += between;
    out += part;
  }
  return out;
}

}  // namespace

bool RouteMatch::is_case_sensitive(const config::Route& route) {
  return route.case_sensitive || !has_letter(route.prefix);
}

Result<RouteMatch> RouteMatch::make(const config::Route& route, bool with_any_case) {
  RouteMatch out;
  out.precedence_ = route.precedence;
  Result<void> done = out.set_host(route);
  if (done) done = out.set_path(route, with_any_case);
  if (done) done = out.set_method(route);
  if (done) done = out.set_fields(route);
  if (!done) return fail(std::move(done));
  return out;
}

Result<void> RouteMatch::set_host(const config::Route& route) {
  if (!route.host.empty() && !route.host_regex.empty()) {
    return invalid("host and host_regex cannot both be given");
  }
  std::optional<HostPattern> host = HostPattern::parse(route.host);
  if (!host) {
    return invalid(
        "host must be a name without port, \"*.\" and a name, a name and \".*\", or "
        "nothing");
  }
  host_ = std::move(*host);
  // Hosts come in lower case, whatever the client wrote.
  Result<std::optional<Regex>> regex = optional_regex(route.host_regex, "host_regex", false);
  if (!regex) return fail(std::move(regex));
  host_regex_ = std::move(*regex);
  host_pattern_ = route.host_regex;
  return {};
}

Result<void> RouteMatch::set_path(const config::Route& route, bool with_any_case) {
  const std::optional<PrefixMode> mode = parse_prefix_mode(route.match);
  if (!mode) return invalid("match must be segment, string, exact or regex");
  mode_ = *mode;
  case_sensitive_ = is_case_sensitive(route);
  prefix_ = mode_ == PrefixMode::kRegex ? route.prefix : upper_escapes(route.prefix);
  if (mode_ != PrefixMode::kRegex) {
    if (is_normal_path(route.prefix)) return {};
    return invalid(
        "prefix must be a path without escapes of plain letters, \"//\", \"..\" or a "
        "query");
  }
  if (prefix_.empty()) return invalid("prefix must not be empty");
  Result<std::optional<Regex>> regex = optional_regex(prefix_, "prefix", case_sensitive_);
  if (!regex) return fail(std::move(regex));
  path_regex_ = std::move(*regex);
  if (!case_sensitive_ || !with_any_case) return {};
  regex = optional_regex(prefix_, "prefix", false);
  if (!regex) return fail(std::move(regex));
  path_regex_any_case_ = std::move(*regex);
  return {};
}

Result<void> RouteMatch::set_method(const config::Route& route) {
  if (!route.methods.empty() && !route.method_regex.empty()) {
    return invalid("methods and method_regex cannot both be given");
  }
  methods_ = route.methods;
  std::ranges::sort(methods_);
  const auto repeated = std::ranges::unique(methods_);
  methods_.erase(repeated.begin(), repeated.end());
  for (const std::string& method : methods_) {
    if (!http::is_token(method)) return invalid("\"" + method + "\" is not a method");
  }
  method_ = methods_.empty() ? route.method_regex : join(methods_, ",");
  Result<std::optional<Regex>> regex = optional_regex(route.method_regex, "method_regex");
  if (!regex) return fail(std::move(regex));
  method_regex_ = std::move(*regex);
  return {};
}

Result<void> RouteMatch::set_fields(const config::Route& route) {
  Result<std::vector<FieldMatch>> headers = compile(route.headers, FieldMatch::Of::kHeader);
  if (!headers) return fail(std::move(headers));
  headers_ = std::move(*headers);
  Result<std::vector<FieldMatch>> query = compile(route.query, FieldMatch::Of::kQuery);
  if (!query) return fail(std::move(query));
  query_ = std::move(*query);
  return {};
}

void RouteMatch::set_selected(std::vector<bool> selected) {
  selected_ = std::move(selected);
}

bool RouteMatch::matches_path(const Subject& subject) const {
  if (mode_ != PrefixMode::kRegex) {
    return has_prefix(subject.path, prefix_, mode_, case_sensitive_ && !subject.any_case);
  }
  const bool other = subject.any_case && path_regex_any_case_;
  return (other ? path_regex_any_case_ : path_regex_)->matches(subject.path);
}

bool RouteMatch::matches_method(std::string_view method) const {
  if (method_regex_) return method_regex_->matches(method);
  return methods_.empty() || std::ranges::find(methods_, method) != methods_.end();
}

std::optional<Mismatch> RouteMatch::mismatch(const Subject& subject) const {
  using Of = Mismatch::Of;
  if (!matches_path(subject)) return Mismatch{Of::kPath};
  if (host_regex_ && !host_regex_->matches(subject.host)) return Mismatch{Of::kHost};
  if (subject.selector != Subject::kNoSelector && !selected_[subject.selector]) {
    return Mismatch{Of::kLabel};
  }
  if (!matches_method(subject.request.method)) return Mismatch{Of::kMethod};
  if (const auto header = first_mismatch(headers_, subject.request, Of::kHeader)) return header;
  return first_mismatch(query_, subject.request, Of::kQuery);
}

std::string RouteMatch::describe(const Mismatch& mismatch, const Subject& subject) const {
  switch (mismatch.of) {
    case Mismatch::Of::kPath:
      return (mode_ == PrefixMode::kRegex   ? "regular expression "
              : mode_ == PrefixMode::kExact ? "path "
                                            : "prefix ") +
             prefix_ + " does not match " + std::string(subject.path);
    case Mismatch::Of::kHost:
      return "host does not match " + host_pattern_;
    case Mismatch::Of::kLabel:
      return "its labels are not those that the host's route_selector asks for";
    case Mismatch::Of::kMethod: {
      const std::string method = "method " + subject.request.method;
      if (method_regex_) return method + " does not match " + method_;
      return method + " is not " + join(methods_, " or ");
    }
    case Mismatch::Of::kHeader:
      return headers_[mismatch.field].describe(mismatch.outcome);
    case Mismatch::Of::kQuery:
      break;
  }
  return query_[mismatch.field].describe(mismatch.outcome);
}

std::string RouteMatch::key() const {
  std::string out = host_.str() + '\0' + host_pattern_ + '\0' + prefix_ + '\0';
  out.push_back(static_cast<char>('0' + static_cast<int>(mode_)));
  out.push_back(case_sensitive_ ? 's' : 'i');
  out += std::to_string(precedence_);
  out.push_back(method_regex_ ? 'r' : 'm');
  out += method_ + '\0';
  for (const FieldMatch& header : headers_) out += "h" + header.key();
  for (const FieldMatch& parameter : query_) out += "q" + parameter.key();
  out.push_back('\0');
  for (const bool selected : selected_) out.push_back(selected ? '1' : '0');
  return out;
}

bool RouteMatch::before(const RouteMatch& other) const {
  const auto rank = [](const RouteMatch& m) {
    return std::tuple(m.precedence_, m.prefix_.size(), m.headers_.size(), m.query_.size(),
                      m.case_sensitive_, -static_cast<int>(m.mode_));
  };
  const auto text = [](const RouteMatch& m) { return std::tie(m.prefix_, m.method_); };
  if (const auto order = rank(*this) <=> rank(other); order != 0) return order > 0;
  return text(*this) > text(other);
}

}  // namespace gatehouse::gateway
