#include "gateway/authz/question.h"

#include "gateway/field_names.h"

namespace gatehouse::gateway {

bool is_internal_field(std::string_view name) {
  return fold_begins_with(name, "x-gatehouse-");
}

ToldBody told_body(const http::Request& request, std::size_t limit) {
  const std::string_view bytes = request.body.bytes;
  return {bytes.substr(0, limit), request.body.stream != nullptr || bytes.size() > limit};
}

void QuestionFields::finish(const http::Request& request, http::Headers& told) const {
  identity_.strip(told);
  told.remove_if([](http::Field field) { return folds_to(field.name, kPartialBodyField); });
  forwarded_.apply(request, told);
}

}  // namespace gatehouse::gateway
