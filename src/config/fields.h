// The one table of what the configuration holds.
//
// fields(settings) binds the table to one Settings: each line names a field, points at its member
// and says what the member may hold. Parser, environment, `config show`, JSON Schema and the
// reference are loops over it. A new setting is a member in settings.h and a line here; a test
// fails if one of the two is missing.
#pragma once

#include <limits>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/settings.h"
#include "config/syntax.h"

namespace gatehouse::config {

/// Points at the member that holds the value; its present value in a default Settings is the
/// default.
using Member =
    std::variant<std::string*, Secret*, bool*, int*, unsigned*, std::size_t*, milliseconds*,
                 seconds*, std::vector<std::string>*, std::vector<Listen>*, std::vector<Route>*,
                 std::vector<ClientSettings>*, std::vector<StaticUser>*>;

/// No rule besides the type.
struct Anything {};
/// Text (or each member of a list of text) of one form. Empty text is refused unless it means
/// something.
struct Form {
  const Syntax* syntax = nullptr;
  bool may_be_empty = false;
};
struct OneOf {
  std::vector<std::string> values;
};
/// An integer out of a few.
struct OneOfNumbers {
  std::vector<int> values;
};
struct Range {
  long long min = 0;
  long long max = std::numeric_limits<int>::max();
  std::string_view unit;
};
struct Bytes {
  std::size_t min = 0;
  std::size_t max = 0;
};
struct Period {
  milliseconds min{0};
  milliseconds max{0};
  std::string_view zero;  // what 0 means; empty: 0 is outside the range
};
/// A list that must not be empty.
struct NotEmpty {};
using Rule = std::variant<Anything, Form, OneOf, OneOfNumbers, Range, Bytes, Period, NotEmpty>;

enum class Applies { kRestart, kReload };
enum class Presence { kOptional, kRequired };

struct Field {
  std::string_view name;  // dotted, within its object
  Member member;
  Rule rule;
  std::string_view doc;
  Presence presence = Presence::kOptional;
  Applies applies = Applies::kRestart;
};

std::vector<Field> fields(Settings& settings);
std::vector<Field> fields(Listen& listen);
std::vector<Field> fields(Route& route);
std::vector<Field> fields(ClientSettings& client);
std::vector<Field> fields(StaticUser& user);

/// True for a member that is a list of objects, each with fields of its own.
bool is_list_of_objects(const Member& member);

}  // namespace gatehouse::config
