#include "net/openssl.h"

#include <openssl/err.h>

namespace gatehouse::net {

std::string last_openssl_error() {
  const unsigned long code = ERR_peek_last_error();
  const char* const reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  ERR_clear_error();
  return reason == nullptr ? "unknown error" : reason;
}

}  // namespace gatehouse::net
