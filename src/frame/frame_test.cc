#include "frame/frame.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>
#include <random>
#include <sstream>

#include "base/file.h"
#include "codec/codec.h"
#include "codec/payload_header.h"
#include "frame/ack.h"
#include "frame/answer.h"
#include "frame/frame_route.h"
#include "frame/head.h"
#include "frame/json_frame.h"
#include "frame/topics.h"

namespace fogline {
namespace {

TEST(Answer, TellsADeviceAllOfItsFrameAndNothingOfTheCloudsOwn) {
  const auto told = [](ErrorCode code, const std::string& where, const std::string& message) {
    const Error error(code, where, message);
    return ReasonFor(AnswerTo(error), error);
  };
  EXPECT_EQ(told(ErrorCode::kInvalid, "frame", "is nonsense"), "frame: is nonsense");
  EXPECT_EQ(told(ErrorCode::kNotFound, "model 12ab", "is not there"), "model 12ab: is not there");
  EXPECT_EQ(told(ErrorCode::kConflict, "bundle 12ab", "is not there"), "bundle 12ab: is not there");
  for (const char* own : {"/srv/models/a.onnx", "models/a.onnx from split1", "fogline.db",
                          "redis://10.0.0.7:6379/0", "postgresql:", "", "frames"}) {
    EXPECT_EQ(told(ErrorCode::kUnavailable, own, "cannot open /srv"),
              "the cloud cannot take it now (unavailable); its log says why");
    EXPECT_EQ(told(ErrorCode::kInvalid, own, "at /srv"),
              "the cloud cannot take it (invalid); its log says why");
  }
  EXPECT_EQ(told(ErrorCode::kInternal, "frame", "cannot be worked on: open /srv/x"),
            "the cloud cannot take it now (internal); its log says why");
}

std::span<const std::byte> Bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

Frame Example() {
  Frame frame;
  frame.device = "bike-7";
  frame.run = 0x0123456789abcdef;
  frame.sequence = 42;
  frame.captured_us = 1'700'000'000'000'000;
  frame.captured_from = TimeSource::kGps;
  frame.has_position = true;
  frame.lat = 51.0681234;
  frame.lon = -4.5;
  frame.accuracy_m = 3.5F;
  frame.heading_deg = 271.25F;
  frame.model = 1;
  frame.cut = 2;
  frame.bundle = 3;
  frame.stages = {10, 20, 30, 40, 50};
  frame.settled = {{40, 6500}, {41, 7000}};
  frame.payloads.push_back(
      {Role::kActivation, 3, 4, DType::kF32, Shape{1, 160, 5, 5}, Bytes("activation")});
  frame.payloads.push_back({Role::kThumbnail, 4, 60, DType::kU8, Shape{60, 80, 3}, Bytes("jpeg")});
  return frame;
}

TEST(Frame, ReadsWhatItWrites) {
  const Frame frame = Example();
  std::vector<std::byte> bytes;
  ASSERT_TRUE(WriteFrame(frame, bytes));
  Frame read;
  const Status status = ParseFrame(bytes, read);
  ASSERT_TRUE(status) << status.error().ToString();
  EXPECT_EQ(read.device, frame.device);
  EXPECT_EQ(read.run, frame.run);
  EXPECT_EQ(read.sequence, frame.sequence);
  EXPECT_EQ(read.captured_us, frame.captured_us);
  EXPECT_EQ(read.captured_from, TimeSource::kGps);
  EXPECT_NEAR(read.lat, frame.lat, 1e-7);
  EXPECT_NEAR(read.lon, frame.lon, 1e-7);
  EXPECT_FLOAT_EQ(read.accuracy_m, frame.accuracy_m);
  EXPECT_FLOAT_EQ(read.heading_deg, frame.heading_deg);
  EXPECT_EQ(read.stages.window, 50U);
  ASSERT_EQ(read.settled.size(), 2U);
  EXPECT_EQ(read.settled[0].sequence, 40U);
  EXPECT_EQ(read.settled[1].network_us, 7000U);
  ASSERT_EQ(read.payloads.size(), 2U);
  EXPECT_EQ(read.payloads[0].shape, (Shape{1, 160, 5, 5}));
  EXPECT_TRUE(std::ranges::equal(read.payloads[0].bytes, Bytes("activation")));
  EXPECT_EQ(read.payloads[1].role, Role::kThumbnail);
}

bool Same(float a, float b) { return a == b || (std::isnan(a) && std::isnan(b)); }

/// Every field alike, unknown ones included.
void ExpectSame(const Frame& a, const Frame& b) {
  EXPECT_EQ(a.device, b.device);
  EXPECT_EQ(a.run, b.run);
  EXPECT_EQ(a.sequence, b.sequence);
  EXPECT_EQ(a.captured_us, b.captured_us);
  EXPECT_EQ(a.captured_from, b.captured_from);
  EXPECT_EQ(a.has_position, b.has_position);
  EXPECT_EQ(a.lat, b.lat);
  EXPECT_EQ(a.lon, b.lon);
  EXPECT_TRUE(Same(a.accuracy_m, b.accuracy_m)) << a.accuracy_m << " " << b.accuracy_m;
  EXPECT_TRUE(Same(a.heading_deg, b.heading_deg)) << a.heading_deg << " " << b.heading_deg;
  EXPECT_EQ(a.model, b.model);
  EXPECT_EQ(a.cut, b.cut);
  EXPECT_EQ(a.bundle, b.bundle);
  for (auto stage : {&EdgeStages::read, &EdgeStages::resize, &EdgeStages::prefix,
                     &EdgeStages::encode, &EdgeStages::window}) {
    EXPECT_EQ(a.stages.*stage, b.stages.*stage);
  }
  ASSERT_EQ(a.settled.size(), b.settled.size());
  for (size_t i = 0; i < a.settled.size(); ++i) {
    EXPECT_EQ(a.settled[i].sequence, b.settled[i].sequence);
    EXPECT_EQ(a.settled[i].network_us, b.settled[i].network_us);
  }
  EXPECT_EQ(a.counts, b.counts);
  EXPECT_EQ(a.picture, b.picture);
  EXPECT_EQ(a.unchanged_since, b.unchanged_since);
  ASSERT_EQ(a.payloads.size(), b.payloads.size());
  for (size_t i = 0; i < a.payloads.size(); ++i) {
    EXPECT_EQ(a.payloads[i].role, b.payloads[i].role);
    EXPECT_EQ(a.payloads[i].codec, b.payloads[i].codec);
    EXPECT_EQ(a.payloads[i].parameter, b.payloads[i].parameter);
    EXPECT_EQ(a.payloads[i].dtype, b.payloads[i].dtype);
    EXPECT_EQ(a.payloads[i].shape, b.payloads[i].shape);
    EXPECT_TRUE(std::ranges::equal(a.payloads[i].bytes, b.payloads[i].bytes));
    EXPECT_EQ(a.payloads[i].tensor, b.payloads[i].tensor);
  }
}

/// The frame and the answer of docs/wire_format.md.
Frame DocumentedFrame() {
  static constexpr std::array<uint8_t, 5> kData{1, 2, 3, 4, 5};
  Frame frame;
  frame.device = "bike-7";
  frame.run = 0x11;
  frame.sequence = 3;
  frame.captured_us = 1'700'000'000'000'000;
  frame.has_position = true;
  frame.lat = 51.068;
  frame.lon = 4.5;
  frame.accuracy_m = 3.5F;
  frame.model = 0x22;
  frame.cut = 0x33;
  frame.bundle = 0x44;
  frame.stages = {1000, 500, 3000, 40, 0};
  frame.payloads.push_back({Role::kActivation, 3, 4, DType::kF32, Shape{1, 160, 5, 5},
                            std::as_bytes(std::span(kData)), TensorId("add10")});
  return frame;
}

/// As versions 1 to 3 say it: their one tensor has no name.
Frame OlderFrame() {
  Frame frame = DocumentedFrame();
  frame.payloads[0].tensor = 0;
  return frame;
}

/// The third example: two tensors, each with a codec of its own.
Frame DocumentedTensors() {
  static constexpr std::array<uint8_t, 2> kMask{1, 0};
  Frame frame = DocumentedFrame();
  frame.sequence = 5;
  frame.has_position = false;
  frame.lat = frame.lon = 0;
  frame.accuracy_m = NAN;
  frame.cut = 0x66;
  frame.payloads[0].shape = Shape{1, 32, 20, 20};
  frame.payloads[0].tensor = TensorId("p3");
  frame.payloads.push_back({Role::kActivation, 1, 0, DType::kBool, Shape{1, 2},
                            std::as_bytes(std::span(kMask)), TensorId("mask")});
  return frame;
}

/// Lines of hex digits, each with a remark behind a '#' perhaps.
std::vector<std::byte> FromHex(const std::string& text) {
  std::istringstream lines(text);
  std::vector<std::byte> bytes;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream digits(line.substr(0, line.find('#')));
    for (std::string pair; digits >> pair;) {
      bytes.push_back(static_cast<std::byte>(std::stoi(pair, nullptr, 16)));
    }
  }
  return bytes;
}

/// The n-th block of the page that is fenced as ```hex.
std::vector<std::byte> DocumentedBytes(size_t n) {
  std::string page =
      ReadTextFile(std::filesystem::path(FOGLINE_SOURCE_DIR) / "docs/wire_format.md").value();
  for (size_t i = 0; i <= n; ++i) page.erase(0, page.find("```hex\n") + 7);
  return FromHex(page.substr(0, page.find("```")));
}

ResultPayload TwoCars() {
  return {2, 0.875F, true, "car",
          BoxFindings{
              {{"car", 0.875F, 0.2F, 0.4F, 0.2F, 0.2F}, {"car", 0.5F, 0.6F, 0.4F, 0.2F, 0.4F}}, 0}};
}

/// The answers: without findings and with them.
Ack DocumentedAck() {
  return {AckStatus::kStored, 0x11, 3, {50, 20, 1500, 900, 2600}, 1, 0.75F, "", std::nullopt};
}
Ack DocumentedAnswer() {
  return {AckStatus::kStored, 0x11, 3, {50, 20, 1500, 900, 2600}, 2, 0.875F, "", TwoCars()};
}

/// The second example: what the device found.
Frame DocumentedResult(std::vector<std::byte>& data) {
  WriteResult(TwoCars(), data);
  Frame frame;
  frame.device = "bike-7";
  frame.run = 0x11;
  frame.sequence = 4;
  frame.captured_us = 1'700'000'000'000'000;
  frame.model = 0x22;
  frame.cut = 0x55;
  frame.stages = {1000, 500, 90'000, 20, 0};
  frame.settled = {{3, 6500}};
  frame.counts = {12, 1, 0};
  frame.payloads.push_back({Role::kResult, 0, 0, DType::kUndefined, {}, data});
  return frame;
}

/// The last example: a picture that left at an exit.
Frame DocumentedExit(std::vector<std::byte>& data) {
  data.clear();
  WriteResult({1, 0.9375F, true, "litter", std::nullopt}, data);
  Frame frame;
  frame.device = "bike-7";
  frame.run = 0x11;
  frame.sequence = 6;
  frame.captured_us = 1'700'000'000'000'000;
  frame.model = 0x22;
  frame.cut = 0x66;
  frame.stages = {1000, 500, 1200, 20, 0};
  frame.gate = FrameGate{0xee8fab1b00000077, 0.9684, true};
  frame.payloads.push_back({Role::kResult, 0, 0, DType::kUndefined, {}, data});
  return frame;
}

/// A picture in which nothing is new since frame 3.
Frame DocumentedUnchanged(std::vector<std::byte>& data) {
  data.clear();
  WriteResult({1, 0.9375F, true, "litter", std::nullopt}, data);
  Frame frame;
  frame.device = "bike-7";
  frame.run = 0x11;
  frame.sequence = 7;
  frame.captured_us = 1'700'000'000'000'000;
  frame.model = 0x22;
  frame.cut = 0x66;
  frame.stages = {1000, 300, 0, 0, 0};
  frame.unchanged_since = 3;
  frame.payloads.push_back({Role::kResult, 0, 0, DType::kUndefined, {}, data});
  return frame;
}

TEST(Docs, TheWorkedExamplesAreWhatTheCodeWrites) {
  std::vector<std::byte> bytes, data;
  ASSERT_TRUE(WriteFrame(DocumentedFrame(), bytes));
  EXPECT_EQ(DocumentedBytes(0), bytes);
  ASSERT_TRUE(WriteFrame(DocumentedResult(data), bytes));
  EXPECT_EQ(DocumentedBytes(1), bytes);
  ASSERT_TRUE(WriteFrame(DocumentedTensors(), bytes));
  EXPECT_EQ(DocumentedBytes(2), bytes);
  WriteAck(DocumentedAck(), bytes);
  EXPECT_EQ(DocumentedBytes(6), bytes);
  WriteAck(DocumentedAnswer(), bytes);
  EXPECT_EQ(DocumentedBytes(7), bytes);
  ASSERT_TRUE(WriteFrame(DocumentedExit(data), bytes));
  EXPECT_EQ(DocumentedBytes(8), bytes);
  ASSERT_TRUE(WriteFrame(DocumentedUnchanged(data), bytes));
  EXPECT_EQ(DocumentedBytes(9), bytes);
}

/// Field by field what was written, in each version.
TEST(Docs, TheWorkedExamplesOfEveryVersionAreRead) {
  const std::pair<size_t, Frame> examples[] = {{0, DocumentedFrame()},
                                               {2, DocumentedTensors()},
                                               {3, OlderFrame()},
                                               {4, OlderFrame()},
                                               {5, OlderFrame()}};
  for (const auto& example : examples) {
    Frame read;
    const auto bytes = DocumentedBytes(example.first);
    const Status status = ParseFrame(bytes, read);
    ASSERT_TRUE(status) << example.first << ": " << status.error().ToString();
    ExpectSame(read, example.second);
  }
  Frame read;
  std::vector<std::byte> data;
  const auto bytes = DocumentedBytes(1);
  ASSERT_TRUE(ParseFrame(bytes, read));
  ExpectSame(read, DocumentedResult(data));
  const auto result = ParseResult(read.payloads.at(0).bytes);
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->positive);
  ASSERT_TRUE(result->findings);
  EXPECT_EQ(std::get<BoxFindings>(*result->findings).boxes.at(1).x, 0.6F);
}

/// What a device of version 2 sends, byte for byte.
TEST(Frame, AFrameOfVersionTwoIsRead) {
  const auto bytes = FromHex(
      "46 47 4c 31 02 01 01 06 85 00 00 00 "
      "11 00 00 00 00 00 00 00 03 00 00 00 00 00 00 00 "
      "00 40 1e 18 24 0a 06 00 "
      "22 00 00 00 00 00 00 00 33 00 00 00 00 00 00 00 "
      "44 00 00 00 00 00 00 00 "
      "e8 03 00 00 f4 01 00 00 b8 0b 00 00 28 00 00 00 00 00 00 00 05 "
      "62 69 6b 65 2d 37 "
      "c0 5b 70 1e 40 a5 ae 02 23 00 ff ff "
      "00 03 04 01 04 01 00 00 00 a0 00 00 00 05 00 00 00 05 00 00 00 "
      "05 00 00 00 01 02 03 04 05 "
      "36 b2 ae 1c ");
  Frame read;
  const Status status = ParseFrame(bytes, read);
  ASSERT_TRUE(status) << status.error().ToString();
  ExpectSame(read, OlderFrame());
  auto stamped = bytes;
  RestampWindow(77, stamped);
  ASSERT_TRUE(ParseFrame(stamped, read));
  EXPECT_EQ(read.stages.window, 77U);
}

/// What a device of version 3 sends: counts, and an activation without a name.
TEST(Frame, AFrameOfVersionThreeIsRead) {
  const auto bytes = FromHex(
      "46 47 4c 31 03 04 01 06 85 00 00 00 "
      "11 00 00 00 00 00 00 00 03 00 00 00 00 00 00 00 "
      "00 40 1e 18 24 0a 06 00 "
      "22 00 00 00 00 00 00 00 33 00 00 00 00 00 00 00 "
      "44 00 00 00 00 00 00 00 "
      "e8 03 00 00 f4 01 00 00 b8 0b 00 00 28 00 00 00 00 00 00 00 05 "
      "62 69 6b 65 2d 37 "
      "0c 00 00 00 01 00 00 00 02 00 00 00 "
      "00 03 04 01 04 01 00 00 00 a0 00 00 00 05 00 00 00 05 00 00 00 "
      "05 00 00 00 01 02 03 04 05 "
      "d2 87 4c 14 ");
  Frame read;
  const Status status = ParseFrame(bytes, read);
  ASSERT_TRUE(status) << status.error().ToString();
  EXPECT_EQ(read.counts, (DeviceCounts{12, 1, 2}));
  EXPECT_EQ(read.payloads.at(0).tensor, 0U);
  EXPECT_EQ(read.payloads[0].shape, (Shape{1, 160, 5, 5}));
}

/// A frame under another version's number, sealed anew.
std::vector<std::byte> AsVersion(std::vector<std::byte> bytes, uint8_t version) {
  bytes[4] = std::byte{version};
  RestampWindow(0, bytes);
  return bytes;
}

TEST(Frame, ThePicturesSizeTravelsWhereItIsSaid) {
  EXPECT_EQ(PictureSize::Of(640, 480), (PictureSize{640, 480}));
  EXPECT_EQ(PictureSize::Of(100'000, 50'000), (PictureSize{50'000, 25'000}));
  Frame frame = DocumentedFrame(), read;
  std::vector<std::byte> bytes, without, scratch;
  ASSERT_TRUE(WriteFrame(frame, without));
  frame.picture = {640, 480};
  ASSERT_TRUE(WriteFrame(frame, bytes));
  EXPECT_EQ(bytes.size(), without.size() + 4);
  ASSERT_TRUE(ParseFrame(bytes, read));
  EXPECT_EQ(read.picture, frame.picture);
  for (const uint8_t older : {2, 3}) {
    EXPECT_EQ(ParseFrame(AsVersion(bytes, older), read).error().code, ErrorCode::kInvalid);
  }
  frame.picture.height = 0;
  ASSERT_TRUE(WriteFrame(frame, bytes));
  EXPECT_EQ(ParseFrame(bytes, read).error().code, ErrorCode::kInvalid);
  frame.picture.height = 480;
  frame.payloads.clear();
  ASSERT_TRUE(WriteJsonFrame(frame, bytes));
  ASSERT_TRUE(ParseJsonFrame(bytes, read, scratch));
  EXPECT_EQ(read.picture, frame.picture);
}

TEST(Frame, AGateIsWhatItWasAndNoOtherVersionHasOne) {
  std::vector<std::byte> data, bytes;
  Frame frame = DocumentedExit(data), read;
  ASSERT_TRUE(WriteFrame(frame, bytes));
  ASSERT_TRUE(ParseFrame(bytes, read));
  EXPECT_EQ(read.gate, frame.gate);
  const auto route = RouteOf(read);
  ASSERT_TRUE(route);
  EXPECT_EQ(ToString(*route),
            "+0000000000000022:exit=+ee8fab1b00000077@0.9684:+0000000000000066/result");
  EXPECT_EQ(ParseFrame(AsVersion(bytes, 4), read).error().code, ErrorCode::kInvalid);
  for (const FrameGate& bad : {FrameGate{0, 0.5, false}, FrameGate{1, 1.5, false},
                               FrameGate{1, -0.1, true}, FrameGate{1, NAN, true}}) {
    frame.gate = bad;
    ASSERT_TRUE(WriteFrame(frame, bytes));
    EXPECT_EQ(ParseFrame(bytes, read).error().code, ErrorCode::kInvalid) << bad.threshold;
  }
  // Without one nothing changes for older clouds.
  frame.gate.reset();
  ASSERT_TRUE(WriteFrame(frame, bytes));
  EXPECT_EQ(bytes[4], std::byte{4});
}

TEST(Frame, AnUnchangedPictureNamesOneBeforeItAndNoOlderVersionHasOne) {
  std::vector<std::byte> data, bytes;
  Frame frame = DocumentedUnchanged(data), read;
  ASSERT_TRUE(WriteFrame(frame, bytes));
  ASSERT_TRUE(ParseFrame(bytes, read));
  EXPECT_EQ(read.unchanged_since, 3U);
  EXPECT_EQ(ParseFrame(AsVersion(bytes, 5), read).error().code, ErrorCode::kInvalid);
  for (const uint64_t bad : {frame.sequence, frame.sequence + 1, UINT64_MAX}) {
    frame.unchanged_since = bad;
    ASSERT_TRUE(WriteFrame(frame, bytes));
    EXPECT_EQ(ParseFrame(bytes, read).error().code, ErrorCode::kInvalid) << bad;
  }
}

TEST(Frame, CountsBelongToTheVersionThatHasThem) {
  Frame frame = DocumentedFrame(), read;
  frame.counts = {1, 2, 3};
  std::vector<std::byte> bytes;
  ASSERT_TRUE(WriteFrame(frame, bytes));
  ASSERT_TRUE(ParseFrame(bytes, read));
  EXPECT_EQ(read.counts, frame.counts);
  EXPECT_EQ(ParseFrame(AsVersion(bytes, 2), read).error().code, ErrorCode::kInvalid);
  for (const uint8_t unknown : {0, 7, 255}) {
    EXPECT_EQ(ParseFrame(AsVersion(bytes, unknown), read).error().code, ErrorCode::kUnsupported);
  }
}

/// Devices and spools hold frames of version 1, which knew no source of time, for longer than a
/// roll-out takes.
TEST(Frame, AnOlderDevicesFrameIsReadAndItsTimeIsItsOwnClocks) {
  const auto bytes = FromHex(
      "46 47 4c 31 01 01 01 06 84 00 00 00 "
      "11 00 00 00 00 00 00 00 03 00 00 00 00 00 00 00 "
      "00 40 1e 18 24 0a 06 00 "
      "22 00 00 00 00 00 00 00 33 00 00 00 00 00 00 00 "
      "44 00 00 00 00 00 00 00 "
      "e8 03 00 00 f4 01 00 00 b8 0b 00 00 28 00 00 00 00 00 00 00 "
      "62 69 6b 65 2d 37 "
      "c0 5b 70 1e 40 a5 ae 02 23 00 ff ff "
      "00 03 04 01 04 01 00 00 00 a0 00 00 00 05 00 00 00 05 00 00 00 "
      "05 00 00 00 01 02 03 04 05 "
      "43 0d 62 07 ");
  Frame read;
  const Status status = ParseFrame(bytes, read);
  ASSERT_TRUE(status) << status.error().ToString();
  EXPECT_EQ(read.captured_from, TimeSource::kClock);
  EXPECT_EQ(read.captured_us, 1'700'000'000'000'000);
  EXPECT_EQ(read.device, "bike-7");
  EXPECT_EQ(read.stages.prefix, 3000U);
  EXPECT_NEAR(read.lat, 51.068, 1e-7);
  ASSERT_EQ(read.payloads.size(), 1U);
  EXPECT_EQ(read.payloads[0].shape, (Shape{1, 160, 5, 5}));
  EXPECT_EQ(read.payloads[0].bytes.size(), 5U);
  // What waited in a spool is stamped when it leaves.
  auto stamped = bytes;
  RestampWindow(77, stamped);
  ASSERT_TRUE(ParseFrame(stamped, read));
  EXPECT_EQ(read.stages.window, 77U);
}

constexpr std::array kSources{TimeSource::kNone,   TimeSource::kFile, TimeSource::kAssumed,
                              TimeSource::kOffset, TimeSource::kGps,  TimeSource::kClock};

TEST(Frame, EverySourceOfTimeTravelsOnBothWires) {
  for (TimeSource source : kSources) {
    Frame frame = Example();
    frame.captured_from = source;
    frame.captured_us = source == TimeSource::kNone ? 0 : 5;
    std::vector<std::byte> bytes, scratch;
    Frame read;
    ASSERT_TRUE(WriteFrame(frame, bytes));
    ASSERT_TRUE(ParseFrame(bytes, read));
    EXPECT_EQ(read.captured_from, source);
    EXPECT_EQ(ParseTimeSource(ToString(source)), source);
    frame.payloads.clear();
    ASSERT_TRUE(WriteJsonFrame(frame, bytes));
    ASSERT_TRUE(ParseJsonFrame(bytes, read, scratch));
    EXPECT_EQ(read.captured_from, source);
  }
}

TEST(Frame, ATimeOfNoSourceIsNone) {
  Frame frame = Example(), read;
  frame.captured_from = TimeSource::kNone;
  std::vector<std::byte> bytes, scratch;
  ASSERT_TRUE(WriteFrame(frame, bytes));
  EXPECT_FALSE(ParseFrame(bytes, read));
  frame.captured_from = static_cast<TimeSource>(6);
  ASSERT_TRUE(WriteFrame(frame, bytes));
  EXPECT_FALSE(ParseFrame(bytes, read));
  const auto json = [&](const std::string& text) {
    return ParseJsonFrame(Bytes(text), read, scratch).has_value();
  };
  EXPECT_TRUE(json(R"({"header":{"device":"a","captured_us":7},"data":null})"));
  EXPECT_EQ(read.captured_from, TimeSource::kClock);
  EXPECT_FALSE(
      json(R"({"header":{"device":"a","captured_us":7,"captured_from":"none"},"data":null})"));
  EXPECT_FALSE(
      json(R"({"header":{"device":"a","captured_us":7,"captured_from":"sun"},"data":null})"));
}

/// A frame of random parts, each there or not.
Frame RandomFrame(std::mt19937& random) {
  const auto coin = [&] { return random() % 2 == 0; };
  Frame frame;
  frame.device = coin() ? "bike-7" : "a";
  frame.run = random();
  frame.sequence = random();
  frame.captured_from = kSources[random() % kSources.size()];
  if (frame.captured_from != TimeSource::kNone) frame.captured_us = random();
  if (coin()) {
    frame.has_position = true;
    frame.lat = 51.5;
    frame.lon = -4.25;
    if (coin()) frame.accuracy_m = 3.5F;
    if (coin()) frame.heading_deg = 271.25F;
  }
  if (coin()) frame.model = random();
  if (coin()) frame.cut = random();
  if (coin()) frame.stages = {1, 2, 3, 4, 5};
  if (coin() && frame.sequence > 0) frame.unchanged_since = random() % frame.sequence;
  for (size_t n = random() % 3; n > 0; --n) frame.settled.push_back({random(), 7});
  if (coin()) frame.counts = {static_cast<uint32_t>(random()), 2, 3};
  if (coin()) frame.picture = PictureSize::Of(static_cast<int>(random() % 200'000), 3'000);
  if (coin()) {
    frame.payloads.push_back({Role::kActivation, static_cast<uint8_t>(CodecKind::kJson), 0,
                              DType::kF32, Shape{1, 2}, Bytes("[[1,2]]")});
  }
  return frame;
}

/// What one picture's frame says is never found in the next one's, on either wire: not its heading,
/// its accuracy, nor anything else that the next leaves out, whosever it is and whether or not the
/// one between was any good.
TEST(Frame, ReadIntoAUsedFrameItIsAsReadIntoANewOne) {
  std::mt19937 random(3);
  Frame used;
  std::vector<std::byte> bytes, scratch, scratch_of_new;
  for (int i = 0; i < 3000; ++i) {
    const Frame frame = RandomFrame(random);
    const bool json = random() % 2 == 0;
    ASSERT_TRUE(json ? WriteJsonFrame(frame, bytes) : WriteFrame(frame, bytes));
    if (random() % 4 == 0) bytes[random() % bytes.size()] ^= std::byte{0x10};
    Frame fresh;
    const bool read =
        (json ? ParseJsonFrame(bytes, used, scratch) : ParseFrame(bytes, used)).has_value();
    const bool read_fresh =
        (json ? ParseJsonFrame(bytes, fresh, scratch_of_new) : ParseFrame(bytes, fresh))
            .has_value();
    ASSERT_EQ(read, read_fresh);
    if (read) ExpectSame(used, fresh);
  }
}

TEST(JsonFrame, APositionIsBothItsNumbersOrNone) {
  std::vector<std::byte> scratch;
  Frame read;
  const auto parse = [&](const std::string& place) {
    const std::string text = R"({"header":{"device":"a")" + place + R"(},"data":null})";
    return ParseJsonFrame(Bytes(text), read, scratch).has_value();
  };
  for (const char* none : {"", R"(,"lat":null,"lon":null)", R"(,"lat":null)",
                           R"(,"lat":null,"lon":null,"accuracy_m":null)"}) {
    ASSERT_TRUE(parse(none)) << none;
    EXPECT_FALSE(read.has_position) << none;
  }
  for (const char* half : {R"(,"lat":51.5)", R"(,"lon":4.5)", R"(,"lat":51.5,"lon":null)",
                           R"(,"lat":"x","lon":4.5)"}) {
    EXPECT_FALSE(parse(half)) << half;
  }
  ASSERT_TRUE(parse(R"(,"lat":51.5,"lon":4.5)"));
  EXPECT_TRUE(read.has_position);
  EXPECT_TRUE(std::isnan(read.accuracy_m));
}

/// A number that does not fit where it goes is refused, not wrapped round.
TEST(JsonFrame, NumbersBeyondTheirFieldsAreRefused) {
  std::vector<std::byte> scratch;
  Frame read;
  for (const char* field :
       {R"("run":-1)", R"("captured_us":1e300)", R"("captured_us":18446744073709551615)",
        R"("stages_us":[1,2,3,4,4294967296])", R"("lat":1,"lon":1,"accuracy_m":1e300)",
        R"("result":{"label":4294967296,"score":0.5,"positive":true,"text":""})",
        R"("result":{"label":1,"score":1e300,"positive":true,"text":""})",
        R"("settled":[{"sequence":-1,"network_us":1}])", R"("counts":{"waiting":4294967296})"}) {
    const std::string text =
        R"({"header":{"device":"a",)" + std::string(field) + R"(},"data":null})";
    EXPECT_FALSE(ParseJsonFrame(Bytes(text), read, scratch)) << field;
  }
}

TEST(Frame, UnknownAccuracyStaysUnknown) {
  Frame frame = Example();
  frame.accuracy_m = NAN;
  frame.heading_deg = INFINITY;
  std::vector<std::byte> bytes;
  ASSERT_TRUE(WriteFrame(frame, bytes));
  Frame read;
  ASSERT_TRUE(ParseFrame(bytes, read));
  EXPECT_TRUE(std::isnan(read.accuracy_m));
  EXPECT_TRUE(std::isnan(read.heading_deg));
}

TEST(Frame, NamesItsRouteByIds) {
  Frame frame;
  frame.model = 0xab;
  frame.cut = 0x1f;
  frame.bundle = 7;
  EXPECT_EQ(ToString(RouteOf(frame).value()), "+00000000000000ab:+000000000000001f/result");
  const Payload tensor{Role::kActivation, 3, 4, DType::kF32, Shape{1, 3}, {}};
  const Payload half{Role::kActivation, 2, 0, DType::kF32, Shape{1, 3}, {}};
  const Payload thumbnail{Role::kThumbnail, 5, 70, DType::kU8, Shape{2, 2, 3}, {}};
  frame.payloads = {tensor, thumbnail, half};
  const Route route = RouteOf(frame).value();
  EXPECT_EQ(ToString(route), "+00000000000000ab:+000000000000001f/q4+f16");
  EXPECT_EQ(ParseRoute(ToString(route)).value(), route);
  EXPECT_EQ(KeyOf(frame, 5, route.codecs[0]), (RouteKey{{0xab, 0x1f}, 5, 7, 3, 4}));
  frame.payloads[2].codec = 77;
  EXPECT_EQ(RouteOf(frame).error().code, ErrorCode::kInvalid);
}

/// As many tensors as a frame may hold, of the shortest and of the longest shapes, on both wires.
TEST(Frame, EachPayloadIsAsLongAsPlansTakeItFor) {
  std::vector<std::byte> out;
  for (const Role role : {Role::kActivation, Role::kResult}) {
    Frame frame;
    frame.device = "cam";
    ASSERT_TRUE(WriteFrame(frame, out));
    size_t length = out.size();
    for (size_t rank = 0; rank <= Shape::kMaxRank; ++rank) {
      const std::vector<int64_t> dims(rank, 2);
      const auto data = Bytes("some data");
      frame.payloads.push_back({role, 1, 0, DType::kF32, Shape(std::span(dims)), data, 7});
      length += PayloadHeaderBytes(rank, role == Role::kActivation) + data.size();
      ASSERT_TRUE(WriteFrame(frame, out));
      EXPECT_EQ(out.size(), length) << rank;
    }
  }
}

TEST(Frame, HoldsEveryTensorOfACut) {
  const std::string number = "[[[1]]]";
  for (const size_t tensors : {size_t{1}, size_t{2}, size_t{9}, size_t{32}, Route::kMostTensors}) {
    Frame frame = Example(), read;
    frame.payloads.clear();
    for (size_t i = 0; i < tensors; ++i) {
      const std::string_view data = std::string_view(number).substr(3 - i % 4, 1 + 2 * (i % 4));
      Shape shape;
      if (i % 4 > 0) shape = Shape(std::vector<int64_t>(i % 4, 1));
      frame.payloads.push_back({Role::kActivation, 0, 0, DType::kI64, shape, Bytes(data),
                                TensorId(fmt::format("t{}", i))});
    }
    std::vector<std::byte> bytes, scratch;
    ASSERT_TRUE(WriteJsonFrame(frame, bytes));
    Status status = ParseJsonFrame(bytes, read, scratch);
    ASSERT_TRUE(status) << tensors << ": " << status.error().ToString();
    ASSERT_EQ(read.payloads.size(), tensors);
    for (size_t i = 0; i < tensors; ++i) {
      EXPECT_EQ(read.payloads[i].tensor, frame.payloads[i].tensor);
      EXPECT_EQ(read.payloads[i].shape, frame.payloads[i].shape);
      EXPECT_TRUE(std::ranges::equal(read.payloads[i].bytes, frame.payloads[i].bytes)) << i;
    }
    ASSERT_TRUE(WriteFrame(frame, bytes));
    status = ParseFrame(bytes, read);
    ASSERT_TRUE(status) << status.error().ToString();
    EXPECT_EQ(read.payloads.size(), tensors);
    EXPECT_EQ(TensorsOf(read), TensorsOf(frame));
    // Older versions had room for 8, and none for names.
    if (tensors > 8) {
      EXPECT_FALSE(ParseFrame(AsVersion(bytes, 3), read));
    }
  }
  Frame frame = Example();
  std::vector<std::byte> bytes;
  frame.payloads.assign(Frame::kMaxPayloads + 1, frame.payloads[0]);
  EXPECT_EQ(WriteFrame(frame, bytes).error().code, ErrorCode::kUsage);
}

/// A list that is not what the header says of it is refused as a whole.
TEST(JsonFrame, TensorsAreAsManyAsTheHeaderSays) {
  std::vector<std::byte> scratch;
  Frame read;
  const auto parse = [&](const std::string& tensors, const std::string& data) {
    const std::string text =
        R"({"header":{"device":"a","tensors":)" + tensors + R"(},"data":)" + data + "}";
    return ParseJsonFrame(Bytes(text), read, scratch).has_value();
  };
  const std::string one = R"({"tensor":7,"dtype":1,"shape":[2]})";
  EXPECT_TRUE(parse("[" + one + "," + one + "]", "[[1,2],[3,4]]"));
  EXPECT_TRUE(parse("[" + one + "]", "[[1,2]]"));
  for (const char* data : {"[[1,2]]", "[[1,2],[3,4],[5]]", "[1,2],[3,4]", "[]", "[[1,2],[3,4]",
                           "[[1],2]],[[3]", "7", "[[[[1,2],[3,4]]"}) {
    EXPECT_FALSE(parse("[" + one + "," + one + "]", data)) << data;
  }
  for (const std::string tensors : {"7", "{}", "[7,8]", "[]"}) {
    EXPECT_FALSE(parse(tensors, "[[1,2],[3,4]]")) << tensors;
  }
  const std::string wild = R"({"tensor":-7,"dtype":1,"shape":[2]})";
  EXPECT_FALSE(parse("[" + wild + "," + one + "]", "[[1,2],[3,4]]"));
}

TEST(Frame, EveryTruncationAndEveryFlippedBitIsRefused) {
  std::vector<std::byte> bytes;
  ASSERT_TRUE(WriteFrame(Example(), bytes));
  Frame read;
  for (size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_FALSE(ParseFrame(std::span(bytes).first(length), read)) << length;
  }
  for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    auto damaged = bytes;
    damaged[bit / 8] ^= static_cast<std::byte>(1 << (bit % 8));
    EXPECT_FALSE(ParseFrame(damaged, read)) << bit;
  }
  bytes.push_back(std::byte{0});
  EXPECT_FALSE(ParseFrame(bytes, read));
}

/// A hostile sender computes its own checksum: fields must be refused for what they are.
TEST(Frame, FieldsAreCheckedBehindAGoodChecksum) {
  std::vector<std::byte> good;
  ASSERT_TRUE(WriteFrame(Example(), good));
  std::mt19937 random(1);
  Frame read;
  size_t accepted = 0;
  for (int i = 0; i < 20000; ++i) {
    auto bytes = good;
    for (int k = 0; k < 3; ++k)
      bytes[random() % (bytes.size() - 4)] = static_cast<std::byte>(random());
    const uint32_t crc = Crc32(std::span(bytes).first(bytes.size() - 4));
    std::memcpy(bytes.data() + bytes.size() - 4, &crc, 4);
    if (!ParseFrame(bytes, read)) continue;
    ++accepted;
    EXPECT_TRUE(IsDeviceName(read.device));
    EXPECT_LE(std::abs(read.lat), 90);
    for (const Payload& p : read.payloads) {
      EXPECT_TRUE(p.shape.Elements());
      EXPECT_GE(p.bytes.data(), bytes.data());
      EXPECT_LE(p.bytes.data() + p.bytes.size(), bytes.data() + bytes.size());
    }
  }
  EXPECT_GT(accepted, 0U);
}

TEST(Frame, BadNamesAreNotWritten) {
  std::vector<std::byte> bytes;
  for (const char* name : {"", "a/b", "a+b", "a#", "a b", "ä"}) {
    Frame frame = Example();
    frame.device = name;
    EXPECT_FALSE(WriteFrame(frame, bytes)) << name;
  }
}

TEST(JsonFrame, ReadsWhatItWrites) {
  Frame frame = Example();
  frame.payloads = {{Role::kActivation, static_cast<uint8_t>(CodecKind::kJson), 0, DType::kF32,
                     Shape{1, 2}, Bytes("[[0.5, 1.5]]")}};
  std::vector<std::byte> bytes, scratch;
  ASSERT_TRUE(WriteJsonFrame(frame, bytes));
  EXPECT_TRUE(IsJsonFrame(bytes));
  Frame read;
  const Status status = ParseJsonFrame(bytes, read, scratch);
  ASSERT_TRUE(status) << status.error().ToString();
  EXPECT_EQ(read.run, frame.run);
  EXPECT_EQ(read.stages.window, 50U);
  EXPECT_EQ(read.payloads.at(0).shape, (Shape{1, 2}));
  EXPECT_TRUE(std::ranges::equal(read.payloads[0].bytes, Bytes("[[0.5, 1.5]]")));

  // A label that imitates the frame's own key stays a label.
  std::vector<std::byte> result;
  WriteResult({1, 0.5F, true, "a\",\"data\":[1]", std::nullopt}, result);
  frame.payloads = {{Role::kResult, 0, 0, DType::kUndefined, {}, result}};
  ASSERT_TRUE(WriteJsonFrame(frame, bytes));
  ASSERT_TRUE(ParseJsonFrame(bytes, read, scratch));
  EXPECT_EQ(ParseResult(read.payloads.at(0).bytes)->text, "a\",\"data\":[1]");

  for (size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_FALSE(ParseJsonFrame(std::span(bytes).first(length), read, scratch)) << length;
  }
}

TEST(JsonFrame, DamageIsAnErrorOrAValidFrame) {
  Frame frame = Example();
  frame.payloads.clear();
  std::vector<std::byte> good, scratch;
  ASSERT_TRUE(WriteJsonFrame(frame, good));
  std::mt19937 random(2);
  Frame read;
  for (int i = 0; i < 20000; ++i) {
    auto bytes = good;
    for (int k = 0; k < 2; ++k) bytes[random() % bytes.size()] = static_cast<std::byte>(random());
    if (ParseJsonFrame(bytes, read, scratch)) {
      EXPECT_TRUE(IsDeviceName(read.device));
    }
  }
}

TEST(Ack, ReadsWhatItWritesAndNothingElse) {
  const Ack refused{AckStatus::kRefused, 7,           8, {1, 2, 3, 4, 5}, 1, 0.75F,
                    "unknown model",     std::nullopt};
  for (const Ack& ack : {refused, DocumentedAnswer()}) {
    std::vector<std::byte> bytes;
    WriteAck(ack, bytes);
    const auto read = ParseAck(bytes);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->status, ack.status);
    EXPECT_EQ(read->sequence, ack.sequence);
    EXPECT_EQ(read->stages.total, ack.stages.total);
    EXPECT_EQ(read->message, ack.message);
    ASSERT_EQ(read->result.has_value(), ack.result.has_value());
    if (ack.result) {
      EXPECT_EQ(read->result->findings, ack.result->findings);
    }
    for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
      auto damaged = bytes;
      damaged[bit / 8] ^= static_cast<std::byte>(1 << (bit % 8));
      EXPECT_FALSE(ParseAck(damaged)) << bit;
    }
    for (size_t length = 0; length < bytes.size(); ++length) {
      EXPECT_FALSE(ParseAck(std::span(bytes).first(length))) << length;
    }
  }
}

/// What a cloud of the time before findings sends, and all that a device of that time reads: byte
/// for byte what it was then.
TEST(Ack, WhoDoesNotAskIsAnsweredAsEver) {
  const auto golden = FromHex(
      "46 41 4b 31 00 00 11 00 00 00 00 00 00 00 03 00 00 00 00 00 00 00 "
      "32 00 00 00 14 00 00 00 dc 05 00 00 84 03 00 00 28 0a 00 00 "
      "01 00 00 00 00 00 40 3f 0b 1e 27 9a");
  std::vector<std::byte> bytes;
  WriteAck(DocumentedAck(), bytes);
  EXPECT_EQ(bytes, golden);
  const auto read = ParseAck(golden);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->stages.suffix, 1500U);
  EXPECT_EQ(read->label, 1);
  EXPECT_FALSE(read->result);
}

/// A frame is stored whatever was found in it.
TEST(Ack, FindingsOfTheFutureAreNoReasonToSendAFrameAgain) {
  const Ack ack = DocumentedAnswer();
  std::vector<std::byte> bytes;
  WriteAck(ack, bytes);
  const size_t kind = bytes.size() - sizeof(uint32_t) - 41;  // of the findings
  ASSERT_EQ(bytes[kind], std::byte{1});
  const auto with_kind = [&](uint8_t number) {
    bytes[kind] = std::byte{number};
    const uint32_t checksum = Crc32(std::span(bytes).first(bytes.size() - sizeof(uint32_t)));
    std::memcpy(bytes.data() + bytes.size() - sizeof(checksum), &checksum, sizeof(checksum));
    return ParseAck(bytes);
  };
  const auto future = with_kind(99);
  ASSERT_TRUE(future);
  EXPECT_EQ(future->status, AckStatus::kStored);
  EXPECT_EQ(future->sequence, ack.sequence);
  EXPECT_FALSE(future->result);
  EXPECT_FALSE(with_kind(0)) << "boxes are no class";
}

/// A model that is not there yet, a disk that is full, a bug of ours: none of them is the frame's
/// fault, and no device may throw a frame away for it.
TEST(Answer, NeverIsSaidOnlyOfAFrameThatIsItselfAtFault) {
  const auto answer = [](ErrorCode code) { return AnswerTo({code, "frame", "why"}); };
  for (const ErrorCode its_own : {ErrorCode::kInvalid, ErrorCode::kUnsupported}) {
    EXPECT_EQ(answer(its_own), AckStatus::kRefused) << static_cast<int>(its_own);
  }
  for (const ErrorCode passing :
       {ErrorCode::kUsage, ErrorCode::kNotFound, ErrorCode::kUnavailable, ErrorCode::kExhausted,
        ErrorCode::kConflict, ErrorCode::kCancelled, ErrorCode::kInternal}) {
    EXPECT_EQ(answer(passing), AckStatus::kRetry) << static_cast<int>(passing);
  }
  EXPECT_STREQ(ReasonWord(ErrorCode::kNotFound), "not-found");
  EXPECT_STREQ(ReasonWord(ErrorCode::kInternal), "internal");
}

/// What is too large to be read is answered from its beginning.
TEST(FrameHead, IsReadFromTheBeginningAloneInBothFormats) {
  Frame frame = Example();
  std::vector<std::byte> bytes;
  ASSERT_TRUE(WriteFrame(frame, bytes));
  const auto check = [&](std::span<const std::byte> beginning, uint64_t bundle) {
    const auto head = ReadFrameHead(beginning);
    ASSERT_TRUE(head);
    EXPECT_EQ(head->run, frame.run);
    EXPECT_EQ(head->sequence, frame.sequence);
    EXPECT_EQ(head->model, frame.model);
    EXPECT_EQ(head->cut, frame.cut);
    EXPECT_EQ(head->bundle, bundle);
  };
  check(bytes, frame.bundle);
  check(std::span(bytes).first(60), frame.bundle);
  for (size_t length = 0; length < 60; ++length) {
    EXPECT_FALSE(ReadFrameHead(std::span(bytes).first(length))) << length;
  }
  frame.payloads.clear();
  ASSERT_TRUE(WriteJsonFrame(frame, bytes));
  check(std::span(bytes).first(bytes.size() - 3), 0);
  EXPECT_FALSE(ReadFrameHead(std::span(bytes).first(40)));
  EXPECT_FALSE(ReadFrameHead(Bytes("{\"header\":{\"run\":\"x\"},\"data\":[")));
  EXPECT_FALSE(ReadFrameHead(Bytes("nonsense")));
}

TEST(ResultPayload, ReadsWhatItWritesAndRefusesNonsense) {
  std::vector<std::byte> bytes;
  WriteResult({1, 0.875F, true, "litter", std::nullopt}, bytes);
  const auto read = ParseResult(bytes);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->text, "litter");
  EXPECT_TRUE(read->positive);
  bytes.clear();
  WriteResult({1, NAN, true, "litter", std::nullopt}, bytes);
  EXPECT_FALSE(ParseResult(bytes));
  EXPECT_FALSE(ParseResult({}));
}

/// One of each kind of findings.
std::vector<Findings> SomeFindings() {
  return {ClassFindings{1, 0.75F, {{"litter", 0.75F}, {"clean", 0.25F}}},
          BoxFindings{{{"car", 0.875F, 0, 0.2F, 1, 0.4F}}, 7},
          BoxFindings{},
          MaskFindings{{{"road", 0.5F}, {"a\",\"data\":{", 0.25F}}},
          MaskFindings{{{"road", 0.5F}, {"tree", 0.5F}}, {3, 2, {0, 0, 1, 1, 1, 255}}},
          NumberFindings{{{"count", 12}, {"level", -0.5}}},
          NumberFindings{{{"level", -0.5, "m"}}},
          RawFindings{{{"output0", Shape{1, 84, 8400}}}}};
}

TEST(ResultPayload, FindingsTravelOnBothWires) {
  for (const Findings& findings : SomeFindings()) {
    std::vector<std::byte> data, bytes, scratch;
    WriteResult({1, 0.75F, true, "litter", findings}, data);
    const auto direct = ParseResult(data);
    ASSERT_TRUE(direct) << direct.error().ToString();
    EXPECT_EQ(direct->findings, findings) << findings.index();
    Frame frame = Example(), read;
    frame.payloads = {{Role::kResult, 0, 0, DType::kUndefined, {}, data}};
    ASSERT_TRUE(WriteJsonFrame(frame, bytes));
    const Status parsed = ParseJsonFrame(bytes, read, scratch);
    ASSERT_TRUE(parsed) << parsed.error().ToString();
    ASSERT_EQ(read.payloads.size(), 1U);
    const auto result = ParseResult(read.payloads[0].bytes);
    ASSERT_TRUE(result);
    EXPECT_EQ(result->findings, findings) << findings.index();
    EXPECT_EQ(result->text, "litter");
    for (size_t length = 0; length < bytes.size(); ++length) {
      EXPECT_FALSE(ParseJsonFrame(std::span(bytes).first(length), read, scratch)) << length;
    }
  }
}

/// A class alone takes what it took in version 2: 10 bytes and its label's text.
TEST(ResultPayload, AClassStaysAFewBytes) {
  std::vector<std::byte> bytes;
  WriteResult({1, 0.875F, true, "litter", std::nullopt}, bytes);
  EXPECT_EQ(bytes, FromHex("01 00 00 00 00 00 60 3f 01 06 6c 69 74 74 65 72"));
}

/// A newer device's findings are refused as its frames are; no damage is read as findings.
TEST(ResultPayload, FindingsOfAnUnknownKindAreUnsupported) {
  const auto code = [](const std::string& hex) { return ParseResult(FromHex(hex)).error().code; };
  EXPECT_EQ(code("01 00 00 00 00 00 60 3f 03 00 09 00"), ErrorCode::kUnsupported);
  EXPECT_EQ(code("01 00 00 00 00 00 60 3f 03 00"), ErrorCode::kInvalid);        // none follow
  EXPECT_EQ(code("01 00 00 00 00 00 60 3f 01 00 03 00"), ErrorCode::kInvalid);  // nor should any
  EXPECT_EQ(code("01 00 00 00 00 00 60 3f 05 00"), ErrorCode::kInvalid);  // a flag of the future
  Frame read;
  std::vector<std::byte> scratch;
  const auto json = [&](const std::string& data) {
    const std::string text =
        R"({"header":{"device":"a","result":{"label":1,"score":0.5}},"data":)" + data + "}";
    return ParseJsonFrame(Bytes(text), read, scratch);
  };
  EXPECT_TRUE(json("null"));
  EXPECT_TRUE(json(R"({"numbers":[]})"));
  EXPECT_EQ(json(R"({"poses":[]})").error().code, ErrorCode::kUnsupported);
  for (const char* bad :
       {R"({"boxes":7})", R"({"boxes":[7]})", R"({"boxes":[{"label":"a"}]})",
        R"({"boxes":[{"label":"a","score":2,"x":0,"y":0,"w":0,"h":0}]})",
        R"({"boxes":[],"boxes_cut_off":-1})", R"({"shares":[{"label":1,"share":0.5}]})",
        R"({"numbers":[{"name":"a","value":"x"}]})", R"({"numbers":[{"name":"a","value":null}]})",
        R"({"raw":[{"name":"a","shape":[-1]}]})",
        R"({"raw":[{"name":"a","shape":[1,1,1,1,1,1,1,1,1]}]})", R"({"boxes":)"}) {
    const auto read_bad = json(bad);
    ASSERT_FALSE(read_bad) << bad;
    EXPECT_EQ(read_bad.error().code, ErrorCode::kInvalid) << bad;
  }
}

TEST(DeviceCounts, AreReadAsTheyWereWrittenAndNothingElseIs) {
  const DeviceCounts counts{12, 4'294'967'295, 3};
  EXPECT_EQ(ToString(counts), "12 4294967295 3");
  EXPECT_EQ(ParseDeviceCounts(ToString(counts)), counts);
  for (const char* bad :
       {"", "1", "1 2", "1 2 3 ", "1 2 3 4", "1 2 -3", "1  2 3", "a b c", "1 2 4294967296"}) {
    EXPECT_FALSE(ParseDeviceCounts(bad)) << bad;
  }
}

/// An 8-bit network's softmax gives 1.0000001: that is rounding, not a fault of the frame.
TEST(ResultPayload, ARoundedScoreIsReadAsTheNearestProbability) {
  const auto read = [](float score) {
    std::vector<std::byte> bytes;
    WriteResult({1, score, true, "litter", std::nullopt}, bytes);
    return ParseResult(bytes);
  };
  ASSERT_TRUE(read(1.0000001F));
  EXPECT_EQ(read(1.0000001F)->score, 1.0F);
  ASSERT_TRUE(read(-0.003F));
  EXPECT_EQ(read(-0.003F)->score, 0.0F);
  for (float bad : {1.5F, -1.0F, INFINITY, -INFINITY, NAN}) EXPECT_FALSE(read(bad)) << bad;
}

TEST(Topics, OneDeviceOneBranch) {
  EXPECT_EQ(DeviceOfFrameTopic(FrameTopic("bike-7")), "bike-7");
  for (const char* topic :
       {"", "fogline/v1/frame", "fogline/v1//frame", "fogline/v1/a/b/frame", "other/v1/a/frame"}) {
    EXPECT_FALSE(DeviceOfFrameTopic(topic)) << topic;
  }
  EXPECT_EQ(AckTopic("bike-7", 10), "fogline/v1/bike-7/ack/000000000000000a");
  EXPECT_EQ(FindingsTopic("bike-7", 10), "fogline/v1/bike-7/ack/000000000000000a.findings");
  EXPECT_TRUE(FindingsTopic("bike-7", 10).starts_with(AckTopicPrefix("bike-7")));
  EXPECT_TRUE(AsksForFindings(FindingsTopic("bike-7", 10)));
  EXPECT_FALSE(AsksForFindings(AckTopic("x.findings", 10)));
  EXPECT_FALSE(AsksForFindings(""));
}

}  // namespace
}  // namespace fogline
