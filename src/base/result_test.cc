#include "base/result.h"

#include <gtest/gtest.h>

#include <set>

namespace gatehouse {
namespace {

Result<int> refuse() {
  return fail(ErrorCode::kDenied, "no");
}

Result<std::string> pass_on() {
  auto number = refuse();
  if (!number) return fail(std::move(number));
  return std::to_string(*number);
}

TEST(ResultTest, FailureIsPassedOnAcrossTypes) {
  const auto result = pass_on();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kDenied);
  EXPECT_EQ(result.error().message, "no");
}

TEST(ResultTest, ErrorIsToldFromFurtherOut) {
  const Error error = Error{ErrorCode::kInvalid, "bad"}.in("field").in("file.yaml");
  EXPECT_EQ(error.code, ErrorCode::kInvalid);
  EXPECT_EQ(error.message, "file.yaml: field: bad");
}

TEST(ResultTest, EachCodeHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (int code = 0; code <= static_cast<int>(ErrorCode::kInternal); ++code) {
    names.insert(to_string(static_cast<ErrorCode>(code)));
  }
  EXPECT_EQ(names.size(), static_cast<std::size_t>(ErrorCode::kInternal) + 1);
  EXPECT_EQ(to_string(ErrorCode::kNotFound), "not found");
}

}  // namespace
}  // namespace gatehouse
