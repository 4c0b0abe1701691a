// The conformance suite's frame, for tests alone: the list of backends, and a fixture that runs
// each test on each of them. A new backend is added to backends() and must pass every test that
// uses it.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "store/contract.h"
#include "store/memory/memory_database.h"
#include "store/sqlite/sqlite_database.h"
#include "store/store.h"

namespace gatehouse::store {

/// A folder of one test, removed after it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "gatehouse-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) std::abort();
    path_ = pattern;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string file(std::string_view name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

struct Backend {
  std::string name;
  std::function<Result<std::unique_ptr<Database>>(const TemporaryFolder&)> open;
};

inline void PrintTo(const Backend& backend, std::ostream* out) {
  *out << backend.name;
}

inline std::vector<Backend> durable_backends() {
  return {{"Sqlite", [](const TemporaryFolder& folder) {
             return open_sqlite_database(folder.file("store.db"));
           }}};
}

inline std::vector<Backend> backends() {
  std::vector<Backend> all = durable_backends();
  all.push_back({"Memory", [](const TemporaryFolder&) -> Result<std::unique_ptr<Database>> {
                   return make_memory_database();
                 }});
  return all;
}

inline std::string backend_name(const testing::TestParamInfo<Backend>& info) {
  return info.param.name;
}

inline WallTime at(long long seconds) {
  return from_unix_seconds(1'800'000'000 + seconds);
}

/// The code of a result, or nothing if it succeeded: `EXPECT_EQ(error_of(x),
/// ErrorCode::kConflict)`.
template <class T>
std::optional<ErrorCode> error_of(const Result<T>& result) {
  if (result) return std::nullopt;
  return result.error().code;
}

class ConformanceTest : public testing::TestWithParam<Backend> {
 protected:
  ConformanceTest() { reopen(); }

  void reopen() {
    database_.reset();
    auto opened = GetParam().open(folder_);
    if (!opened) {
      ADD_FAILURE() << opened.error().message;
      std::abort();
    }
    database_ = std::move(*opened);
  }

  /// A further handle on the same store.
  std::unique_ptr<Database> another() { return std::move(GetParam().open(folder_).value()); }

  template <class Work>
  auto run(Work work) {
    return transact_now(*database_, std::move(work));
  }

  /// One operation in a transaction of its own: `call(&Transaction::user_by_id, "id")`.
  template <class R, class... Parameters, class... Arguments>
  R call(R (Transaction::*operation)(Parameters...), const Arguments&... arguments) {
    return run([&](Transaction& transaction) { return (transaction.*operation)(arguments...); });
  }

  TemporaryFolder folder_;
  std::unique_ptr<Database> database_;
};

}  // namespace gatehouse::store
