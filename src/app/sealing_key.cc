#include "app/sealing_key.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/encoding.h"

namespace gatehouse::app {
namespace {

constexpr std::size_t kKeyBytes = 32;

Result<Secret> decode(std::string_view text, std::string_view where) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  std::optional<std::string> bytes = base64_decode(text);
  if (!bytes) bytes = base64url_decode(text);
  if (!bytes || bytes->size() != kKeyBytes) {
    return fail(ErrorCode::kInvalid,
                fmt::format("{}: a sealing key is 32 bytes as base64; make one with "
                            "`openssl rand -base64 32`",
                            where));
  }
  return Secret(std::move(*bytes));
}

class File {
 public:
  explicit File(int fd) : fd_(fd) {}
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

Result<Secret> read_key(int fd, const std::string& path) {
  struct stat status{};
  if (::fstat(fd, &status) != 0 || (status.st_mode & 077) != 0) {
    return fail(ErrorCode::kInvalid,
                fmt::format("{}: others may read this key; run `chmod 600 {}`", path, path));
  }
  std::string text(256, '\0');
  const ssize_t size = ::read(fd, text.data(), text.size());
  text.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
  Result<Secret> key = decode(text, path);
  wipe(text);
  return key;
}

Result<Secret> create_key(const std::string& path, Entropy& entropy) {
  const File file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  Secret key(entropy.bytes(kKeyBytes));
  std::string text = base64_encode(key.reveal()) + "\n";
  const bool written =
      file.get() >= 0 &&
      ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
      ::fsync(file.get()) == 0;
  const int error = errno;
  wipe(text);
  if (!written) {
    return fail(ErrorCode::kUnavailable, fmt::format("{}: the sealing key cannot be written: {}",
                                                     path, std::strerror(error)));
  }
  return key;
}

}  // namespace

Result<Secret> load_sealing_key(const config::StoreSettings& settings, Entropy& entropy) {
  if (!settings.sealing_key.empty()) {
    return decode(settings.sealing_key.reveal(), "store.sealing_key");
  }
  if (settings.kind == "memory") return Secret(entropy.bytes(kKeyBytes));
  const std::string path = settings.path + ".key";
  const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() >= 0) return read_key(file.get(), path);
  if (errno != ENOENT) {
    return fail(ErrorCode::kUnavailable,
                fmt::format("{}: cannot be read: {}", path, std::strerror(errno)));
  }
  return create_key(path, entropy);
}

}  // namespace gatehouse::app
