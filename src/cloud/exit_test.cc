// Pictures at an early exit, from the edge's engine to what the cloud stores.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "base/file.h"
#include "cloud/test_halves.h"
#include "edge/route_pool.h"
#include "edge/route_request.h"
#include "graph/append_head.h"

namespace fogline {
namespace {

using ::testing::HasSubstr;

constexpr const char* kModelFolder = FOGLINE_SOURCE_DIR "/models/";

/// The litter network with a head at split3 that knows nothing, but says so clearly.
class ExitFrames : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto plain = LoadNetwork(std::string(kModelFolder) + "litter.onnx");
    ASSERT_TRUE(plain);
    const Cut cut = FindCut(plain->model, "split3").value();
    const auto point = FeaturesAt(plain->model, cut.tensors[0].name);
    ASSERT_TRUE(point);
    LinearHead head{2, point->width, {}, {0, 2}};
    for (int64_t i = 0; i < 2 * point->width; ++i) {
      head.weights.push_back(0.02F * static_cast<float>(i % 7 - 3));
    }
    const std::vector<ExitHead> exits{{*point, head}};
    const auto written = AppendExits(plain->model, exits);
    ASSERT_TRUE(written) << written.error().ToString();
    const auto bytes = std::as_bytes(std::span(written->bytes));
    at_ = point->tensor;
    auto card = ReadTextFile(std::string(kModelFolder) + "litter.toml").value();
    card += fmt::format(
        "\n[[exit]]\nat = \"{}\"\nhead = \"{}\"\nnetwork = \"{}\"\npictures = 1000\n"
        "thresholds = [0.9, 0.5, 0]\nsure = [500, 1000, 1000]\ndiffer = [1, 40, 40]\n",
        at_, written->outputs[0], ToHex(HashSha256(bytes)));
    ASSERT_TRUE(WriteFile(dir_.path() / "early.toml", card));
    ASSERT_TRUE(WriteFile(dir_.path() / "early.onnx", written->bytes));
    const Status opened = halves_.Open(dir_.path() / "early.onnx");
    ASSERT_TRUE(opened) << opened.error().ToString();
  }

  static MechanismOptions Options(const std::string& cut, std::optional<double> threshold,
                                  uint32_t audit = 0) {
    MechanismOptions options;
    options.cut = cut;
    if (cut != "edge-only") options.codec = "f32";
    if (threshold) {
      options.gate =
          GateRequest{ExitGate{{"split3", 0}, *threshold}, std::nullopt, audit, "--route"};
    }
    return options;
  }

  /// What an edge makes of the picture; frames view what is kept in `prepared_`.
  Result<Frame> FrameOf(const MechanismOptions& options) {
    FOGLINE_TRY(const auto first, Mechanism::Make(halves_.network(), options));
    FOGLINE_TRY(const auto mechanism, first->Another());
    prepared_ = {};
    FOGLINE_CHECK(mechanism->Process(test::Drawn(160, 160), prepared_));
    Frame frame;
    frame.device = "cam";
    mechanism->Stamp(frame);
    if (frame.gate) frame.gate->left = prepared_.left;
    frame.payloads = prepared_.payloads;
    return frame;
  }
  Result<Worked> Stored(const Frame& frame) {
    std::vector<std::byte> bytes;
    FOGLINE_CHECK(WriteFrame(frame, bytes));
    return halves_.worker().Work(bytes, "cam");
  }

  TempDir dir_;
  test::Halves halves_;
  std::string at_;
  Prepared prepared_;
};

TEST_F(ExitFrames, WhoIsSureLeavesWithAResultAndIsStoredWithTheExit) {
  for (const char* cut : {"split10", "edge-only", "split3"}) {
    const auto frame = FrameOf(Options(cut, 0.0));
    ASSERT_TRUE(frame) << frame.error().ToString();
    ASSERT_TRUE(frame->gate);
    EXPECT_TRUE(frame->gate->left);
    EXPECT_TRUE(prepared_.positive.has_value());
    ASSERT_EQ(frame->payloads.size(), 1U);
    EXPECT_LT(frame->payloads[0].bytes.size(), 20U);
    const auto result = ParseResult(frame->payloads[0].bytes);
    ASSERT_TRUE(result);
    const auto worked = Stored(*frame);
    ASSERT_TRUE(worked) << worked.error().ToString();
    EXPECT_EQ(worked->detection->mechanism, "edge-only");
    EXPECT_EQ(worked->detection->cut, at_);
    EXPECT_EQ(worked->detection->codec, "result");
    EXPECT_EQ(worked->detection->label, result->text);
    EXPECT_FLOAT_EQ(worked->detection->score, result->score);
    EXPECT_FALSE(worked->audited);
  }
}

/// Nothing is computed twice, and what crosses is what crosses without a gate.
TEST_F(ExitFrames, WhoIsNotGoesOnFromThere) {
  for (const char* cut : {"split10", "split3", "split13"}) {
    const auto plain = FrameOf(Options(cut, std::nullopt));
    ASSERT_TRUE(plain);
    const std::vector<std::byte> wanted = prepared_.data;
    const auto frame = FrameOf(Options(cut, 1.0));
    ASSERT_TRUE(frame) << frame.error().ToString();
    EXPECT_FALSE(frame->gate->left);
    ASSERT_EQ(frame->payloads.size(), plain->payloads.size());
    ASSERT_EQ(prepared_.data.size(), wanted.size());
    for (size_t i = 0; i < wanted.size(); i += sizeof(float)) {
      float a = 0, b = 0;
      std::memcpy(&a, wanted.data() + i, sizeof a);
      std::memcpy(&b, prepared_.data.data() + i, sizeof b);
      ASSERT_NEAR(a, b, 1e-5 * std::max(1.0F, std::abs(a))) << cut << " " << i;
    }
    const auto worked = Stored(*frame);
    ASSERT_TRUE(worked) << worked.error().ToString();
    EXPECT_EQ(worked->detection->mechanism, "split");
    EXPECT_FALSE(worked->audited);
  }
  const auto whole = FrameOf(Options("edge-only", std::nullopt));
  ASSERT_TRUE(whole);
  const auto verdict = ParseResult(whole->payloads[0].bytes);
  const auto stored = Stored(*whole);
  ASSERT_TRUE(stored) << stored.error().ToString();
  const auto gated = FrameOf(Options("edge-only", 1.0));
  ASSERT_TRUE(gated);
  const auto same = ParseResult(gated->payloads[0].bytes);
  ASSERT_TRUE(verdict && same);
  EXPECT_EQ(same->label, verdict->label);
  EXPECT_NEAR(same->score, verdict->score, 1e-5);
  EXPECT_FALSE(gated->gate->left);
  const auto also = Stored(*gated);
  ASSERT_TRUE(also) << also.error().ToString();
  EXPECT_EQ(also->detection->cut, stored->detection->cut);
}

TEST_F(ExitFrames, ASampleOfTheSureGoesOnAndIsCompared) {
  const auto frame = FrameOf(Options("split10", 0.0, 1));
  ASSERT_TRUE(frame) << frame.error().ToString();
  EXPECT_FALSE(frame->gate->left);
  EXPECT_TRUE(prepared_.audited);
  ASSERT_EQ(frame->payloads.size(), 2U);
  EXPECT_EQ(frame->payloads[1].role, Role::kResult);
  const auto said = ParseResult(frame->payloads[1].bytes);
  const auto worked = Stored(*frame);
  ASSERT_TRUE(said && worked);
  ASSERT_TRUE(worked->audited);
  EXPECT_EQ(worked->audited->agrees, worked->label == said->label);
  EXPECT_EQ(worked->audited->gate, at_);
  EXPECT_EQ(worked->audited->model, "early");
  // At 0 all 1,000 were sure and 40 differed; the bound is a little above.
  EXPECT_NEAR(worked->audited->promised, 0.05, 0.005);
  EXPECT_EQ(worked->detection->mechanism, "split");
  // One in two: both kinds are seen, and no rhythm.
  const auto first = Mechanism::Make(halves_.network(), Options("split10", 0.0, 2));
  ASSERT_TRUE(first);
  int audited = 0;
  constexpr int kRuns = 200;
  for (int i = 0; i < kRuns; ++i) {
    Prepared one;
    ASSERT_TRUE((*first)->Process(test::Drawn(160, 160), one));
    EXPECT_NE(one.left, one.audited);
    audited += one.audited;
  }
  EXPECT_GT(audited, 50);  // 7 standard deviations of a fair coin
  EXPECT_LT(audited, 150);
}

TEST_F(ExitFrames, FramesOfExitsThatTheModelLacksAreAtFault) {
  auto frame = FrameOf(Options("split10", 0.0));
  ASSERT_TRUE(frame);
  frame->gate->at ^= 1;
  const auto other = Stored(*frame);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, ErrorCode::kInvalid);
  frame->gate->at ^= 1;
  frame->payloads.clear();
  const auto empty = Stored(*frame);
  ASSERT_FALSE(empty);
  EXPECT_EQ(empty.error().code, ErrorCode::kInvalid);
}

TEST_F(ExitFrames, RequestsThatCannotBeAreOneLine) {
  const auto refusal = [&](const MechanismOptions& options) {
    const auto made = Mechanism::Make(halves_.network(), options);
    EXPECT_FALSE(made);
    return made ? std::string() : made.error().ToString();
  };
  EXPECT_THAT(refusal(Options("split2", 0.9)), HasSubstr("lies behind its cut"));
  MechanismOptions options = Options("split10", 0.9);
  options.gate->gate->at.name = "split4";
  EXPECT_THAT(refusal(options), HasSubstr("at none of the exits"));
  options = Options("cloud-only", 0.9);
  options.codec = "jpeg:90";
  EXPECT_THAT(refusal(options), HasSubstr("has no cascade"));
  EXPECT_THAT(refusal(Options("edge-only", 0.9, 5)), HasSubstr("--audit 5"));
  options = Options("split10", 0.9);
  options.json = true;
  EXPECT_THAT(refusal(options), HasSubstr("--wire json"));
  options = Options("split10", std::nullopt);
  options.gate = GateRequest{std::nullopt, 0.002, 0, "--max-disagreement 0.002"};
  EXPECT_THAT(refusal(options), HasSubstr("takes 1497 pictures"));
  options.gate->most_disagreement = 0.0;
  EXPECT_THAT(refusal(options), HasSubstr("a share above 0"));
  options.gate->most_disagreement = 0.01;
  const auto made = Mechanism::Make(halves_.network(), options);
  ASSERT_TRUE(made) << made.error().ToString();
  EXPECT_EQ(ToString((*made)->route()), "early@160:exit=split3@0.9:split10/f32");
}

TEST_F(ExitFrames, ARoutesTextOpensTheSameRoute) {
  RouteRequest request;
  request.model = dir_.path() / "early.onnx";
  request.route = ParseRoute("early@160:exit=split3@0.9:split10/f16").value();
  auto network = OpenNetwork(request);
  ASSERT_TRUE(network) << network.error().ToString();
  const auto asked = Asked(request, *network);
  ASSERT_TRUE(asked) << asked.error().ToString();
  EXPECT_EQ(asked->gate->audit, RouteRequest::kUsualAudit);
  RoutePool pool(*std::move(network), "");
  const auto opened = pool.Open(*asked);
  ASSERT_TRUE(opened) << opened.error().ToString();
  EXPECT_EQ(ToString(pool.at(*opened).route()), ToString(*request.route));
  Frame frame;
  pool.at(*opened).Stamp(frame);
  for (const bool left : {true, false}) {
    frame.gate->left = left;
    frame.payloads.clear();
    if (!left) frame.payloads.push_back({Role::kActivation, 2, 0, DType::kF32, {}, {}, 1});
    EXPECT_EQ(pool.TextOf(frame), ToString(*request.route)) << left;
  }
  request.most_disagreement = 0.01;
  EXPECT_THAT(Asked(request, pool.network()).error().ToString(), HasSubstr("stands in place of"));
  request.route->gate.reset();
  EXPECT_TRUE(Asked(request, pool.network())->gate);
  request.most_disagreement.reset();
  request.audit = 3;
  EXPECT_THAT(Asked(request, pool.network()).error().ToString(), HasSubstr("--audit 3"));
}

}  // namespace
}  // namespace fogline
