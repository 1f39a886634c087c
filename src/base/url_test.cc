#include "base/url.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace fogline {
namespace {

TEST(Url, IsReadInItsParts) {
  const auto whole = Url::Parse("redis://me:se/cr:e@t@[fe80::1]:6380/3");
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->scheme, "redis");
  EXPECT_EQ(whole->user, "me");
  EXPECT_EQ(whole->password, "se/cr:e@t");
  EXPECT_EQ(whole->host, "fe80::1");
  EXPECT_EQ(whole->port, 6380);
  EXPECT_EQ(whole->path, "/3");
  const auto bare = Url::Parse("mqtt://broker");
  ASSERT_TRUE(bare);
  EXPECT_EQ(bare->host, "broker");
  EXPECT_EQ(bare->user, "");
  EXPECT_FALSE(bare->password);
  EXPECT_FALSE(bare->port);
  EXPECT_EQ(bare->path, "");
  EXPECT_EQ(Url::Parse("mqtt://user@h/")->user, "user");
  EXPECT_EQ(Url::Parse("mqtt://:p@h")->password, "p");
}

TEST(Url, WhatIsNoneIsRefused) {
  for (const char* text : {"", "broker", "broker:1883", "://h", "mqtt://", "mqtt://:1883",
                           "mqtt://[]:1883", "mqtt://h:", "mqtt://h:0", "mqtt://h:65536",
                           "mqtt://h:1x", "mqtt://h:-1", "mqtt://u@/x", "mqtt://::1"}) {
    EXPECT_FALSE(Url::Parse(text)) << text;
  }
}

TEST(Url, IsShownWithoutSecrets) {
  for (const auto& [address, shown] : std::vector<std::pair<std::string, std::string>>{
           {"rtsp://cam:pa@ss/w@10.0.0.7:554/stream/1", "rtsp://10.0.0.7:554/stream/1"},
           {"http://[fe80::1]/video.cgi?user=a&pwd=b", "http://[fe80::1]/video.cgi"},
           {"rtsp://cam/user=admin&password=secret&channel=1.sdp", "rtsp://cam/user"},
           {"rtsp://cam", "rtsp://cam"},
           {"rtsp://u:p@", "rtsp://…"},
           {"rtsp://u:p", "rtsp://…"},
           {"/data/a?b=c", "/data/a?b=c"},
           {"-", "-"}}) {
    EXPECT_EQ(WithoutSecrets(address), shown);
  }
}

TEST(Url, SecretsAreStruckOutOfAProgramsWords) {
  std::vector<std::string> words{"fogline", "cam=rtsp://me:secret@h/a", "--broker=mqtts://h:1/",
                                 "http://h/a.cgi?pwd=secret", "/data/a?b=c"};
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  HideSecrets(static_cast<int>(argv.size()), argv.data());
  EXPECT_EQ(words, (std::vector<std::string>{"fogline", "cam=rtsp://*********@h/a",
                                             "--broker=mqtts://h:1/", "http://h/a.cgi?**********",
                                             "/data/a?b=c"}));
}

}  // namespace
}  // namespace fogline
