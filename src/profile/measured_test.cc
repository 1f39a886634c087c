#include "profile/measured.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <numeric>

#include "engine/shapes.h"
#include "profile/library.h"
#include "profile/measure.h"

namespace fogline {
namespace {

using testing::HasSubstr;

class MeasuredTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto path = std::filesystem::path(FOGLINE_SHARED_DATA) / "models/squeezenet1.1_224.onnx";
    if (!std::filesystem::exists(path)) GTEST_SKIP() << "no shared data";
    auto loaded = Model::Load(path, EngineShapes());
    ASSERT_TRUE(loaded) << loaded.error().ToString();
    model_ = *loaded;
    cuts_ = ListCuts(*model_).value();
  }
  static Milliseconds Total(const std::vector<Milliseconds>& layers) {
    return std::accumulate(layers.begin(), layers.end(), Milliseconds(0));
  }

  std::optional<Model> model_;
  std::vector<Cut> cuts_;
};

TEST_F(MeasuredTest, MeasuresEveryCutAndReadsItBack) {
  MeasureOptions options;
  options.budget_s = 0.01;
  options.min_runs = 1;
  size_t told = 0;
  options.progress = [&told](size_t, const Cut&) { ++told; };
  const auto profile = Measure(*model_, cuts_, options);
  ASSERT_TRUE(profile) << profile.error().ToString();
  EXPECT_EQ(profile->cuts.size(), cuts_.size());
  EXPECT_EQ(told, cuts_.size());
  EXPECT_FALSE(profile->cuts.front().prefix);
  EXPECT_FALSE(profile->cuts.back().suffix);
  EXPECT_NEAR(Total(profile->layers) / profile->whole.p50, 1, 1e-9);

  const std::string json = profile->ToJson();
  const auto again = MeasuredProfile::Parse(json, "p.json");
  ASSERT_TRUE(again) << again.error().ToString();
  EXPECT_EQ(again->ToJson(), json);
  const auto timing = TimingOf(*model_, *again, "p.json");
  ASSERT_TRUE(timing) << timing.error().ToString();
  EXPECT_TRUE(timing->measured());
  EXPECT_EQ(timing->prefix.size(), cuts_.size() - 1);
}

// One file for a network in float and in integers: each finds its own times, and a third none.
TEST_F(MeasuredTest, OneFileHoldsSeveralNetworks) {
  MeasureOptions options;
  options.budget_s = 0.01;
  options.min_runs = 1;
  const auto here = Measure(*model_, cuts_, options);
  ASSERT_TRUE(here) << here.error().ToString();
  MeasuredProfile other = *here;
  other.model[0] ^= 1;
  other.model_name = "other";
  for (const auto& order : {std::vector{*here, other}, std::vector{other, *here}}) {
    const auto found = MeasuredProfile::ParseOf(*model_, MeasuredProfile::ToJson(order), "p.json");
    ASSERT_TRUE(found) << found.error().ToString();
    EXPECT_EQ(found->ToJson(), here->ToJson());
  }
  const auto none = MeasuredProfile::ParseOf(*model_, other.ToJson(), "p.json");
  ASSERT_TRUE(none);
  const auto refused = TimingOf(*model_, *none, "p.json");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("other"));
}

TEST_F(MeasuredTest, ReconciledLayersAddUpAndFollowTheCuts) {
  // Halves as a machine would give them that runs each layer in exactly one millisecond.
  MeasuredProfile profile;
  profile.whole.p50 = Milliseconds(static_cast<double>(model_->nodes().size()));
  for (const Cut& cut : cuts_) {
    MeasuredCut measured{cut.id, cut.name, {}, {}};
    const double edge = cut.edge_nodes;
    if (edge > 0) measured.prefix = MeasuredHalf{Milliseconds(edge), Milliseconds(edge), 0, 1};
    const double cloud = profile.whole.p50.value() - edge;
    if (cloud > 0) measured.suffix = MeasuredHalf{Milliseconds(cloud), Milliseconds(cloud), 0, 1};
    profile.cuts.push_back(measured);
  }
  Reconcile(*model_, cuts_, std::vector(model_->nodes().size(), Milliseconds(1)), profile);
  EXPECT_EQ(profile.residual, 0);
  for (const Milliseconds t : profile.layers) EXPECT_NEAR(t.value(), 1, 1e-9);
}

TEST_F(MeasuredTest, RefusesAnotherModelAndOtherShapes) {
  MeasuredProfile profile;
  profile.model_name = "other.onnx";
  const auto other = TimingOf(*model_, profile, "p.json");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, ErrorCode::kConflict);
  EXPECT_THAT(other.error().message, HasSubstr(ToHex(model_->hash()).substr(0, 16)));
  EXPECT_THAT(other.error().message, HasSubstr("0000000000000000"));
  profile.model = model_->hash();
  const auto shapes = TimingOf(*model_, profile, "p.json");
  ASSERT_FALSE(shapes);
  EXPECT_THAT(shapes.error().message, HasSubstr("1x3x224x224"));
}

TEST_F(MeasuredTest, ScalesToABoardOfTheLibrary) {
  MeasureOptions options;
  options.budget_s = 0.01;
  options.min_runs = 1;
  const auto here = Measure(*model_, cuts_, options);
  ASSERT_TRUE(here);
  const Machine pi = FindMachine("raspberry-pi-4", "--to").value();
  const MeasuredProfile there = ScaleTo(*model_, cuts_, *here, pi);
  EXPECT_NEAR(Total(there.layers) / Total(PredictTiming(*model_, pi).layers), 1, 1e-9);
  EXPECT_EQ(there.machine, "raspberry-pi-4");
  EXPECT_EQ(there.scaled_from, here->machine);
  EXPECT_TRUE(TimingOf(*model_, there, "p.json"));
}

TEST(MeasuredProfileTest, RefusesWhatIsNoProfile) {
  for (const char* bad : {"", "{}", "[]", "{\"fogline_profile\":1}", "{\"fogline_profile\":2}",
                          "{\"fogline_profile\":1,\"machine\":3}"}) {
    const auto profile = MeasuredProfile::Parse(bad, "p.json");
    ASSERT_FALSE(profile) << bad;
    EXPECT_EQ(profile.error().code, ErrorCode::kInvalid);
    EXPECT_EQ(profile.error().message.find('\n'), std::string::npos);
  }
}

}  // namespace
}  // namespace fogline
