// The table and settings.h must say the same.
#include "config/fields.h"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>
#include <utility>

#include "config/config.h"
#include "config/environment.h"

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
template <class T, std::size_t kCount = 40>
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
    const std::string_view rest = field.name.substr(section.size());
    names.emplace(rest.substr(0, rest.find('.')));
  }
  return names;
}

template <class Struct>
void expect_every_member_listed(const std::vector<Field>& fields, std::string_view section) {
  EXPECT_EQ(names_below(fields, section).size(), member_count<Struct>())
      << "the struct behind \"" << section << "\" in src/config/settings.h and the table in "
      << "src/config/fields.cc differ: a member has no line, or a line no member";
}

TEST(FieldTableTest, HasALineForEachMemberOfTheSettings) {
  Settings settings;
  const std::vector<Field> all = fields(settings);
  expect_every_member_listed<Settings>(all, "");
  expect_every_member_listed<Log>(all, "log.");
  expect_every_member_listed<StoreSettings>(all, "store.");
  expect_every_member_listed<Operations>(all, "operations.");
  expect_every_member_listed<Gateway>(all, "gateway.");
  expect_every_member_listed<AuthorizerSettings>(all, "gateway.authorizer.");
  expect_every_member_listed<Limits>(all, "gateway.limits.");
  expect_every_member_listed<Gatekeeper>(all, "gatekeeper.");
  expect_every_member_listed<Identity>(all, "identity.");
  expect_every_member_listed<Passwords>(all, "identity.passwords.");
}

TEST(FieldTableTest, HasALineForEachMemberOfTheObjectsInLists) {
  Listen listen;
  expect_every_member_listed<Listen>(fields(listen), "");
  expect_every_member_listed<Tls>(fields(listen), "tls.");
  Route route;
  expect_every_member_listed<Route>(fields(route), "");
  ClientSettings client;
  expect_every_member_listed<ClientSettings>(fields(client), "");
  StaticUser user;
  expect_every_member_listed<StaticUser>(fields(user), "");
}

/// Gives the member another value.
struct Perturb {
  void operator()(std::string* text) const { *text += "x"; }
  void operator()(Secret* secret) const { *secret = Secret("x"); }
  void operator()(bool* value) const { *value = !*value; }
  void operator()(std::vector<std::string>* list) const { list->emplace_back("x"); }
  template <class Object>
  void operator()(std::vector<Object>* list) const {
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
  bool operator()(std::vector<std::string>*) const { return is_one_of<Form>(); }
  template <class Object>
  bool operator()(std::vector<Object>*) const {
    return is_one_of<Anything, NotEmpty>();
  }
};

TEST(FieldTableTest, EachLineIsDocumentedAndItsRuleFitsItsType) {
  Settings settings;
  Listen listen;
  Route route;
  ClientSettings client;
  StaticUser user;
  for (const auto& table :
       {fields(settings), fields(listen), fields(route), fields(client), fields(user)}) {
    for (const Field& field : table) {
      EXPECT_TRUE(std::visit(RuleFits{field.rule}, field.member)) << field.name;
      EXPECT_TRUE(field.doc.ends_with('.')) << field.name;
    }
  }
}

}  // namespace
}  // namespace gatehouse::config
