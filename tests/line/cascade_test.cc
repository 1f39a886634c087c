// A cascade of two networks, from the command that measures it to what is stored: the edge answers
// where its little network is sure, and sends the picture itself where it is not; a sample of the
// sure ones goes along, and the cloud counts how both agree. Files that do not belong together are
// refused by one line.
#include <map>
#include <sstream>

#include "tests/cli/command.h"
#include "tests/line/line.h"

namespace fogline {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class CascadeLine : public Line {
 protected:
  /// The litter network and, beside it, a head on its first layers that was fitted to pictures of
  /// the demo.
  void SetUp() override {
    Line::SetUp();
    cloud_.reset();
    fs::create_directories(models_);
    fs::copy_file(kModel, models_ / "big.onnx");
    fs::copy_file(kModels / "litter.toml", models_ / "big.toml");
    fs::copy_file(kModels / "litter.bundle", models_ / "big.bundle");
    edge_model_ = models_ / "big.onnx";
    std::istringstream rows(ReadTextFile(kPictures / "labels.tsv").value());
    std::string file, truth;
    while (rows >> file >> truth) {
      if (!fs::exists(kPictures / file)) continue;  // the head line
      fs::create_directories(photographs_ / truth);
      fs::copy_file(kPictures / file, photographs_ / truth / file);
      for (const char* copy : {"1_", "2_"}) {
        fs::create_directories(any_);
        fs::copy_file(kPictures / file, any_ / (copy + file));
      }
    }
    const Outcome trained =
        RunCommand({"train", "--backbone", kModel, "--at", "split5", "--images", photographs_,
                    "--out", models_ / "little.onnx", "--augment", "0"},
                   dir_.path());
    ASSERT_EQ(trained.status, 0) << trained.log;
  }
  Outcome Measure() {
    return RunCommand({"cascade", models_ / "little.onnx", edge_model_, "--images", any_, "--json"},
                      dir_.path());
  }
  void StartCloudOfBoth() {
    CloudOptions options;
    options.link.broker = *ParseBroker(broker_->url());
    options.models.folder = models_;
    options.workers = 2;
    auto cloud = Cloud::Start(options, *store_, [] {});
    ASSERT_TRUE(cloud) << cloud.error().ToString();
    cloud_ = *std::move(cloud);
  }
  void ExpectRefused(std::vector<std::string> flags, const std::string& what, int status = 1) {
    flags.insert(flags.begin(), {"edge", "--broker", broker_->url(), "--model", edge_model_,
                                 "--source", kPictures, "--mechanism", "cloud-only"});
    ExpectOneLine(RunCommand(flags, dir_.path()), what, status);
  }

  const fs::path models_ = dir_.path() / "models", photographs_ = dir_.path() / "photographs",
                 any_ = dir_.path() / "any";
};

TEST_F(CascadeLine, TheLittleOneAnswersWhereItIsSure) {
  const Outcome measured = Measure();
  ASSERT_EQ(measured.status, 0) << measured.log;
  const auto report = nlohmann::json::parse(measured.out);
  EXPECT_EQ(report["pictures_measured"], 40);
  EXPECT_LT(report["work"], 1.0);
  EXPECT_GT(report["agreement"], 0.6);
  EXPECT_THAT(report["promises"][1]["why_not"].get<std::string>(), HasSubstr("takes 299 pictures"));
  StartCloudOfBoth();

  // What a plan says, the edge takes as it stands.
  const Outcome planned =
      RunCommand({"plan", edge_model_, "--edge", "raspberry-pi-4", "--cloud", "c6i.large", "--link",
                  "3g", "--json", "--all", "--max-disagreement", "0.1"},
                 dir_.path());
  ASSERT_EQ(planned.status, 0) << planned.log;
  std::map<std::string, double> gated, plain;  // bytes by codec
  std::string route;
  const auto plan = nlohmann::json::parse(planned.out);
  for (const auto& c : plan["candidates"]) {
    const std::string text = c["route"];
    if (text.find("cloud-only/") == std::string::npos) continue;
    const bool behind = c.contains("exit") && c["exit"]["at"] == "little";
    (behind ? gated : plain)[c["codec"]] = c["bytes"];
    if (behind && c["runnable"]) route = text;
  }
  ASSERT_THAT(route, HasSubstr("exit=little@"));
  for (const auto& [codec, bytes] : gated) EXPECT_LT(bytes, plain[codec]) << codec;

  auto run = RunEdge({"--route", route, "--device", "cam", "--report", "all", "--audit", "0"});
  ASSERT_EQ(status_, 0) << Log();
  EXPECT_EQ(run["stored"], 40);
  EXPECT_GT(run["early"], 0);
  std::map<std::string, int> mechanisms;
  for (const auto& row : Stored("cam")) {
    ++mechanisms[row.detection.mechanism];
    const bool here = row.detection.mechanism == "edge-only";
    EXPECT_EQ(row.detection.cut == "little", here);
  }
  EXPECT_EQ(mechanisms["edge-only"], run["early"]);
  EXPECT_EQ(mechanisms["cloud-only"], 40 - run["early"].get<int>());

  // Everything that is sure is audited.
  run = RunEdge({"--route", route, "--device", "audited", "--audit", "1"});
  ASSERT_EQ(status_, 0) << Log();
  EXPECT_EQ(run["early"], 0);
  EXPECT_GT(run["audited"], 0);
  EXPECT_EQ(cloud_->stats().audited, run["audited"].get<uint64_t>());
  for (const auto& row : Stored("audited")) EXPECT_EQ(row.detection.mechanism, "cloud-only");
}

/// Steering chooses among gated routes as among others, and audits what they let go.
TEST_F(CascadeLine, APolicyMayHaveItsRoutes) {
  const Outcome measured = Measure();
  ASSERT_EQ(measured.status, 0) << measured.log;
  StartCloudOfBoth();
  const fs::path gated = dir_.path() / "gated.policy", plain = dir_.path() / "plain.policy";
  const auto plan = [&](const fs::path& file, std::vector<std::string> more) {
    more.insert(more.begin(), {"plan", edge_model_, "--edge", "raspberry-pi-4", "--cloud",
                               "c6i.large", "--link", "4g", "--policy-file", file});
    return RunCommand(more, dir_.path());
  };
  const Outcome planned = plan(gated, {"--max-disagreement", "0.1"});
  ASSERT_EQ(planned.status, 0) << planned.log;
  ASSERT_THAT(ReadTextFile(gated).value(), HasSubstr("exit=little@"));
  const auto run =
      RunEdge({"--mechanism", "auto", "--policy-file", gated, "--device", "moves", "--audit", "2",
               "--loop", "--count", "120", "--rate", "60", "--window", "4"});
  ASSERT_EQ(status_, 0) << Log();
  EXPECT_EQ(run["stored"], 120) << Log();
  EXPECT_EQ(Stored("moves").size(), 120U);
  EXPECT_EQ(cloud_->stats().audited, run["audited"].get<uint64_t>());

  ASSERT_EQ(plan(plain, {}).status, 0);
  const Outcome refused =
      RunCommand({"edge", "--broker", broker_->url(), "--model", edge_model_, "--source", kPictures,
                  "--mechanism", "auto", "--policy-file", plain, "--audit", "5"},
                 dir_.path());
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.log, HasSubstr("no route of the policy has an early exit"));
}

TEST_F(CascadeLine, FilesThatDoNotBelongTogetherAreRefused) {
  ExpectRefused({"--max-disagreement", "0.4"}, "has no cascade");
  const Outcome measured = Measure();
  ASSERT_EQ(measured.status, 0) << measured.log;
  ExpectRefused({"--max-disagreement", "0.01"}, "takes 299 pictures");
  ExpectRefused({"--max-disagreement", "0"}, "a share above 0", 2);

  const fs::path file = models_ / "big.cascade";
  const std::string text = ReadTextFile(file).value();
  const auto with = [&](const std::string& old, const std::string& other) {
    std::string changed = text;
    const size_t at = changed.find(old);
    ASSERT_NE(at, std::string::npos) << old;
    ASSERT_TRUE(WriteFile(file, changed.replace(at, old.size(), other)));
  };
  with("version = 1", "version = 2");
  ExpectRefused({"--max-disagreement", "0.4"}, "is a cascade of version 2");
  with("little = \"little.onnx\"", "little = \"../little.onnx\"");
  ExpectRefused({"--max-disagreement", "0.4"}, "the name of an ONNX file beside this one");
  with("little = \"little.onnx\"", "little = \"big.onnx\"");
  ExpectRefused({"--max-disagreement", "0.4"}, "the cascade was measured with");
  with("\nnetwork = \"", "\nnetwork = \"0000");
  ExpectRefused({"--max-disagreement", "0.4"}, "a SHA-256");
  with("differ = [", "differ = [41, ");
  ExpectRefused({"--max-disagreement", "0.4"}, "differ");
  ASSERT_TRUE(WriteFile(file, text));
  // Measured against another network.
  fs::copy_file(file, models_ / "little.cascade");
  edge_model_ = models_ / "little.onnx";
  ExpectRefused({"--max-disagreement", "0.4"}, "was measured against model");
  // One network is no cascade.
  ExpectOneLine(RunCommand({"cascade", edge_model_, edge_model_, "--images", any_}, dir_.path()),
                "two files of one folder", 2);
}

}  // namespace
}  // namespace fogline
