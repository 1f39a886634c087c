// What ffmpeg is told, and what is made of its words and pictures.
#include "edge/ffmpeg.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "edge/ppm.h"

namespace fogline {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

std::string Ppm(int width, int height, char pixel) {
  return "P6\n" + std::to_string(width) + " " + std::to_string(height) + "\n255\n" +
         std::string(static_cast<size_t>(width * height * 3), pixel);
}

/// Feeds a stream in pieces of at most `most` bytes; its pictures' sizes and first bytes.
std::vector<std::string> PicturesIn(const std::string& stream, size_t most) {
  PpmReader reader;
  std::vector<std::string> found;
  for (size_t at = 0; at < stream.size();) {
    const auto room = reader.Room();
    const size_t n = std::min({room.size(), most, stream.size() - at});
    std::memcpy(room.data(), stream.data() + at, n);
    at += n;
    const auto whole = reader.Filled(n);
    if (!whole) return {whole.error().ToString()};
    if (!*whole) continue;
    Image image;
    reader.Take(image);
    EXPECT_EQ(image.rgb.size(), static_cast<size_t>(image.width * image.height * 3));
    found.push_back(std::to_string(image.width) + "x" + std::to_string(image.height) +
                    static_cast<char>(image.rgb[0]));
  }
  return found;
}

TEST(Ppm, PicturesComeOutOfAnyPiecesEachOfItsOwnSize) {
  const std::string stream = Ppm(4, 3, 'a') + Ppm(1, 1, 'b') + Ppm(16, 9, 'c');
  for (const size_t most : {size_t{1}, size_t{7}, size_t{1000}}) {
    EXPECT_EQ(PicturesIn(stream, most), (std::vector<std::string>{"4x3a", "1x1b", "16x9c"}));
  }
}

TEST(Ppm, WhatIsNoneIsRefusedBeforeMemoryIsTaken) {
  for (const char* stream :
       {"GIF89a and more bytes than a header may have", "P6\n-4 3\n255\n", "P6\n4 3\n65535\n",
        "P6\n4\n255\n\n", "P6\n99999999 99999999\n255\n", "P6\n4 3 \n255\n"}) {
    EXPECT_THAT(PicturesIn(stream, 1000), testing::ElementsAre(testing::AnyOf(
                                              HasSubstr("no picture"), HasSubstr("more than"))))
        << stream;
  }
}

TEST(FfmpegCall, NoAddressIsAmongItsWords) {
  const VideoRequest request{.name = "rtsp://me:secr'et@host/a",
                             .frame_rate = 2,
                             .at_least = 320,
                             .decoder = {"-c:v", "h264_v4l2m2m"}};
  const FfmpegCall call = CallOf(request);
  for (const std::string& word : call.words) {
    EXPECT_THAT(word, Not(HasSubstr("secr")));
    EXPECT_THAT(word, Not(HasSubstr("host")));
  }
  EXPECT_THAT(call.script, HasSubstr("file 'rtsp://me:secr'\\''et@host/a'\n"));
  EXPECT_THAT(call.script, HasSubstr("option rtsp_transport tcp\n"));
  const auto at = [&](const char* word) {
    return std::ranges::find(call.words, word) - call.words.begin();
  };
  EXPECT_LT(at("h264_v4l2m2m"), at("-i")) << "it decodes, rather than encodes";
}

TEST(FfmpegCall, AFileIsReadByItselfAndHasNoScript) {
  const FfmpegCall call = CallOf({.kind = VideoRequest::Kind::kFile, .name = "-odd.mp4"});
  EXPECT_THAT(call.words, Contains("file:-odd.mp4"));
  EXPECT_EQ(call.script, "");
}

TEST(FfmpegCall, ACameraIsAskedForASize) {
  const FfmpegCall call = CallOf(
      {.kind = VideoRequest::Kind::kCamera, .name = "/dev/video0", .width = 640, .height = 480});
  EXPECT_THAT(call.words, Contains("640x480"));
  EXPECT_THAT(call.words, Contains("/dev/video0"));
}

std::optional<Trouble> TroubleIn(const std::string& text) {
  FfmpegLog log("rtsp://me:secret@host/a?token=t0ken");
  log.Feed(text);
  EXPECT_THAT(log.last_error(), Not(HasSubstr("secret")));
  EXPECT_THAT(log.last_error(), Not(HasSubstr("t0ken")));
  return log.trouble();
}

// As version 5.1 says it.
TEST(FfmpegLog, TellsApartWhyThereAreNoPictures) {
  EXPECT_EQ(TroubleIn("[tcp @ 0x55f] [error] Connection to tcp://127.0.0.1:1?timeout=0 failed: "
                      "Connection refused\n[concat @ 0x401] [error] Impossible to open "
                      "'rtsp://me:secret@host/a?token=t0ken'\n[error] pipe:0: Connection "
                      "refused\n"),
            Trouble::kUnreachable);
  EXPECT_EQ(TroubleIn("[rtsp @ 0x4040] [error] method DESCRIBE failed: 404 Not Found\n"),
            Trouble::kMissing);
  EXPECT_EQ(TroubleIn("[rtsp @ 0x4010] [error] method DESCRIBE failed: 401 Unauthorized\n"),
            Trouble::kDenied);
  EXPECT_EQ(TroubleIn("[error] Stream map '0:v:0' matches no streams.\n"), Trouble::kNoVideo);
  EXPECT_EQ(TroubleIn("[h264 @ 0x4010] [error] error while decoding MB 404 12\n"), std::nullopt);
  EXPECT_EQ(TroubleIn("[h264 @ 0x4010] [warning] 401 Unauthorized\n"), std::nullopt);
  EXPECT_EQ(TroubleIn("401 Unauthorized with no level\n"), std::nullopt);
}

TEST(FfmpegLog, TheLastErrorIsShownWithoutSecrets) {
  FfmpegLog log("rtsp://me:secret@host/a?token=t0ken");
  log.Feed("[error] rtsp://me:secret@host/a?token=t0");
  log.Feed("ken: odd\x1b[2J\n[x @ 0x1] [info] fine\n");
  EXPECT_EQ(log.last_error(), "rtsp://host/a: odd\\x1b[2J");
}

TEST(FfmpegLog, KnowsWhenAVideoBeginsAndWhereEachPictureIs) {
  FfmpegLog log("a.mp4");
  log.Feed(
      "[info]     creation_time   : 2026-03-01T10:00:00.000000Z\n"
      "[info] Stream mapping:\n"
      "[info]     creation_time   : 2020-01-01T10:00:00.000000Z\n"
      "[Parsed_showinfo_0 @ 0x1] [info] config in time_base: 1/12800, frame_rate: 25/1\n"
      "[Parsed_showinfo_0 @ 0x1] [info] n:   0 pts:      0 pts_time:0       duration:1\n"
      "[Parsed_showinfo_0 @ 0x1] [info] n:   1 pts:   NOPTS pts_time:NOPTS duration:1\n"
      "[Parsed_showinfo_0 @ 0x1] [info] n:   2 pts:    512 pts_time:0.04    duration:1\n");
  ASSERT_TRUE(log.created());
  EXPECT_EQ(log.created()->local_us, 1772359200000000);
  EXPECT_EQ(log.created()->offset_s, 0);
  EXPECT_EQ(log.NextPicture(), 0.0);
  EXPECT_EQ(log.NextPicture(), std::nullopt)
      << "a picture without a time has its place all the same";
  EXPECT_EQ(log.NextPicture(), 0.04);
  EXPECT_EQ(log.NextPicture(), std::nullopt);

  FfmpegLog apple("a.mov");
  apple.Feed(
      "[info]     creation_time   : 2026-03-01T10:00:00.000000Z\n"
      "[info]     com.apple.quicktime.creationdate: 2026-03-01T12:00:00+0200\n");
  EXPECT_EQ(apple.created()->offset_s, 7200);
}

}  // namespace
}  // namespace fogline
