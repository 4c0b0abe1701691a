// The table and settings.h must say the same.
#include "config/fields.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <type_traits>
#include <utility>

#include "config/config.h"
#include "config/environment.h"
#include "config/value.h"

namespace gatehouse::config {
namespace {

/// Initialises any member.
struct AnyValue {
  template <class T>
  operator T() const;  // NOLINT(google-explicit-constructor)
};

template <class T, std::size_t... kIndexes>
constexpr bool takes(std::index_sequence<kIndexes...>) {
  return requires { T{(static_cast<void>(kIndexes), AnyValue{})...}; };
}

/// How many members an aggregate has: how many values it can be initialised with.
template <class T, std::size_t kCount = 64>
constexpr std::size_t member_count() {
  if constexpr (takes<T>(std::make_index_sequence<kCount>())) {
    return kCount;
  } else {
    return member_count<T, kCount - 1>();
  }
}

struct ThreeMembers {
  std::string one;
  Tls two;
  std::vector<Listen> three = {{}};
};
static_assert(member_count<ThreeMembers>() == 3);

/// The names that stand directly below `section`, which ends with a dot unless it is empty.
std::set<std::string> names_below(const std::vector<Field>& fields, std::string_view section) {
  std::set<std::string> names;
  for (const Field& field : fields) {
    if (!field.name.starts_with(section)) continue;
    const std::string_view rest = std::string_view(field.name).substr(section.size());
    names.emplace(rest.substr(0, rest.find('.')));
  }
  return names;
}

void expect_members_listed(const std::vector<Field>& fields, std::string_view section,
                           std::size_t members) {
  EXPECT_EQ(names_below(fields, section).size(), members)
      << "the struct behind \"" << section << "\" and the table differ: a member has no line, or a "
      << "line no member";
}

template <class Struct>
void expect_every_member_listed(const std::vector<Field>& fields, std::string_view section) {
  expect_members_listed(fields, section, member_count<Struct>());
}

/// The members of an Upstream stand in what holds it, and those of its UpstreamTls too.
constexpr std::size_t kUpstreamMembers = member_count<Upstream>() - 1 + member_count<UpstreamTls>();

TEST(FieldTableTest, HasALineForEachMemberOfTheSettings) {
  Settings settings;
  const std::vector<Field> all = fields(settings);
  expect_every_member_listed<Settings>(all, "");
  expect_every_member_listed<Log>(all, "log.");
  expect_every_member_listed<StoreSettings>(all, "store.");
  expect_every_member_listed<Operations>(all, "operations.");
  expect_every_member_listed<Gateway>(all, "gateway.");
  expect_members_listed(all, "gateway.authorizer.",
                        member_count<AuthorizerSettings>() - 1 + member_count<UpstreamTls>());
  expect_every_member_listed<CircuitBreakers>(all, "gateway.authorizer.circuit_breakers.");
  expect_every_member_listed<Limits>(all, "gateway.limits.");
  expect_every_member_listed<Compression>(all, "gateway.compression.");
  expect_every_member_listed<AccessLog>(all, "gateway.access_log.");
  expect_every_member_listed<Tracing>(all, "gateway.tracing.");
  expect_every_member_listed<Gatekeeper>(all, "gatekeeper.");
  expect_every_member_listed<Identity>(all, "identity.");
  expect_every_member_listed<Passwords>(all, "identity.passwords.");
}

template <class Object>
void expect_object_listed() {
  Object object;
  expect_every_member_listed<Object>(fields(object), "");
}

TEST(FieldTableTest, HasALineForEachMemberOfTheObjectsInLists) {
  expect_object_listed<Listen>();
  expect_object_listed<Host>();
  expect_object_listed<FieldMatch>();
  expect_object_listed<FieldEdit>();
  expect_object_listed<ErrorOverride>();
  expect_object_listed<RateLimit>();
  expect_object_listed<HealthCheck>();
  expect_object_listed<StatusRange>();
  expect_object_listed<ClientSettings>();
  expect_object_listed<StaticUser>();
  Listen listen;
  expect_every_member_listed<Tls>(fields(listen), "tls.");
  Host host;
  expect_every_member_listed<Tls>(fields(host), "tls.");
}

TEST(FieldTableTest, HasALineForEachMemberOfARoute) {
  Route route;
  const std::vector<Field> all = fields(route);
  // `origin` is where the route stands, not what it says; `upstream` stands for its members.
  expect_members_listed(all, "", member_count<Route>() - 2 + kUpstreamMembers);
  expect_every_member_listed<Redirect>(all, "redirect.");
  expect_every_member_listed<Cors>(all, "cors.");
  expect_every_member_listed<RetryPolicy>(all, "retry.");
  expect_every_member_listed<LoadBalancer>(all, "load_balancer.");
  expect_every_member_listed<CircuitBreakers>(all, "circuit_breakers.");
  expect_every_member_listed<OutlierDetection>(all, "outlier_detection.");
}

TEST(FieldTableTest, HasALineForEachMemberOfATcpRouteThatMeansSomethingToBytes) {
  TcpRoute route;
  const std::vector<Field> all = fields(route);
  // protocol, pool_idle_timeout and connection_lifetime are of requests; the rest as of a Route.
  expect_members_listed(all, "", member_count<TcpRoute>() - 2 + kUpstreamMembers - 3);
  expect_every_member_listed<Tls>(all, "tls.");
}

/// Gives the member another value.
struct Perturb {
  void operator()(std::string* text) const { *text += "x"; }
  void operator()(Secret* secret) const { *secret = Secret("x"); }
  void operator()(bool* value) const { *value = !*value; }
  template <class Element>
  void operator()(std::vector<Element>* list) const {
    list->emplace_back();
  }
  template <class Number>
  void operator()(Number* number) const {
    *number += Number(1);
  }
};

TEST(FieldTableTest, EachLineIsAMemberOfItsOwnThatShowPrints) {
  const std::string before = show(Settings{});
  Settings probe;
  const std::size_t count = fields(probe).size();
  std::set<std::string> shown;
  for (std::size_t i = 0; i < count; ++i) {
    Settings settings;
    const std::vector<Field> all = fields(settings);
    std::visit(Perturb{}, all[i].member);
    const std::string after = show(settings);
    EXPECT_NE(after, before) << all[i].name;
    EXPECT_TRUE(shown.insert(after).second) << all[i].name << " is another line's member";
  }
}

template <class Object>
void expect_lines_of_their_own() {
  Object probe;
  const std::size_t count = fields(probe).size();
  for (std::size_t changed = 0; changed < count; ++changed) {
    Object object;
    Object untouched;
    const std::vector<Field> all = fields(object);
    const std::vector<Field> defaults = fields(untouched);
    std::visit(Perturb{}, all[changed].member);
    for (std::size_t i = 0; i < count; ++i) {
      EXPECT_EQ(same_value(all[i], defaults[i]), i != changed)
          << all[changed].name << " and " << all[i].name << " are one member";
    }
  }
}

TEST(FieldTableTest, EachLineOfAnObjectInAListIsAMemberOfItsOwn) {
  expect_lines_of_their_own<Listen>();
  expect_lines_of_their_own<Host>();
  expect_lines_of_their_own<Route>();
  expect_lines_of_their_own<TcpRoute>();
  expect_lines_of_their_own<ErrorOverride>();
  expect_lines_of_their_own<RateLimit>();
  expect_lines_of_their_own<HealthCheck>();
}

TEST(FieldTableTest, NamesAndVariablesAreUnique) {
  Settings settings;
  std::set<std::string> names;
  std::set<std::string> variables;
  for (const Field& field : fields(settings)) {
    EXPECT_TRUE(names.emplace(field.name).second) << field.name;
    EXPECT_TRUE(variables.insert(variable_name(field.name)).second) << field.name;
    if (std::holds_alternative<Secret*>(field.member)) {
      EXPECT_TRUE(variables.insert(variable_name(field.name) + "_FILE").second) << field.name;
    }
  }
}

/// A rule must fit its member's type: value.cc relies on it.
struct RuleFits {
  const Rule& rule;
  template <class... Rules>
  bool is_one_of() const {
    return (std::holds_alternative<Rules>(rule) || ...);
  }
  bool operator()(std::string*) const { return is_one_of<Form, OneOf>(); }
  bool operator()(Secret*) const { return is_one_of<Form>(); }
  bool operator()(bool*) const { return is_one_of<Anything>(); }
  bool operator()(std::size_t*) const { return is_one_of<Range, Bytes>(); }
  bool operator()(int*) const { return is_one_of<Range, OneOfNumbers>(); }
  bool operator()(unsigned*) const { return is_one_of<Range>(); }
  bool operator()(milliseconds*) const { return is_one_of<Period>(); }
  bool operator()(seconds*) const { return is_one_of<Period>(); }
  bool operator()(double*) const { return is_one_of<Range>(); }
  bool operator()(std::vector<std::string>*) const { return is_one_of<Form, OneOf>(); }
  bool operator()(std::vector<int>*) const { return is_one_of<Range, OneOfNumbers>(); }
  template <class Object>
  bool operator()(std::vector<Object>*) const {
    return is_one_of<Anything, NotEmpty, Named>();
  }
};

void expect_documented_and_fitting(const std::vector<Field>& table, const std::string& object) {
  for (const Field& field : table) {
    EXPECT_TRUE(std::visit(RuleFits{field.rule}, field.member)) << object << field.name;
    EXPECT_TRUE(field.doc.ends_with('.')) << object << field.name;
    std::visit(
        [&](auto* member) {
          if constexpr (kIsListOfObjects<std::remove_pointer_t<decltype(member)>>) {
            typename std::remove_pointer_t<decltype(member)>::value_type entry;
            expect_documented_and_fitting(of_entry(fields(entry), field.rule),
                                          object + field.name + "[].");
          }
        },
        field.member);
  }
}

TEST(FieldTableTest, EachLineIsDocumentedAndItsRuleFitsItsType) {
  Settings settings;
  expect_documented_and_fitting(fields(settings), "");
}

}  // namespace
}  // namespace gatehouse::config
