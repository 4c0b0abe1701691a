#include "config/ambassador/report.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "config/ambassador/manifests.h"
#include "config/text.h"

namespace gatehouse::config::ambassador {

Mark Subject::place(const Mark& mark) const {
  if (whole.line > 0) return whole;
  if (mark.line == 0) return mark;
  return {.line = mark.line + lines, .column = mark.column + columns};
}

void Report::problem(const Subject& subject, const Mark& mark, std::string_view field,
                     std::string message) {
  add(problems_, subject, mark, field, std::move(message));
}

void Report::warning(const Subject& subject, const Mark& mark, std::string_view field,
                     std::string message) {
  add(warnings_, subject, mark, field, std::move(message));
}

void Report::say_that_it_stays(std::size_t known) {
  for (std::size_t i = known; i < problems_.list.size(); ++i) {
    problems_.list[i].message += "; its last good version stays in force";
  }
}

bool Report::has_room_for_warnings() const {
  return warnings_.list.size() < kMostFindings;
}

void Report::add(Findings& findings, const Subject& subject, const Mark& mark,
                 std::string_view field, std::string message) {
  if (findings.list.size() == kMostFindings) {
    ++findings.more;
    return;
  }
  std::string where = subject.name;
  if (!where.empty() && !field.empty()) where += ' ';
  where += field;
  const Mark place = subject.place(mark);
  findings.list.push_back({.source = subject.file,
                           .line = place.line,
                           .column = place.column,
                           .field = printable(where, 400),
                           .message = std::move(message)});
}

std::vector<Problem> Report::take_problems() {
  return take(problems_, "problems");
}

std::vector<Problem> Report::take_warnings() {
  return take(warnings_, "warnings");
}

std::vector<Problem> Report::take(Findings& findings, std::string_view what) {
  std::ranges::sort(findings.list, {}, [](const Problem& problem) {
    return std::tie(problem.source, problem.line, problem.column, problem.field, problem.message);
  });
  if (findings.more > 0) {
    findings.list.push_back(
        {.source = "manifests",
         .message = "and " + std::to_string(findings.more) + " more " + std::string(what)});
    findings.more = 0;
  }
  return std::exchange(findings.list, {});
}

}  // namespace gatehouse::config::ambassador
