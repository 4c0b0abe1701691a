// Tells that something below a folder has changed: files written, moved, removed, folders too. By
// inotify; a mounted ConfigMap, which changes by one rename of a link, is seen as well.
//
// States: watching → changed (fd() is readable) → watching, by take_changes(). A folder that is
// absent, or goes, is looked for again by take_changes(). The folder above is watched for that, so
// that fd() is readable for its other files as well.
#pragma once

#include <string>
#include <utility>

#include "base/result.h"

namespace gatehouse::app {

class FolderWatch {
 public:
  /// kExhausted if the system has no more watches to give.
  static Result<FolderWatch> make(std::string path);
  FolderWatch(FolderWatch&& other) noexcept;
  FolderWatch& operator=(FolderWatch&& other) noexcept;
  ~FolderWatch();

  /// Readable, for poll(), once something may have changed.
  int fd() const { return fd_; }
  /// Forgets what has changed so far, and watches what there is now. False if nothing has changed.
  bool take_changes();

 private:
  FolderWatch(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  void watch_all();

  std::string path_;
  int fd_ = -1;
  int above_ = 0;  // the watch of the folder above; 0 if that is the folder itself
};

}  // namespace gatehouse::app
