#include "app/folder_watch.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace gatehouse::app {
namespace {

namespace fs = std::filesystem;

class FolderWatchTest : public testing::Test {
 protected:
  FolderWatchTest() {
    std::string name = "/tmp/gatehouse-watch-XXXXXX";
    base_ = ::mkdtemp(name.data());
    folder_ = base_ / "manifests";
    fs::create_directory(folder_);
  }
  ~FolderWatchTest() override { fs::remove_all(base_); }

  static void write(const fs::path& path, const char* text = "x") { std::ofstream(path) << text; }
  static bool changed(const FolderWatch& watch) {
    pollfd one{.fd = watch.fd(), .events = POLLIN, .revents = 0};
    return ::poll(&one, 1, 2'000) == 1;
  }
  static bool quiet(const FolderWatch& watch) {
    pollfd one{.fd = watch.fd(), .events = POLLIN, .revents = 0};
    return ::poll(&one, 1, 0) == 0;
  }

  fs::path base_, folder_;
};

TEST_F(FolderWatchTest, SeesFilesComeChangeAndGo) {
  Result<FolderWatch> watch = FolderWatch::make(folder_);
  ASSERT_TRUE(watch);
  EXPECT_TRUE(quiet(*watch));
  write(folder_ / "a.yaml");
  EXPECT_TRUE(changed(*watch));
  watch->take_changes();
  EXPECT_TRUE(quiet(*watch));
  write(folder_ / "a.yaml", "more");
  EXPECT_TRUE(changed(*watch));
  watch->take_changes();
  fs::remove(folder_ / "a.yaml");
  EXPECT_TRUE(changed(*watch));
}

TEST_F(FolderWatchTest, SeesWhatHappensInFoldersBelowAlsoInNewOnes) {
  Result<FolderWatch> watch = FolderWatch::make(folder_);
  ASSERT_TRUE(watch);
  fs::create_directory(folder_ / "below");
  EXPECT_TRUE(changed(*watch));
  watch->take_changes();
  write(folder_ / "below" / "a.yaml");
  EXPECT_TRUE(changed(*watch));
}

TEST_F(FolderWatchTest, SeesALinkThatIsReplacedAndAFolderThatComesBack) {
  fs::create_directory(folder_ / "one");
  fs::create_directory_symlink("one", folder_ / "data");
  Result<FolderWatch> watch = FolderWatch::make(folder_);
  ASSERT_TRUE(watch);
  fs::create_directory_symlink("two", folder_ / "fresh");
  fs::rename(folder_ / "fresh", folder_ / "data");
  EXPECT_TRUE(changed(*watch));
  watch->take_changes();
  fs::remove_all(folder_);
  EXPECT_TRUE(changed(*watch));
  watch->take_changes();
  fs::create_directory(folder_);
  EXPECT_TRUE(changed(*watch));
  watch->take_changes();
  write(folder_ / "a.yaml");
  EXPECT_TRUE(changed(*watch));
}

TEST_F(FolderWatchTest, WhatHappensBesideTheFolderIsNoChange) {
  Result<FolderWatch> watch = FolderWatch::make(folder_.string() + "/");
  ASSERT_TRUE(watch);
  write(base_ / "gatehouse.db");
  EXPECT_FALSE(watch->take_changes());
  write(folder_ / "a.yaml");
  write(base_ / "gatehouse.db");
  EXPECT_TRUE(watch->take_changes());
  fs::rename(folder_, base_ / "away");
  EXPECT_TRUE(watch->take_changes());
  fs::rename(base_ / "away", folder_);
  EXPECT_TRUE(watch->take_changes());
}

TEST_F(FolderWatchTest, TheWorkingFolderMayBeWatched) {
  const fs::path before = fs::current_path();
  fs::current_path(folder_);
  Result<FolderWatch> watch = FolderWatch::make(".");
  ASSERT_TRUE(watch);
  write("a.yaml");
  EXPECT_TRUE(watch->take_changes());
  fs::current_path(before);
}

}  // namespace
}  // namespace gatehouse::app
