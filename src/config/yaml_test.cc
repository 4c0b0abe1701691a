#include "config/yaml.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace gatehouse::config {
namespace {

std::vector<YamlResult> parse_all(std::string_view text, YamlStreamLimits limits = {}) {
  return parse_yaml_stream(text, limits);
}

TEST(YamlStreamTest, ADocumentThatIsRefusedTakesNoOtherWithIt) {
  const auto documents = parse_all("a: 1\n---\nb: [\n---\nc: !tag 1\n---\nd: 2\n");
  ASSERT_EQ(documents.size(), 4U);
  EXPECT_TRUE(documents[0]);
  EXPECT_FALSE(documents[1]);
  EXPECT_FALSE(documents[2]);
  ASSERT_TRUE(documents[3]);
  EXPECT_EQ((*documents[3])->entries[0].key->text, "d");
}

TEST(YamlStreamTest, MarksCountFromTheStartOfTheStream) {
  const auto documents = parse_all("a: 1\n---\n# comment\n\nb: 1\n--- {c: 1}\n---\nd: \"\n");
  ASSERT_EQ(documents.size(), 4U);
  EXPECT_EQ((*documents[0])->mark.line, 1);
  EXPECT_EQ((*documents[1])->mark.line, 5);
  EXPECT_EQ((*documents[2])->mark.line, 6);
  EXPECT_EQ((*documents[2])->mark.column, 5);
  EXPECT_GE(documents[3].error()[0].mark.line, 8);
}

TEST(YamlStreamTest, EmptyDocumentsAreLeftOut) {
  EXPECT_TRUE(parse_all("").empty());
  EXPECT_TRUE(parse_all("---\n---\r\n# only a comment\n...\n%YAML 1.2\n---\n\n").empty());
}

TEST(YamlStreamTest, MarkersInsideABlockEndTheDocument) {
  // YAML 1.2 §9.1.2: "---" at the start of a line is a marker even there.
  const auto documents = parse_all("a: |\n  text\n---\nb: 1\n");
  ASSERT_EQ(documents.size(), 2U);
  EXPECT_EQ((*documents[0])->entries[0].value->text, "text\n");
  const auto indented = parse_all("a: |\n  ---\n  text\n");
  ASSERT_EQ(indented.size(), 1U);
  EXPECT_EQ((*indented[0])->entries[0].value->text, "---\ntext\n");
}

TEST(YamlStreamTest, HasALimitOfDocuments) {
  const auto documents = parse_all("a\n---\nb\n---\nc\n---\nd\n", {.documents = 2});
  ASSERT_EQ(documents.size(), 3U);
  EXPECT_TRUE(documents[1]);
  ASSERT_FALSE(documents[2]);
  EXPECT_EQ(documents[2].error()[0].message,
            "the rest of this file is not read: it holds more than 2 documents");
  EXPECT_EQ(documents[2].error()[0].mark.line, 4);
}

TEST(YamlStreamTest, HasALimitOfValuesInAllDocumentsTogether) {
  const auto documents = parse_all("[1, 2]\n---\n[1, 2]\n---\n[1]\n---\n[1]\n", {.values = 7});
  ASSERT_EQ(documents.size(), 4U);
  EXPECT_TRUE(documents[0]);
  EXPECT_TRUE(documents[1]);
  EXPECT_FALSE(documents[2]) << "two values, and one is left";
  EXPECT_FALSE(documents[3]);
}

TEST(YamlStreamTest, ABillionLaughsIsRefused) {
  std::string text = "a: &a [x, x, x, x, x, x, x, x, x, x]\n";
  for (char name = 'b'; name < 'k'; ++name) {
    const std::string before(1, static_cast<char>(name - 1));
    text += std::string(1, name) + ": &" + name + " [";
    for (int i = 0; i < 10; ++i) text += "*" + before + ", ";
    text += "]\n";
  }
  const auto documents = parse_all(text);
  ASSERT_EQ(documents.size(), 1U);
  ASSERT_FALSE(documents[0]);
  EXPECT_EQ(documents[0].error()[0].message, "more than " + std::to_string(kMaxValues) + " values");
}

TEST(YamlStreamTest, DepthIsLimited) {
  const YamlStreamLimits limits{.document = {.depth = 3}};
  EXPECT_TRUE(parse_all("[[[1]]]", limits)[0]);
  EXPECT_FALSE(parse_all("[[[[1]]]]", limits)[0]);
}

TEST(YamlTest, JsonMayBeIndentedWithTabs) {
  const YamlResult parsed = parse_yaml("{\n\t\"a\": \"b\\/c\",\n\t\"d\": [1]\n}\n");
  ASSERT_TRUE(parsed);
  EXPECT_EQ((*parsed)->entries[0].value->text, "b/c");
  EXPECT_FALSE(parse_yaml("a:\n\tb: 1\n"));
}

TEST(YamlTest, NoValueHoldsItself) {
  EXPECT_FALSE(parse_yaml("a: &a [*a]"));
  EXPECT_FALSE(parse_yaml("a: *b"));
  EXPECT_TRUE(parse_yaml("a: &b 1\nc: *b"));
}

TEST(YamlTest, IsTextFollowsTheCoreSchema) {
  const auto is_text_value = [](const std::string& value) {
    return is_text(*(*parse_yaml("a: " + value))->entries[0].value);
  };
  for (const char* text :
       {"abc", "\"1\"", "'true'", "1.2.3.4", "8080/tcp", "yes", "/a", "infinite"}) {
    EXPECT_TRUE(is_text_value(text)) << text;
  }
  for (const char* other :
       {"1", "-1", "+1", "1.5", "1e3", "0x1F", "0o7", "true", "False", ".nan"}) {
    EXPECT_FALSE(is_text_value(other)) << other;
  }
}

}  // namespace
}  // namespace gatehouse::config
