#include "identity/mount.h"

#include <algorithm>

namespace gatehouse::identity {
namespace {

std::string allow(const Mount& mount) {
  std::string list;
  for (const std::string_view method : mount.methods) {
    if (!list.empty()) list += ", ";
    list += method;
    if (method == "GET") list += ", HEAD";
  }
  return list + ", OPTIONS";
}

bool has_method(const Mount& mount, std::string_view method) {
  if (method == "HEAD") method = "GET";
  return std::ranges::find(mount.methods, method) != mount.methods.end();
}

http::Response options(const Mount& mount) {
  http::Response response;
  response.status = 204;
  response.headers.set("Allow", allow(mount));
  if (mount.cross_origin == CrossOrigin::kAllowed) {
    response.headers.set("Access-Control-Allow-Origin", "*");
    response.headers.set("Access-Control-Allow-Methods", allow(mount));
    response.headers.set("Access-Control-Allow-Headers", "Authorization, Content-Type");
    response.headers.set("Access-Control-Max-Age", "3600");
  }
  return response;
}

}  // namespace

const Mount* Mounts::find(std::string_view path) const {
  const auto found = std::ranges::find_if(mounts_, [&](const Mount& mount) {
    return mount.path.ends_with('/') ? path.starts_with(mount.path) : path == mount.path;
  });
  return found == mounts_.end() ? nullptr : &*found;
}

Task<http::Response> Mounts::handle(http::Request& request) {
  const Mount* const mount = find(request.target.path());
  if (mount == nullptr) {
    co_return pages_.error(404, "There is no such page",
                           "The address may be mistyped, or the page has moved.");
  }
  if (request.method == "OPTIONS") co_return options(*mount);
  if (!has_method(*mount, request.method)) {
    http::Response response =
        pages_.error(405, "That does not work here", "This address cannot be used in that way.");
    response.headers.set("Allow", allow(*mount));
    co_return response;
  }
  http::Response response = co_await mount->handler->handle(request);
  if (mount->cross_origin == CrossOrigin::kAllowed) {
    response.headers.set("Access-Control-Allow-Origin", "*");
    response.headers.set("Access-Control-Expose-Headers", "WWW-Authenticate, ETag");
  }
  co_return response;
}

}  // namespace gatehouse::identity
