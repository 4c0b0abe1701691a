// The memory of nghttp2's sessions: streams and frames come and go with each request, in a few
// sizes, so they are taken from what the thread has kept (base/thread_memory.h).
#pragma once

#include <nghttp2/nghttp2.h>

namespace gatehouse::net::http2 {

/// For nghttp2_session_*_new3(), which copies it. Null where there is no memory, as nghttp2
/// expects.
nghttp2_mem session_memory();

}  // namespace gatehouse::net::http2
