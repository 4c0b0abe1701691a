#include "gateway/observe/log_file.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

namespace gatehouse::gateway {
namespace {

class LogFileTest : public testing::Test {
 protected:
  LogFileTest() {
    std::string name = (std::filesystem::temp_directory_path() / "gatehouse-XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  ~LogFileTest() override { std::filesystem::remove_all(folder_); }

  std::string path() const { return folder_ / "access.log"; }
  static std::string content(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  std::filesystem::path folder_;
};

TEST_F(LogFileTest, HoldsEachLineAsItIs) {
  {
    const auto file = LogFile::open(path()).value();
    file->logger()->info("a {} %");
    file->logger()->info("b");
  }
  EXPECT_EQ(content(path()), "a {} %\nb\n");
}

TEST_F(LogFileTest, AppendsToWhatIsThere) {
  LogFile::open(path()).value()->logger()->info("a");
  LogFile::open(path()).value()->logger()->info("b");
  EXPECT_EQ(content(path()), "a\nb\n");
}

TEST_F(LogFileTest, FollowsARotation) {
  const std::string old = path() + ".1";
  {
    const auto file = LogFile::open(path()).value();
    file->logger()->info("before");
    file->logger()->flush();
    // The other thread writes it to what is open then; the test wants that to be the old file.
    while (content(path()).empty()) std::this_thread::yield();
    std::filesystem::rename(path(), old);
    file->reopen();
    file->logger()->info("after");
    EXPECT_EQ(file->dropped(), 0U);
  }
  EXPECT_EQ(content(old), "before\n");
  EXPECT_EQ(content(path()), "after\n");
}

TEST_F(LogFileTest, APathThatCannotBeOpenedIsNamed) {
  const auto made = LogFile::open(folder_ / "nowhere" / "a.log");
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().message.find("nowhere/a.log"), std::string::npos);
}

TEST_F(LogFileTest, LinesThatCannotBeWrittenAreCounted) {
  const auto file = LogFile::open("/dev/full").value();
  file->logger()->info("a");
  file->logger()->flush();
  while (file->dropped() == 0) std::this_thread::yield();
  EXPECT_EQ(file->dropped(), 1U);
}

}  // namespace
}  // namespace gatehouse::gateway
