#include "base/host_port.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fogline {
namespace {

using ::testing::HasSubstr;

TEST(HostPort, IsReadAndWrittenAlike) {
  for (const char* text : {"127.0.0.1:8080", "localhost:0", "[::1]:65535", "[fe80::1%eth0]:80"}) {
    const auto parsed = ParseHostPort(text);
    ASSERT_TRUE(parsed) << parsed.error().ToString();
    EXPECT_EQ(parsed->ToString(), text);
  }
  EXPECT_EQ(ParseHostPort("[::1]:8080")->host, "::1");
  EXPECT_EQ(ParseHostPort("localhost:8080")->port, 8080);
  EXPECT_EQ(Bracketed("::1"), "[::1]");
  EXPECT_EQ(Bracketed("[::1]"), "[::1]");
  EXPECT_EQ(Bracketed("map.example"), "map.example");
}

TEST(HostPort, WhatIsNoneIsToldInOneLine) {
  for (const char* text : {"", ":", ":80", "host", "host:", "host:x", "host:80x", "host:-1",
                           "host:65536", "host:99999999999999999999", "::1:80", "::1", "[::1]",
                           "[::1:80", "::1]:80", "[]:80", "[host]:80", "a b:80", "http://h:80"}) {
    const auto refused = ParseHostPort(text);
    ASSERT_FALSE(refused) << text;
    EXPECT_EQ(refused.error().code, ErrorCode::kUsage) << text;
    EXPECT_EQ(refused.error().ToString().find('\n'), std::string::npos);
  }
  EXPECT_THAT(ParseHostPort("::1:80").error().message, HasSubstr("[::1]:8080"));
  EXPECT_THAT(ParseHostPort("h:70000").error().message, HasSubstr("65535"));
}

}  // namespace
}  // namespace fogline
