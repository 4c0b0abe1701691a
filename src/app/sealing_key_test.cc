#include "app/sealing_key.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "base/encoding.h"
#include "crypto/random.h"

namespace gatehouse::app {
namespace {

class SealingKey : public testing::Test {
 protected:
  SealingKey() {
    std::string pattern = testing::TempDir() + "sealing-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    settings_.path = folder_ + "/gatehouse.db";
  }
  ~SealingKey() override { std::filesystem::remove_all(folder_); }

  std::string file() const { return settings_.path + ".key"; }

  crypto::SystemEntropy entropy_;
  std::string folder_;
  config::StoreSettings settings_;
};

TEST_F(SealingKey, IsMadeOnceForItsOwnerAlone) {
  const Result<Secret> made = load_sealing_key(settings_, entropy_);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->reveal().size(), 32u);
  struct stat status{};
  ASSERT_EQ(stat(file().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  const Result<Secret> again = load_sealing_key(settings_, entropy_);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->reveal(), made->reveal());
}

TEST_F(SealingKey, ThatOthersMayReadIsRefused) {
  ASSERT_TRUE(load_sealing_key(settings_, entropy_));
  chmod(file().c_str(), 0640);
  const Result<Secret> key = load_sealing_key(settings_, entropy_);
  ASSERT_FALSE(key);
  EXPECT_NE(key.error().message.find("chmod 600"), std::string::npos);
}

TEST_F(SealingKey, OfAnotherLengthIsRefusedWithoutShowingIt) {
  settings_.sealing_key = Secret(base64_encode("too short"));
  const Result<Secret> key = load_sealing_key(settings_, entropy_);
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().message.find(base64_encode("too short")), std::string::npos);
}

TEST_F(SealingKey, OfTheConfigurationComesFirst) {
  settings_.sealing_key = Secret(base64_encode(std::string(32, 'k')));
  const Result<Secret> key = load_sealing_key(settings_, entropy_);
  ASSERT_TRUE(key);
  EXPECT_EQ(key->reveal(), std::string(32, 'k'));
  EXPECT_FALSE(std::filesystem::exists(file()));
}

TEST_F(SealingKey, OfAFolderThatIsNotThereNamesTheFile) {
  settings_.path = folder_ + "/none/gatehouse.db";
  const Result<Secret> key = load_sealing_key(settings_, entropy_);
  ASSERT_FALSE(key);
  EXPECT_NE(key.error().message.find(file()), std::string::npos);
}

}  // namespace
}  // namespace gatehouse::app
