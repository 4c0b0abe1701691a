#include "app/folder_watch.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

namespace gatehouse::app {
namespace {

constexpr std::uint32_t kChanges = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM |
                                   IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ATTRIB;
constexpr std::size_t kFolders = 1'000;  // below the watched one; more are not manifests

}  // namespace

Result<FolderWatch> FolderWatch::make(std::string path) {
  const int fd = ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  if (fd < 0) {
    return fail(ErrorCode::kExhausted, path + ": cannot be watched: " + std::strerror(errno));
  }
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  FolderWatch watch(std::move(path), fd);
  watch.watch_all();
  return watch;
}

FolderWatch::FolderWatch(FolderWatch&& other) noexcept
    : path_(std::move(other.path_)),
      fd_(std::exchange(other.fd_, -1)),
      above_(std::exchange(other.above_, 0)) {}

FolderWatch& FolderWatch::operator=(FolderWatch&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(fd_, other.fd_);
  std::swap(above_, other.above_);
  return *this;
}

FolderWatch::~FolderWatch() {
  if (fd_ >= 0) ::close(fd_);
}

bool FolderWatch::take_changes() {
  const std::string name = std::filesystem::path(path_).filename();
  bool changed = false;
  std::array<char, 16 * 1024> events{};
  for (ssize_t got = 0; (got = ::read(fd_, events.data(), events.size())) > 0;) {
    const std::string_view all(events.data(), static_cast<std::size_t>(got));
    for (std::size_t at = 0; at < all.size();) {
      inotify_event event{};
      std::memcpy(&event, all.data() + at, sizeof event);
      const std::string_view about = all.substr(at + sizeof event, event.len);
      changed |= event.wd != above_ || about.substr(0, about.find('\0')) == name;
      at += sizeof event + event.len;
    }
  }
  if (changed) watch_all();
  return changed;
}

/// A folder that is watched already is not watched twice: the kernel gives the same number again.
void FolderWatch::watch_all() {
  const auto watch = [this](const std::filesystem::path& folder) {
    return ::inotify_add_watch(fd_, folder.c_str(), kChanges);
  };
  // The folder above tells when this one comes back.
  const std::filesystem::path root(path_);
  above_ = watch(root.has_parent_path() ? root.parent_path() : std::filesystem::path("."));
  if (watch(root) == above_) above_ = 0;
  std::error_code error;
  std::size_t folders = 0;
  auto entry = std::filesystem::recursive_directory_iterator(
      root, std::filesystem::directory_options::skip_permission_denied, error);
  for (; !error && entry != std::filesystem::recursive_directory_iterator();
       entry.increment(error)) {
    if (folders >= kFolders) return;
    if (!entry->is_directory(error)) continue;
    watch(entry->path());
    ++folders;
  }
}

}  // namespace gatehouse::app
