// Finds the handler of a path and holds requests to the methods that it has.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"
#include "identity/pages/pages.h"

namespace gatehouse::identity {

/// Who may call from a page of another origin. What is open to all has no cookies, so any origin
/// may read it.
enum class CrossOrigin { kRefused, kAllowed };

struct Mount {
  std::string path;                       // whole; a trailing slash means all below it
  std::vector<std::string_view> methods;  // HEAD is answered wherever GET is
  CrossOrigin cross_origin = CrossOrigin::kRefused;
  http::Handler* handler = nullptr;
};

/// 404 with a page for an unknown path; 405 with Allow for a method that the path has not;
/// preflights (Fetch standard §3.2) where other origins are allowed.
class Mounts final : public http::Handler {
 public:
  Mounts(std::vector<Mount> mounts, const Pages& pages)
      : mounts_(std::move(mounts)), pages_(pages) {}
  Task<http::Response> handle(http::Request& request) override;

 private:
  const Mount* find(std::string_view path) const;

  const std::vector<Mount> mounts_;
  const Pages& pages_;
};

}  // namespace gatehouse::identity
