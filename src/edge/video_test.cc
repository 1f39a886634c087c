// Watching over a decoder, with scripts in ffmpeg's place.
#include "edge/video.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <future>
#include <thread>

#include "base/file.h"
#include "base/process.h"
#include "edge/latest.h"

namespace fogline {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr const char* kPicture = "printf 'P6\\n2 1\\n255\\nabcdef'\n";

class Video : public testing::Test {
 protected:
  /// What stands in ffmpeg's place: a shell script that appends a line to `starts` each time.
  VideoRequest Request(const std::string& script,
                       VideoRequest::Kind kind = VideoRequest::Kind::kStream) {
    const auto program = dir_.path() / "ffmpeg";
    EXPECT_TRUE(WriteFile(program, "#!/bin/sh\necho $$ >> " + starts().string() + "\n" + script));
    chmod(program.c_str(), 0755);
    VideoRequest request{.kind = kind, .name = "rtsp://me:secret@host/a"};
    if (kind == VideoRequest::Kind::kFile) {
      request.name = (dir_.path() / "a.mp4").string();
      EXPECT_TRUE(WriteFile(request.name, "a video"));
    }
    request.program = program.string();
    return request;
  }
  std::filesystem::path starts() const { return dir_.path() / "starts"; }
  size_t Starts() const {
    const std::string text = ReadTextFile(starts()).value_or("");
    return static_cast<size_t>(std::ranges::count(text, '\n'));
  }

  std::unique_ptr<Source> Open(VideoRequest request, const VideoOptions& options = {}) {
    auto source = OpenVideo(std::move(request), options);
    EXPECT_TRUE(source) << source.error().ToString();
    return source ? *std::move(source) : nullptr;
  }

  const TempDir dir_;
};

uint64_t Losses(const Source& source, Trouble trouble) {
  return source.state()->losses[static_cast<size_t>(trouble)];
}

TEST_F(Video, EveryPictureOfAFileAndThenItsEnd) {
  const auto source = Open(Request(std::string(kPicture) + kPicture, VideoRequest::Kind::kFile));
  Capture capture;
  for (const char* where : {"a.mp4 picture 1", "a.mp4 picture 2"}) {
    ASSERT_TRUE(source->Next(capture).value());
    EXPECT_THAT(capture.where, HasSubstr(where));
    EXPECT_EQ(capture.image.width, 2);
    EXPECT_EQ(capture.image.rgb, (std::vector<uint8_t>{'a', 'b', 'c', 'd', 'e', 'f'}));
    EXPECT_EQ(capture.captured_from, TimeSource::kFile);
  }
  EXPECT_FALSE(source->Next(capture).value());
  EXPECT_FALSE(source->Next(capture).value());
  EXPECT_EQ(Starts(), 1U);
}

TEST_F(Video, AFilesPicturesHaveTheTimesOfItsContainer) {
  const auto source =
      Open(Request("echo '[info]     creation_time   : 2026-03-01T10:00:00Z' >&2\n"
                   "echo '[Parsed_showinfo_0 @ 0x1] [info] n: 0 pts: 3 pts_time:1.5 x' >&2\n" +
                       std::string(kPicture),
                   VideoRequest::Kind::kFile));
  Capture capture;
  ASSERT_TRUE(source->Next(capture).value());
  EXPECT_EQ(capture.captured_us, 1772359201500000);
  EXPECT_EQ(capture.captured_from, TimeSource::kOffset);
}

TEST_F(Video, AFileThatIsNoneIsAnErrorOnceAndThenTheEnd) {
  const auto source =
      Open(Request("echo '[error] file:a.mp4: Invalid data found when processing "
                   "input' >&2; exit 1\n",
                   VideoRequest::Kind::kFile));
  Capture capture;
  const auto none = source->Next(capture);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(none.error().ToString(), HasSubstr("holds no video"));
  EXPECT_FALSE(source->Next(capture).value());
}

TEST_F(Video, AFileStartsOverWhereAskedTo) {
  const auto source = Open(Request(kPicture, VideoRequest::Kind::kFile), {.loop = true});
  Capture capture;
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(source->Next(capture).value());
  EXPECT_EQ(Starts(), 3U);
}

TEST_F(Video, AStreamThatEndsOrBreaksOffIsBegunAnew) {
  const auto source = Open(Request(std::string(kPicture) + "[ $(wc -l < " + starts().string() +
                                   ") -lt 3 ] || { echo '[error] a: Connection reset' >&2; exit "
                                   "1; }\n"));
  Capture capture;
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(source->Next(capture).value());
    EXPECT_TRUE(source->state()->giving);
    EXPECT_EQ(capture.captured_from, TimeSource::kClock);
    EXPECT_THAT(capture.where, testing::StartsWith("rtsp://host/a picture "));
  }
  EXPECT_EQ(Losses(*source, Trouble::kEnded), 2U);
  EXPECT_EQ(Losses(*source, Trouble::kUnreachable), 1U);
}

TEST_F(Video, ATornPictureIsNeverGiven) {
  const auto source = Open(Request("printf 'P6\\n2 1\\n255\\nabc'\n" + std::string("[ $(wc -l < ") +
                                   starts().string() + ") -lt 2 ] || printf 'def'\n"));
  Capture capture;
  ASSERT_TRUE(source->Next(capture).value());
  EXPECT_EQ(capture.image.rgb.back(), 'f');
  EXPECT_EQ(Starts(), 2U);
}

TEST_F(Video, AStreamThatFallsSilentIsBegunAnewAndItsDecoderIsGone) {
  const auto source =
      Open(Request(std::string(kPicture) + "exec sleep 1000\n"), {.patience = 200ms});
  Capture capture;
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(source->Next(capture).value());
  EXPECT_EQ(Losses(*source, Trouble::kSilent), 1U);
  const std::string pids = ReadTextFile(starts()).value();
  EXPECT_NE(kill(std::stoi(pids), 0), 0) << "the first one runs on";
}

TEST_F(Video, WhoIsRefusedDoesNotTryAgainSoon) {
  auto source = Open(Request("echo '[error] a: 401 Unauthorized' >&2; exit 1\n"));
  auto next = std::async(std::launch::async, [&] {
    Capture capture;
    return source->Next(capture);
  });
  while (Losses(*source, Trouble::kDenied) == 0) std::this_thread::sleep_for(1ms);
  source->Interrupt();
  EXPECT_FALSE(next.get().value());
  EXPECT_EQ(Starts(), 1U);
}

TEST_F(Video, WordsWithoutEndHoldUpNobody) {
  const auto source =
      Open(Request("head -c 1000000 /dev/zero | tr '\\0' '\\n' >&2\n" + std::string(kPicture)));
  Capture capture;
  EXPECT_TRUE(source->Next(capture).value());
}

TEST_F(Video, TheNewestOfAStreamIsGivenAndTheOthersAreCounted) {
  LatestSource latest(Open(Request("i=0\nwhile [ $i -lt 50 ]; do " +
                                   std::string("printf 'P6\\n2 1\\n255\\nabcdef'; i=$((i+1)); "
                                               "done\nexec sleep 1000\n"))),
                      Nanos(0));
  Capture capture;
  ASSERT_TRUE(latest.Next(capture).value());
  while (latest.overtaken() < 48) std::this_thread::sleep_for(1ms);  // they come while nobody asks
  ASSERT_TRUE(latest.Next(capture).value());
  EXPECT_THAT(capture.where, testing::EndsWith("picture 50"));
}

TEST_F(Video, AStreamWaitsForAProgramThatIsBeingReplaced) {
  const VideoRequest request = Request(kPicture);
  const auto aside = dir_.path() / "aside";
  std::filesystem::rename(request.program, aside);
  std::filesystem::create_symlink(aside, request.program);  // it is there when the source is opened
  const auto source = Open(request);
  std::filesystem::remove(request.program);
  auto next = std::async(std::launch::async, [&] {
    Capture capture;
    return source->Next(capture);
  });
  while (Losses(*source, Trouble::kBroken) == 0) std::this_thread::sleep_for(1ms);
  std::filesystem::rename(aside, request.program);
  EXPECT_TRUE(next.get().value());
}

TEST_F(Video, WithoutFfmpegOrAnAddressThereIsNoBeginning) {
  VideoRequest request{.name = "rtsp://me:secret@host/a"};
  request.program = "no-such-ffmpeg";
  const auto none = OpenVideo(request, {});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().ToString(),
            "rtsp://host/a: is read by ffmpeg, which is not installed: apt-get install ffmpeg");
  for (const char* address :
       {"ftp://host/a", "rtsp://", "rtsp://u:secret@/a", "rtsp://host/a\nfile 'b'"}) {
    VideoRequest wrong = Request(kPicture);
    wrong.name = address;
    const auto refused = OpenVideo(wrong, {});
    ASSERT_FALSE(refused) << address;
    EXPECT_EQ(refused.error().code, ErrorCode::kUsage);
    EXPECT_THAT(refused.error().ToString(), testing::Not(HasSubstr("secret")));
  }
}

}  // namespace
}  // namespace fogline
