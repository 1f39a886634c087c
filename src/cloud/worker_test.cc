// What a frame can meet on its way through a worker: its own faults are told from everybody else's,
// and nothing ends the thread.
#include "cloud/worker.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "base/file.h"

namespace {
/// Allocations of at least so many bytes fail; SIZE_MAX: none.
std::atomic<size_t> most{SIZE_MAX};
}  // namespace

#pragma GCC diagnostic ignored "-Wmismatched-new-delete"  // both are below, by malloc and free
void* operator new(size_t bytes) {
  void* memory = bytes >= most ? nullptr : std::malloc(bytes);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace fogline {
namespace {

const std::filesystem::path kModels = std::filesystem::path(FOGLINE_SOURCE_DIR) / "models";

class Workers : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(WriteFile(dir_.path() / "litter.onnx", ReadFile(kModels / "litter.onnx").value()));
    ASSERT_TRUE(WriteFile(dir_.path() / "litter.toml", ReadFile(kModels / "litter.toml").value()));
    auto registry = Registry::Open({.folder = dir_.path(), .patience = std::chrono::minutes(5)});
    ASSERT_TRUE(registry) << registry.error().ToString();
    registry_ = *std::move(registry);
    auto network = LoadNetwork(dir_.path() / "litter.onnx");
    ASSERT_TRUE(network) << network.error().ToString();
    cut_ = FindCut(network->model, "split13").value();
    frame_.device = "cam";
    frame_.model = ShortId(network->model.hash());
    frame_.cut = cut_.id;
    tensor_.resize(static_cast<size_t>(cut_.bytes));
    frame_.payloads = {{Role::kActivation, static_cast<uint8_t>(CodecKind::kF32), 0,
                        cut_.tensors[0].dtype, cut_.tensors[0].shape, tensor_}};
    worker_ = std::make_unique<Worker>(*registry_);
  }

  Result<Worked> Work() {
    std::vector<std::byte> bytes;
    EXPECT_TRUE(WriteFrame(frame_, bytes));
    return worker_->Work(bytes, "cam");
  }
  ErrorCode Code() {
    const auto worked = Work();
    EXPECT_FALSE(worked);
    return worked ? ErrorCode::kUsage : worked.error().code;
  }

  TempDir dir_;
  std::unique_ptr<Registry> registry_;
  std::unique_ptr<Worker> worker_;
  Cut cut_;
  Frame frame_;
  std::vector<std::byte> tensor_;
};

TEST_F(Workers, AModelThatIsNotHereIsNoFaultOfTheFrame) {
  ASSERT_TRUE(Work());
  frame_.model ^= 1;
  EXPECT_EQ(Code(), ErrorCode::kNotFound);
}

TEST_F(Workers, ACutThatTheModelDoesNotHaveIs) {
  frame_.cut ^= 1;
  EXPECT_EQ(Code(), ErrorCode::kInvalid);
  ASSERT_TRUE((frame_.cut ^= 1, Work()));
}

TEST_F(Workers, ABundleThatIsNotHereIsNoFaultOfTheFrame) {
  Payload& payload = frame_.payloads[0];
  payload.codec = static_cast<uint8_t>(CodecKind::kQuant);
  payload.parameter = 4;
  EXPECT_EQ(Code(), ErrorCode::kInvalid);  // quantised, and by no bundle
  const auto bundle = Bundle::Load(kModels / "litter.bundle");
  frame_.bundle = ShortId(bundle->hash());
  EXPECT_EQ(Code(), ErrorCode::kConflict);
  // Put beside the model it decodes, without a restart: what is wrong now is the data itself.
  ASSERT_TRUE(
      WriteFile(dir_.path() / "litter.bundle", ReadFile(kModels / "litter.bundle").value()));
  registry_->Look();
  EXPECT_EQ(Code(), ErrorCode::kInvalid);
  frame_.bundle ^= 1;
  EXPECT_EQ(Code(), ErrorCode::kConflict);
}

/// What the cloud itself reads out of the network.
TEST_F(Workers, AClassIsStoredAsItsLabelAlone) {
  frame_.counts = {3, 2, 1};
  const auto worked = Work();
  ASSERT_TRUE(worked) << worked.error().ToString();
  ASSERT_TRUE(worked->detection);
  EXPECT_FALSE(worked->detection->label.empty());
  EXPECT_EQ(worked->detection->score, worked->score);
  EXPECT_FALSE(worked->detection->findings);
  EXPECT_EQ(worked->detection->counts, frame_.counts);
}

/// What a device found is stored as it said it; what only a newer cloud knows is refused, as frames
/// of newer versions are.
TEST_F(Workers, ADevicesFindingsAreStored) {
  const auto network = LoadNetwork(dir_.path() / "litter.onnx");
  frame_.cut = FindCut(network->model, "edge-only").value().id;
  std::vector<std::byte> data;
  const Findings found = BoxFindings{{{"can", 0.75F, 0, 0, 1, 1}}, 4};
  WriteResult({1, 0.75F, true, "can", found}, data);
  frame_.payloads = {{Role::kResult, 0, 0, DType::kUndefined, {}, data}};
  const auto worked = Work();
  ASSERT_TRUE(worked) << worked.error().ToString();
  EXPECT_EQ(worked->detection->label, "can");
  EXPECT_TRUE(worked->detection->positive);
  EXPECT_EQ(worked->detection->findings, found);
  data[13] = std::byte{9};  // the kind, behind 13 bytes of label, score, flags and text
  EXPECT_EQ(Code(), ErrorCode::kUnsupported);
}

/// The result of the picture that it is like, and which one that is; whatever its route would have
/// been.
TEST_F(Workers, AnUnchangedPictureIsStoredAsTheOneThatItIsLike) {
  std::vector<std::byte> data;
  const Findings found = BoxFindings{{{"can", 0.75F, 0, 0, 1, 1}}, 4};
  WriteResult({1, 0.75F, true, "can", found}, data);
  frame_.sequence = 12;
  frame_.unchanged_since = 9;
  frame_.payloads = {{Role::kResult, 0, 0, DType::kUndefined, {}, data}};
  const auto worked = Work();
  ASSERT_TRUE(worked) << worked.error().ToString();
  EXPECT_EQ(worked->detection->mechanism, "unchanged");
  EXPECT_EQ(worked->detection->cut, "frame 9");
  EXPECT_EQ(worked->detection->codec, "result");
  EXPECT_EQ(worked->detection->label, "can");
  EXPECT_TRUE(worked->detection->positive);
  EXPECT_EQ(worked->detection->findings, found);
  frame_.payloads.clear();
  EXPECT_EQ(Code(), ErrorCode::kInvalid) << "without a result it says nothing";
}

/// 2000 to tomorrow; what a device says beyond is stored as unknown, and its frame with it.
TEST_F(Workers, TimesThatCannotBeAreStoredAsUnknown) {
  constexpr int64_t kDay = 86'400'000'000, kYear2000 = 946'684'800'000'000;
  const int64_t now = Clock::Real().WallMicros();
  for (const int64_t sound : {kYear2000, now, now + kDay - 60'000'000}) {
    frame_.captured_us = sound;
    const auto worked = Work();
    ASSERT_TRUE(worked) << worked.error().ToString();
    EXPECT_EQ(worked->detection->captured_us, sound);
    EXPECT_EQ(worked->detection->captured_from, TimeSource::kClock);
    EXPECT_FALSE(worked->time_not_believed);
  }
  for (const int64_t wild : {INT64_MAX, INT64_MIN, int64_t{-1}, kYear2000 - 1, now + 2 * kDay,
                             int64_t{253'370'764'800'000'000}}) {
    frame_.captured_us = wild;
    const auto worked = Work();
    ASSERT_TRUE(worked) << worked.error().ToString();
    EXPECT_EQ(worked->detection->captured_us, 0);
    EXPECT_EQ(worked->detection->captured_from, TimeSource::kNone);
    EXPECT_TRUE(worked->time_not_believed);
  }
  frame_.captured_us = 0;
  EXPECT_FALSE(Work()->time_not_believed) << "nobody said anything";
}

TEST_F(Workers, CodecsThatDoNotExistLeaveNothingBehind) {
  ASSERT_TRUE(Work());
  const size_t before = worker_->decoders();
  Payload& payload = frame_.payloads[0];
  for (int codec = 0; codec < 256; ++codec) {
    for (const int parameter : {0, 1, 9, 255}) {
      payload.codec = static_cast<uint8_t>(codec);
      payload.parameter = static_cast<uint8_t>(parameter);
      (void)Work();
    }
  }
  EXPECT_LE(worker_->decoders(), before + 2);  // json and f16 beside f32
}

TEST_F(Workers, ThumbnailsAreKeptWhereTheyAreAskedForAndAreWhatTheyClaim) {
  Image image{40, 30, std::vector<uint8_t>(3600, 90)};
  std::vector<std::byte> jpeg;
  ASSERT_TRUE(EncodeJpeg(image, 70, jpeg));
  const auto with = [&](Shape shape, CodecKind codec, std::span<const std::byte> bytes, int side) {
    frame_.payloads.resize(1);
    frame_.payloads.push_back(
        {Role::kThumbnail, static_cast<uint8_t>(codec), 70, DType::kU8, shape, bytes});
    worker_ = std::make_unique<Worker>(*registry_, nullptr, nullptr, side);
    const auto worked = Work();
    EXPECT_TRUE(worked) << worked.error().ToString();  // the detection is stored all the same
    if (!worked) return false;
    EXPECT_NE(worked->thumbnail_left_out, !worked->detection->thumbnail.empty());
    return !worked->thumbnail_left_out;
  };
  const Shape size{30, 40, 3};
  EXPECT_TRUE(with(size, CodecKind::kJpeg, jpeg, 40));
  EXPECT_FALSE(with(size, CodecKind::kJpeg, jpeg, 0)) << "nobody asked";
  EXPECT_FALSE(with(size, CodecKind::kJpeg, jpeg, 39)) << "larger than asked for";
  EXPECT_FALSE(with(Shape{40, 30, 3}, CodecKind::kJpeg, jpeg, 40)) << "not of that size";
  EXPECT_FALSE(with(Shape{1200}, CodecKind::kJpeg, jpeg, 40));
  EXPECT_FALSE(with(size, CodecKind::kF32, jpeg, 40));
  EXPECT_FALSE(with(size, CodecKind::kJpeg, std::span(jpeg).first(jpeg.size() / 2), 40));
  const std::vector<std::byte> nothing(5000), much(kMaxThumbnailBytes + 1);
  EXPECT_FALSE(with(size, CodecKind::kJpeg, nothing, 40));
  EXPECT_FALSE(with(size, CodecKind::kJpeg, much, 40));
}

TEST_F(Workers, WantOfMemoryCostsTheFrameARepeatAndNothingElse) {
  ASSERT_TRUE(Work());
  Image image{200, 200, {}};
  for (uint32_t i = 0; i < 200 * 200 * 3; ++i) {
    image.rgb.push_back(static_cast<uint8_t>(i * 2'654'435'761U >> 24));
  }
  std::vector<std::byte> thumbnail;
  ASSERT_TRUE(EncodeJpeg(image, 90, thumbnail));
  const auto codec = static_cast<uint8_t>(CodecKind::kJpeg);
  frame_.payloads.push_back(
      {Role::kThumbnail, codec, 90, DType::kU8, Shape{200, 200, 3}, thumbnail});
  worker_ = std::make_unique<Worker>(*registry_, nullptr, nullptr, 200);
  ASSERT_TRUE(Work());
  std::vector<std::byte> bytes;
  ASSERT_TRUE(WriteFrame(frame_, bytes));
  most = thumbnail.size();
  const auto starved = worker_->Work(bytes, "cam");
  most = SIZE_MAX;
  ASSERT_FALSE(starved);
  EXPECT_EQ(starved.error().code, ErrorCode::kExhausted);
  EXPECT_TRUE(worker_->Work(bytes, "cam"));
}

}  // namespace
}  // namespace fogline
