#include "http/form_sender.h"

#include <gtest/gtest.h>

namespace gatehouse::http {
namespace {

bool passes(std::initializer_list<Field> fields) {
  Headers headers;
  for (const Field field : fields) headers.add(field.name, field.value);
  return sent_by_own_page(headers, [](std::string_view origin) { return origin == "https://own"; });
}

TEST(FormSender, ABrowserTellsBySecFetchSite) {
  EXPECT_TRUE(passes({{"Sec-Fetch-Site", "same-origin"}, {"Origin", "https://proxied"}}));
  EXPECT_TRUE(passes({{"Sec-Fetch-Site", "none"}}));
  for (const char* site : {"same-site", "cross-site", "", "Same-Origin"}) {
    EXPECT_FALSE(passes({{"Sec-Fetch-Site", site}, {"Origin", "https://own"}})) << site;
  }
}

TEST(FormSender, AnOlderBrowserTellsByOrigin) {
  EXPECT_TRUE(passes({{"Origin", "https://own"}}));
  EXPECT_FALSE(passes({{"Origin", "https://evil"}}));
  EXPECT_FALSE(passes({{"Origin", "null"}}));
}

TEST(FormSender, AScriptTellsNothing) {
  EXPECT_TRUE(passes({}));
}

TEST(FormSender, WhatIsToldTwiceIsNotBelieved) {
  EXPECT_FALSE(passes({{"Origin", "https://own"}, {"Origin", "https://own"}}));
  EXPECT_FALSE(passes({{"Sec-Fetch-Site", "same-origin"}, {"Sec-Fetch-Site", "cross-site"}}));
}

}  // namespace
}  // namespace gatehouse::http
