#include "net/error_answer.h"

#include <string>

namespace gatehouse::net {

http::Response error_answer(int status, std::string_view reason) {
  std::string text = std::to_string(status);
  text.append(" ").append(http::reason_phrase(status));
  if (!reason.empty()) text.append(": ").append(reason);
  text.append("\n");
  http::Response response = http::make_response(status, "text/plain; charset=utf-8", text);
  response.close = true;
  return response;
}

}  // namespace gatehouse::net
