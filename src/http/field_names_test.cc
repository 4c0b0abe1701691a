#include "http/field_names.h"

#include <gtest/gtest.h>

namespace gatehouse::http {
namespace {

TEST(FieldNames, FoldAsVariablesOfAnUpstreamDo) {
  EXPECT_EQ(folded("X_Auth.User9"), "x-auth-user9");
  for (const std::string_view name :
       {"kubeflow-userid", "Kubeflow-UserID", "kubeflow_userid", "kubeflow.userid",
        "kubeflow~userid", "KUBEFLOW!USERID", "kubeflow|userid"}) {
    EXPECT_TRUE(folds_to(name, "kubeflow-userid")) << name;
  }
  for (const std::string_view name : {"kubeflowuserid", "kubeflow-userid-", "kubeflow-user", ""}) {
    EXPECT_FALSE(folds_to(name, "kubeflow-userid")) << name;
  }
}

TEST(FieldNames, PrefixesFoldToo) {
  EXPECT_TRUE(fold_begins_with("X_Forwarded_For", "x-forwarded-"));
  EXPECT_FALSE(fold_begins_with("x-forward", "x-forwarded-"));
}

TEST(FieldNames, FramingIsKnownUnderItsAliases) {
  EXPECT_TRUE(is_framing_field("Transfer_Encoding"));
  EXPECT_TRUE(is_framing_field("HOST"));
  EXPECT_FALSE(is_framing_field("hostname"));
}

}  // namespace
}  // namespace gatehouse::http
