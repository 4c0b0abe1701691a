#include "config/findings.h"

#include <algorithm>
#include <string_view>
#include <tuple>
#include <utility>

#include "config/text.h"

namespace gatehouse::config {
namespace {

/// "gateway.routes[2].service" → "gateway.routes[2]" → "gateway.routes" → "gateway" → "".
std::string enclosing(const std::string& field) {
  const std::size_t end = field.find_last_of(".[");
  return end == std::string::npos ? "" : field.substr(0, end);
}

}  // namespace

void Findings::add(const Place& place, const std::string& field, std::string message) {
  problems_.push_back({.source = place.source,
                       .line = place.mark.line,
                       .column = place.mark.column,
                       .field = printable(field),
                       .message = std::move(message)});
}

void Findings::add_at_field(const std::string& field, std::string message) {
  // What is refused already has its default here: a second complaint would be about that.
  if (is_refused(field)) return;
  for (std::string at = field; !at.empty(); at = enclosing(at)) {
    const auto found = places_.find(at);
    if (found != places_.end()) return add(found->second, field, std::move(message));
  }
  add(file_, field, std::move(message));
}

bool Findings::is_refused(const std::string& field) const {
  return std::ranges::any_of(problems_, [&](const Problem& problem) {
    std::string_view of = problem.field;
    if (!of.starts_with(field)) return false;
    of.remove_prefix(field.size());
    return of.empty() || of.starts_with('[') || of == "_file" || of == "_env";
  });
}

void Findings::remember(const std::string& field, const Place& place) {
  places_.insert_or_assign(field, place);
}

std::vector<Problem> Findings::take() {
  const auto order = [this](const Problem& problem) {
    return std::tuple(problem.source != file_.source, problem.source, problem.line, problem.column,
                      problem.field, problem.message);
  };
  std::ranges::sort(problems_, {}, order);
  if (problems_.size() > kMostProblems) {
    const std::size_t more = problems_.size() - kMostProblems;
    problems_.resize(kMostProblems);
    add(file_, "", "and " + std::to_string(more) + " more problems");
  }
  return std::exchange(problems_, {});
}

}  // namespace gatehouse::config
