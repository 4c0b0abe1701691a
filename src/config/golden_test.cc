// Each file of tests/golden/config/ is a configuration and what is to come of it:
//
//   the YAML
//   ==== environment     (optional) NAME=value lines
//   ==== problems        or: ==== show
//   what is expected
//
// UPDATE_GOLDEN=1 writes what came instead, to be read before it is committed.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "config/config.h"

namespace gatehouse::config {
namespace {

const std::filesystem::path kSource = GATEHOUSE_SOURCE_DIR;

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

bool updating() {
  return std::getenv("UPDATE_GOLDEN") != nullptr;
}

void expect_file(const std::filesystem::path& path, const std::string& expected) {
  if (updating()) std::ofstream(path, std::ios::binary) << expected;
  EXPECT_EQ(read(path), expected) << "in " << path << "; run config_test with UPDATE_GOLDEN=1";
}

struct Case {
  std::string yaml;  // with its separators, as in the file
  std::string environment;
  std::string wanted;  // "problems" or "show"
  std::string head;    // all before the expected text
};

Case parse_case(const std::string& text) {
  constexpr std::string_view kSeparator = "==== ";
  Case out;
  std::string* section = &out.yaml;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(kSeparator)) {
      const std::string name = line.substr(kSeparator.size());
      out.head += line + "\n";
      if (name == "environment") {
        section = &out.environment;
        continue;
      }
      out.wanted = name;
      break;
    }
    out.head += line + "\n";
    *section += line + "\n";
  }
  return out;
}

Environment parse_environment(const std::string& text) {
  Environment out;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t equals = line.find('=');
    out[line.substr(0, equals)] = line.substr(equals + 1);
  }
  return out;
}

std::string outcome(const Case& input) {
  const Loaded loaded = load(input.yaml, "gatehouse.yaml", parse_environment(input.environment));
  std::string out;
  for (const Problem& problem : loaded.problems) out += problem.str() + "\n";
  for (const Problem& warning : loaded.warnings) out += "warning: " + warning.str() + "\n";
  if (input.wanted == "show") out += show(loaded.settings);
  return out;
}

/// What is shown can be loaded, and is then shown the same; a hidden secret cannot.
void expect_loads_back(const std::string& shown) {
  if (shown.find("<secret>") != std::string::npos) return;
  const Loaded again = load(shown, "shown", {});
  for (const Problem& problem : again.problems) ADD_FAILURE() << problem.str();
  EXPECT_EQ(show(again.settings), shown);
}

std::vector<std::filesystem::path> golden_files() {
  std::vector<std::filesystem::path> out;
  for (const auto& entry :
       std::filesystem::directory_iterator(kSource / "tests" / "golden" / "config")) {
    out.push_back(entry.path());
  }
  std::ranges::sort(out);
  return out;
}

class GoldenTest : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(GoldenTest, GivesTheExpectedOutcome) {
  const Case input = parse_case(read(GetParam()));
  ASSERT_TRUE(input.wanted == "problems" || input.wanted == "show") << "no expectation";
  const std::string came = outcome(input);
  expect_file(GetParam(), input.head + came);
  if (input.wanted == "show") expect_loads_back(came);
}

INSTANTIATE_TEST_SUITE_P(Config, GoldenTest, testing::ValuesIn(golden_files()),
                         [](const testing::TestParamInfo<std::filesystem::path>& file) {
                           return file.param.stem().string();
                         });

TEST(GoldenTest, HasManyBadFiles) {
  const auto bad = std::ranges::count_if(golden_files(), [](const std::filesystem::path& path) {
    return read(path).find("==== problems\ngatehouse.yaml") != std::string::npos;
  });
  EXPECT_GE(bad, 25);
}

TEST(ReferenceTest, ConfigurationMdIsWhatTheTableSays) {
  expect_file(kSource / "docs" / "configuration.md", markdown());
}

}  // namespace
}  // namespace gatehouse::config
