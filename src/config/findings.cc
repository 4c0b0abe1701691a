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

Problem problem_at(const Place& place, const std::string& field, std::string message) {
  return {.source = place.source,
          .line = place.mark.line,
          .column = place.mark.column,
          .field = printable(field),
          .message = std::move(message)};
}

}  // namespace

void Findings::add(const Place& place, const std::string& field, std::string message) {
  problems_.push_back(problem_at(place, field, std::move(message)));
}

void Findings::add_at_field(const std::string& field, std::string message) {
  // What is refused already has its default here: a second complaint would be about that.
  if (is_refused(field)) return;
  add(place_of(field), field, std::move(message));
}

void Findings::warn_at_field(const std::string& field, std::string message) {
  warnings_.push_back(problem_at(place_of(field), field, std::move(message)));
}

const Place& Findings::place_of(const std::string& field) const {
  for (std::string at = field; !at.empty(); at = enclosing(at)) {
    const auto found = places_.find(at);
    if (found != places_.end()) return found->second;
  }
  return file_;
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

void Findings::forget_entries(const std::string& list) {
  constexpr char kBehindBracket = '[' + 1;
  places_.erase(places_.lower_bound(list + '['), places_.lower_bound(list + kBehindBracket));
}

std::vector<Problem> Findings::take_problems() {
  return take(problems_);
}

std::vector<Problem> Findings::take_warnings() {
  return take(warnings_);
}

std::vector<Problem> Findings::take(std::vector<Problem>& all) const {
  const auto order = [this](const Problem& problem) {
    return std::tuple(problem.source != file_.source, problem.source, problem.line, problem.column,
                      problem.field, problem.message);
  };
  std::ranges::sort(all, {}, order);
  if (all.size() > kMostProblems) {
    const std::size_t more = all.size() - kMostProblems;
    all.resize(kMostProblems);
    all.push_back(problem_at(file_, "", "and " + std::to_string(more) + " more problems"));
  }
  return std::exchange(all, {});
}

}  // namespace gatehouse::config
