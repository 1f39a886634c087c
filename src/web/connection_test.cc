#include "web/connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fogline {
namespace {

using testing::HasSubstr;
using testing::Not;

HttpResponse Text(int status, std::string body) {
  HttpResponse response;
  response.status = status;
  response.type = "text/plain";
  response.body = std::move(body);
  response.headers.emplace_back("ETag", "\"7\"");
  return response;
}

TEST(HeaderOf, SaysStatusTypeLengthAndWhatGoesWithTheAnswer) {
  EXPECT_EQ(
      HeaderOf(Text(200, "seven"), 11, false),
      "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nETag: \"7\"\r\nContent-Length: 5\r\n\r\n");
}

TEST(HeaderOf, SaysWhetherTheConnectionGoesOnWhereTheVersionWouldHaveItOtherwise) {
  EXPECT_THAT(HeaderOf(Text(200, ""), 11, true), HasSubstr("\r\nConnection: close\r\n"));
  EXPECT_THAT(HeaderOf(Text(200, ""), 11, false), Not(HasSubstr("Connection")));
  EXPECT_THAT(HeaderOf(Text(200, ""), 10, false), HasSubstr("\r\nConnection: keep-alive\r\n"));
  EXPECT_THAT(HeaderOf(Text(200, ""), 10, true), Not(HasSubstr("Connection")));
}

TEST(HeaderOf, AStreamAndNotModifiedHaveNoLength) {
  HttpResponse stream = Text(200, "");
  stream.events_after = "";
  EXPECT_THAT(HeaderOf(stream, 11, true), Not(HasSubstr("Content-Length")));
  EXPECT_THAT(HeaderOf(Text(304, ""), 11, false), Not(HasSubstr("Content-Length")));
}

}  // namespace
}  // namespace fogline
