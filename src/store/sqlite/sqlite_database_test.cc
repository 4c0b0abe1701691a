// What SQLite adds to the contract: its file, its limits, and every way in which the file can be
// wrong. The contract itself is tested by the conformance suite.
#include "store/sqlite/sqlite_database.h"

#include <sched.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <fstream>
#include <iterator>

#include "store/conformance.h"

namespace {

std::atomic<int> flushes = 0;

}  // namespace

/// Stands before libc's, so that a test can see what SQLite flushes to the disk.
extern "C" int fdatasync(int file) {
  ++flushes;
  return static_cast<int>(::syscall(SYS_fdatasync, file));
}

namespace gatehouse::store {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::SizeIs;

/// SQLite as another program uses it.
class Shell {
 public:
  explicit Shell(const std::string& path) {
    EXPECT_EQ(sqlite3_open(path.c_str(), &connection_), SQLITE_OK);
  }
  Shell(const Shell&) = delete;
  Shell& operator=(const Shell&) = delete;
  ~Shell() { sqlite3_close(connection_); }

  void run(const std::string& sql) {
    EXPECT_EQ(sqlite3_exec(connection_, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(connection_);
  }
  /// The first column of the last row.
  std::string ask(const std::string& sql) {
    std::string answer;
    const auto keep = [](void* out, int, char** values, char**) {
      *static_cast<std::string*>(out) = values[0] == nullptr ? "NULL" : values[0];
      return 0;
    };
    EXPECT_EQ(sqlite3_exec(connection_, sql.c_str(), keep, &answer, nullptr), SQLITE_OK)
        << sqlite3_errmsg(connection_);
    return answer;
  }

 private:
  sqlite3* connection_ = nullptr;
};

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const std::string& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

void overwrite(const std::string& path, std::size_t offset, std::size_t count) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(static_cast<std::streamoff>(offset));
  file << std::string(count, '\xa5');
}

mode_t mode_of(const std::string& path) {
  struct stat status{};
  EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
  return status.st_mode & 07777;
}

OneTime item(int number, std::size_t size = 8, WallTime expires = at(60)) {
  return {.kind = "code",
          .hash = "hash " + std::to_string(number),
          .payload = std::string(size, 'x'),
          .expires = expires};
}

class SqliteDatabaseTest : public testing::Test {
 protected:
  Result<std::unique_ptr<Database>> open(SqliteOptions options = {}) {
    return open_sqlite_database(path_, options);
  }
  std::unique_ptr<Database> open_well(SqliteOptions options = {}) {
    auto opened = open(options);
    EXPECT_TRUE(opened) << opened.error().message;
    return std::move(opened.value());
  }
  static Result<void> put(Database& database, const OneTime& value) {
    return transact_now(database,
                        [&](Transaction& transaction) { return transaction.put_one_time(value); });
  }
  static Result<std::optional<OneTime>> take(Database& database, int number) {
    return transact_now(database, [&](Transaction& transaction) {
      return transaction.take_one_time("code", item(number).hash);
    });
  }
  /// Enough rows that the tables have pages of their own to lose.
  void fill() {
    const auto database = open_well();
    ASSERT_TRUE(database->transact([](Transaction& transaction) -> Result<void> {
      for (int i = 0; i < 200; ++i) EXPECT_TRUE(transaction.put_one_time(item(i, 500)));
      return {};
    }));
  }

  TemporaryFolder folder_;
  const std::string path_ = folder_.file("store.db");
};

// The file

TEST_F(SqliteDatabaseTest, FilesAreForTheirOwnerAlone) {
  const mode_t before = ::umask(0);
  const auto database = open_well();
  ASSERT_TRUE(put(*database, item(1)));
  ::umask(before);
  EXPECT_EQ(mode_of(path_), 0600u);
  EXPECT_EQ(mode_of(path_ + "-wal"), 0600u);
  EXPECT_EQ(mode_of(path_ + "-shm"), 0600u);
}

TEST_F(SqliteDatabaseTest, AccessOfOthersToAnOlderFileIsTakenAway) {
  open_well();
  ASSERT_EQ(::chmod(path_.c_str(), 0644), 0);
  open_well();
  EXPECT_EQ(mode_of(path_), 0600u);
}

TEST_F(SqliteDatabaseTest, ClosingInOrderLeavesOneFile) {
  open_well();
  EXPECT_TRUE(std::filesystem::exists(path_));
  EXPECT_FALSE(std::filesystem::exists(path_ + "-wal"));
}

TEST_F(SqliteDatabaseTest, EachCommitIsFlushedToTheDisk) {
  const auto database = open_well();
  const int before = flushes;
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(put(*database, item(i)));
  EXPECT_GE(flushes - before, 5);
}

TEST_F(SqliteDatabaseTest, ReadingFlushesNothing) {
  const auto database = open_well();
  ASSERT_TRUE(put(*database, item(1)));
  const int before = flushes;
  EXPECT_EQ(take(*database, 2).value(), std::nullopt);
  EXPECT_EQ(flushes, before);
}

// Where it lies

TEST_F(SqliteDatabaseTest, MissingFolderIsNamedWithWhatToDo) {
  const auto opened = open_sqlite_database(folder_.file("missing/store.db"));
  ASSERT_EQ(error_of(opened), ErrorCode::kUnavailable);
  EXPECT_THAT(opened.error().message,
              AllOf(HasSubstr(folder_.file("missing")), HasSubstr("create it or name another")));
}

TEST_F(SqliteDatabaseTest, FolderThatIsAFileIsRefused) {
  write_file(folder_.file("file"), "text");
  const auto opened = open_sqlite_database(folder_.file("file/store.db"));
  ASSERT_EQ(error_of(opened), ErrorCode::kUnavailable);
  EXPECT_THAT(opened.error().message, HasSubstr("is not a folder"));
}

/// Takes root's rights away for a while, where the test has them.
class Unprivileged {
 public:
  Unprivileged() {
    if (user_ == 0) EXPECT_EQ(::seteuid(kNobody), 0);
  }
  Unprivileged(const Unprivileged&) = delete;
  Unprivileged& operator=(const Unprivileged&) = delete;
  ~Unprivileged() { EXPECT_EQ(::seteuid(user_), 0); }

 private:
  static constexpr uid_t kNobody = 65534;
  const uid_t user_ = ::geteuid();
};

TEST_F(SqliteDatabaseTest, FolderThatCannotBeWrittenIsNamedWithWhatToDo) {
  const std::string locked = folder_.file("locked");
  ASSERT_EQ(::mkdir(locked.c_str(), 0555), 0);
  ASSERT_EQ(::chmod(folder_.file("").c_str(), 0755), 0);
  const Unprivileged user;
  const auto opened = open_sqlite_database(locked + "/store.db");
  ASSERT_EQ(error_of(opened), ErrorCode::kUnavailable);
  EXPECT_THAT(opened.error().message, AllOf(HasSubstr(locked), HasSubstr("cannot be written")));
}

TEST_F(SqliteDatabaseTest, FileOfAnotherUserIsRefused) {
  // Only root can make a file for another user; anybody else has root's.
  const bool root = ::geteuid() == 0;
  const std::string others = root ? path_ : "/etc/passwd";
  if (root) open_well();
  ASSERT_EQ(::chmod(folder_.file("").c_str(), 0777), 0);
  const Unprivileged user;
  const auto opened = open_sqlite_database(others);
  ASSERT_EQ(error_of(opened), ErrorCode::kUnavailable);
  EXPECT_THAT(opened.error().message, HasSubstr(others));
}

TEST_F(SqliteDatabaseTest, PathsThatNameNoFileAreRefused) {
  EXPECT_EQ(error_of(open_sqlite_database("")), ErrorCode::kInvalid);
  EXPECT_EQ(error_of(open_sqlite_database(std::string("a\0b", 3))), ErrorCode::kInvalid);
  EXPECT_EQ(error_of(open_sqlite_database(folder_.file(""))), ErrorCode::kInvalid);
  EXPECT_EQ(error_of(open_sqlite_database("/dev/null")), ErrorCode::kInvalid);
}

// What it holds

TEST_F(SqliteDatabaseTest, FileThatIsNoDatabaseIsRefusedAndLeftAsItWas) {
  const std::string text(10'000, '#');
  write_file(path_, text);
  const auto opened = open();
  ASSERT_EQ(error_of(opened), ErrorCode::kCorrupt);
  EXPECT_THAT(opened.error().message,
              AllOf(HasSubstr(path_), HasSubstr("not an SQLite database; name another file")));
  EXPECT_EQ(contents(path_), text);
}

TEST_F(SqliteDatabaseTest, DatabaseOfAnotherProgramIsRefusedAndLeftAsItWas) {
  Shell(path_).run("CREATE TABLE auth_code (id TEXT); INSERT INTO auth_code VALUES ('a')");
  const std::string before = contents(path_);
  const auto opened = open();
  ASSERT_EQ(error_of(opened), ErrorCode::kInvalid);
  EXPECT_THAT(opened.error().message, HasSubstr("of another program"));
  EXPECT_EQ(contents(path_), before);
}

TEST_F(SqliteDatabaseTest, MigrationsAreRecordedOnce) {
  open_well();
  open_well();
  Shell shell(path_);
  EXPECT_EQ(shell.ask("SELECT count(*) FROM migrations"), "1");
  EXPECT_EQ(shell.ask("SELECT applied GLOB '20[0-9][0-9]-*T*Z' FROM migrations"), "1");
}

TEST_F(SqliteDatabaseTest, NewerSchemaIsRefusedByNumberAndLeftAsItWas) {
  open_well();
  Shell(path_).run("INSERT INTO migrations (version, applied) VALUES (99, 'later')");
  const std::string before = contents(path_);
  const auto opened = open();
  ASSERT_EQ(error_of(opened), ErrorCode::kInvalid);
  EXPECT_THAT(opened.error().message, AllOf(HasSubstr("has schema 99"), HasSubstr("none beyond 1"),
                                            HasSubstr("run the version that wrote it")));
  EXPECT_EQ(contents(path_), before);
}

TEST_F(SqliteDatabaseTest, MigrationThatFailsLeavesTheFileEmpty) {
  // One page is too few for the tables.
  EXPECT_EQ(error_of(open({.size_limit = 4096})), ErrorCode::kExhausted);
  EXPECT_EQ(Shell(path_).ask("SELECT count(*) FROM sqlite_schema"), "0");
  EXPECT_TRUE(open()) << "and can be tried again";
}

// Damage

TEST_F(SqliteDatabaseTest, DamagedSchemaIsToldWhenOpened) {
  fill();
  overwrite(path_, 100, 3900);
  const auto opened = open();
  ASSERT_EQ(error_of(opened), ErrorCode::kCorrupt);
  EXPECT_THAT(opened.error().message, AllOf(HasSubstr(path_), HasSubstr("restore a backup")));
}

TEST_F(SqliteDatabaseTest, DamagedPageIsToldWhenOpenedAfterACrash) {
  fill();
  overwrite(path_, 12 * 4096, 8 * 4096);
  write_file(path_ + "-wal", "what a crash left");
  const auto opened = open();
  ASSERT_EQ(error_of(opened), ErrorCode::kCorrupt);
  EXPECT_THAT(opened.error().message, AllOf(HasSubstr(path_), HasSubstr("restore a backup")));
}

TEST_F(SqliteDatabaseTest, DamagedPageIsToldWhenReadAndSpoilsNoMore) {
  fill();
  overwrite(path_, 12 * 4096, contents(path_).size() - 12 * 4096);
  const auto database = open_well();
  int corrupt = 0;
  for (int i = 0; i < 200; ++i) {
    const auto taken = take(*database, i);
    if (error_of(taken) == ErrorCode::kCorrupt) ++corrupt;
  }
  EXPECT_GT(corrupt, 0);
  const auto other_table =
      transact_now(*database, [](Transaction& transaction) { return transaction.value("none"); });
  EXPECT_TRUE(other_table) << "what is not damaged can be read";
}

TEST_F(SqliteDatabaseTest, CutOffFileIsTold) {
  fill();
  std::filesystem::resize_file(path_, 16 * 4096);
  const auto opened = open();
  const bool told = !opened || error_of(take(**opened, 7)) == ErrorCode::kCorrupt;
  EXPECT_TRUE(told);
  if (!opened) EXPECT_EQ(error_of(opened), ErrorCode::kCorrupt);
}

TEST_F(SqliteDatabaseTest, GroupsThatWereNeverWrittenAreCorruption) {
  open_well();
  Shell(path_).run("INSERT INTO users VALUES ('u', 'e', '', '', '{\"a\":1}', '', 0, 0, 0)");
  const auto user = transact_now(
      *open_well(), [](Transaction& transaction) { return transaction.user_by_id("u"); });
  EXPECT_EQ(error_of(user), ErrorCode::kCorrupt);
}

// Locks

TEST_F(SqliteDatabaseTest, LockOfAnotherProcessIsToldAndPasses) {
  const auto database = open_well({.busy_timeout = 10ms});
  {
    Shell other(path_);
    other.run("BEGIN IMMEDIATE");
    bool ran = false;
    const auto refused = database->transact([&](Transaction&) -> Result<void> {
      ran = true;
      return {};
    });
    ASSERT_EQ(error_of(refused), ErrorCode::kUnavailable);
    EXPECT_THAT(refused.error().message,
                AllOf(HasSubstr(path_), HasSubstr("stop the other process")));
    EXPECT_FALSE(ran);
  }
  EXPECT_TRUE(put(*database, item(1)));
}

TEST_F(SqliteDatabaseTest, LockOfAnotherProcessIsToldWhenOpened) {
  open_well();
  Shell other(path_);
  other.run("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
  const auto opened = open({.busy_timeout = 10ms});
  ASSERT_EQ(error_of(opened), ErrorCode::kUnavailable);
  EXPECT_THAT(opened.error().message, HasSubstr("stop the other process"));
}

TEST_F(SqliteDatabaseTest, TransactionWithinATransactionIsRefusedAndSpoilsTheOuterOne) {
  const auto database = open_well();
  const auto outer = database->transact([&](Transaction& transaction) -> Result<void> {
    EXPECT_TRUE(transaction.put_one_time(item(1)));
    EXPECT_FALSE(put(*database, item(2)));
    return {};
  });
  EXPECT_FALSE(outer);
  EXPECT_EQ(take(*database, 1).value(), std::nullopt);
  EXPECT_EQ(take(*database, 2).value(), std::nullopt);
}

// Space

/// Puts rows until one is refused; gives the number of the first that was.
int put_until_refused(Database& database, int most, ErrorCode expected) {
  for (int i = 0; i < most; ++i) {
    const auto done = transact_now(database, [&](Transaction& transaction) {
      return transaction.put_one_time(item(i, 20'000, at(1)));
    });
    if (!done) {
      EXPECT_EQ(done.error().code, expected) << done.error().message;
      return i;
    }
  }
  ADD_FAILURE() << "never refused";
  return most;
}

TEST_F(SqliteDatabaseTest, FullDatabaseIsExhaustedLosesNothingAndGoesOnWhenThereIsSpace) {
  const auto database = open_well({.size_limit = 1 << 20});
  const int refused = put_until_refused(*database, 100, ErrorCode::kExhausted);
  EXPECT_EQ(take(*database, refused).value(), std::nullopt);
  EXPECT_THAT(put(*database, item(1000, 50'000)).error().message,
              AllOf(HasSubstr(path_), HasSubstr("free some space")));
  EXPECT_TRUE(take(*database, 0).value()) << "what was committed is there";
  const auto collected = transact_now(
      *database, [](Transaction& transaction) { return transaction.collect_expired(at(2), 1000); });
  EXPECT_EQ(collected.value(), static_cast<std::size_t>(refused - 1));
  EXPECT_TRUE(put(*database, item(1, 20'000)));
}

TEST_F(SqliteDatabaseTest, WorkThatPassesOverAFullDiskIsNotCommittedInPart) {
  const auto database = open_well({.size_limit = 1 << 20});
  const auto done = database->transact([](Transaction& transaction) -> Result<void> {
    EXPECT_TRUE(transaction.put_one_time(item(1)));
    EXPECT_EQ(error_of(transaction.put_one_time(item(2, 2 << 20))), ErrorCode::kExhausted);
    EXPECT_EQ(error_of(transaction.put_one_time(item(3))), ErrorCode::kExhausted);
    return {};
  });
  EXPECT_EQ(error_of(done), ErrorCode::kExhausted);
  EXPECT_EQ(take(*database, 1).value(), std::nullopt);
  EXPECT_EQ(take(*database, 3).value(), std::nullopt);
}

/// Runs `body` in a child that has a file system of `bytes` at `folder`; false if this system does
/// not let us mount one. `body` gives the child's exit status.
template <class Body>
std::optional<int> on_small_disk(const std::string& folder, const char* bytes, Body body) {
  constexpr int kNoMount = 77;
  const pid_t child = ::fork();
  if (child == 0) {
    const int spaces = ::geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER;
    const bool mounted =
        ::unshare(spaces) == 0 &&
        ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
        ::mount("disk", folder.c_str(), "tmpfs", 0, (std::string("size=") + bytes).c_str()) == 0;
    ::_exit(mounted ? body() : kNoMount);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == kNoMount) return std::nullopt;
  return WEXITSTATUS(status);
}

Result<void> set_large_value(Database& database, int number) {
  return transact_now(database, [&](Transaction& transaction) {
    return transaction.set_value(std::to_string(number), std::string(20'000, 'x'));
  });
}

bool has_value(Database& database, int number) {
  const auto value = transact_now(database, [&](Transaction& transaction) {
    return transaction.value(std::to_string(number));
  });
  return value && value->has_value();
}

TEST_F(SqliteDatabaseTest, FullDiskIsExhaustedAndLosesNothing) {
  const std::string disk = folder_.file("disk");
  ASSERT_EQ(::mkdir(disk.c_str(), 0700), 0);
  const auto status = on_small_disk(disk, "1m", [&] {
    const auto database = open_sqlite_database(disk + "/store.db");
    if (!database) return 1;
    int kept = 0;
    Result<void> done;
    while ((done = set_large_value(**database, kept))) ++kept;
    if (error_of(done) != ErrorCode::kExhausted) return 2;
    for (int i = 0; i <= kept; ++i) {
      if (has_value(**database, i) != (i < kept)) return 3;
    }
    return kept > 0 ? 0 : 4;
  });
  ASSERT_TRUE(status) << "needs root, or user namespaces, to mount a small file system";
  EXPECT_EQ(*status, 0);
}

TEST_F(SqliteDatabaseTest, DiskTooFullToOpenIsExhausted) {
  const std::string disk = folder_.file("disk");
  ASSERT_EQ(::mkdir(disk.c_str(), 0700), 0);
  const auto status = on_small_disk(disk, "8k", [&] {
    const auto opened = open_sqlite_database(disk + "/store.db");
    EXPECT_EQ(error_of(opened), ErrorCode::kExhausted) << opened.error().message;
    return testing::Test::HasFailure() ? 1 : 0;
  });
  ASSERT_TRUE(status) << "needs root, or user namespaces, to mount a small file system";
  EXPECT_EQ(*status, 0);
}

}  // namespace
}  // namespace gatehouse::store
