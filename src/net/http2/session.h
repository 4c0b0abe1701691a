// nghttp2's session as a value that ends itself.
#pragma once

#include <memory>

struct nghttp2_session;
struct nghttp2_session_callbacks;
struct nghttp2_option;

namespace gatehouse::net::http2 {

struct SessionDeleter {
  void operator()(nghttp2_session* session) const;
};
/// Ending it calls no callback: what streams it had must be told by whoever owns it.
using SessionPtr = std::unique_ptr<nghttp2_session, SessionDeleter>;

}  // namespace gatehouse::net::http2
