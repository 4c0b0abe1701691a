// The one table of what the configuration holds.
//
// fields(settings) binds the table to one Settings: each line names a field, points at its member
// and says what the member may hold. Parser, environment, `config show`, JSON Schema and the
// reference are loops over it. A new setting is a member in settings.h or gateway_settings.h and a
// line in fields.cc, gateway_fields.cc or route_fields.cc; a test fails if one of the two is
// missing.
#pragma once

#include <limits>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/settings.h"
#include "config/syntax.h"

namespace gatehouse::config {

/// A member is a value, a list of values, or a list of one of these objects.
template <class... Objects>
using MemberOf = std::variant<std::string*, Secret*, bool*, int*, unsigned*, std::size_t*, double*,
                              milliseconds*, seconds*, std::vector<std::string>*, std::vector<int>*,
                              std::vector<Objects>*...>;

/// Points at the member that holds the value; its present value in a default Settings is the
/// default.
using Member = MemberOf<Listen, Host, Route, TcpRoute, FieldMatch, FieldEdit, ErrorOverride,
                        RateLimit, HealthCheck, StatusRange, ClientSettings, StaticUser>;

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
/// A list of names and values, which may be written as a mapping from one to the other too.
struct Named {
  const Syntax* name = nullptr;  // the form of each entry's `name`
  bool may_append = false;       // false: its entries have no `append`
};
using Rule =
    std::variant<Anything, Form, OneOf, OneOfNumbers, Range, Bytes, Period, NotEmpty, Named>;

enum class Applies { kRestart, kReload };
enum class Presence { kOptional, kRequired };

struct Field {
  std::string name;  // dotted, within its object
  Member member;
  Rule rule;
  std::string_view doc;
  Presence presence = Presence::kOptional;
  Applies applies = Applies::kRestart;
};

std::vector<Field> fields(Settings& settings);
std::vector<Field> fields(Listen& listen);
std::vector<Field> fields(Host& host);
std::vector<Field> fields(Route& route);
std::vector<Field> fields(TcpRoute& route);
std::vector<Field> fields(FieldMatch& match);
std::vector<Field> fields(FieldEdit& edit);
std::vector<Field> fields(ErrorOverride& error);
std::vector<Field> fields(RateLimit& limit);
std::vector<Field> fields(HealthCheck& check);
std::vector<Field> fields(StatusRange& range);
std::vector<Field> fields(ClientSettings& client);
std::vector<Field> fields(StaticUser& user);

/// The fields of one entry of a list, by what the list's own rule says of its entries.
std::vector<Field> of_entry(std::vector<Field> fields, const Rule& list);

/// True for the type of a member that is a list of objects, each with fields of its own.
template <class Type>
inline constexpr bool kIsListOfObjects = false;
template <class Object>
inline constexpr bool kIsListOfObjects<std::vector<Object>> =
    requires(Object& object) { fields(object); };

bool is_list_of_objects(const Member& member);
/// True for a list of values and for a list of objects.
bool is_list(const Member& member);

}  // namespace gatehouse::config
