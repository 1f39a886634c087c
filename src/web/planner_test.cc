#include "web/planner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "base/file.h"
#include "base/hash.h"
#include "vision/card_integers.h"

namespace fogline {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

const std::filesystem::path kModels = std::filesystem::path(FOGLINE_SOURCE_DIR) / "models";

class PlannerPageTest : public ::testing::Test {
 protected:
  /// Asks until the shelf has read the model.
  static Result<std::string> Ask(Planner& planner, const std::string& query) {
    for (;;) {
      FOGLINE_TRY(Parameters parameters, Parameters::Parse("/api/plan?" + query));
      FOGLINE_TRY(const PlannerQuestion question, PlannerQuestion::Read(parameters));
      FOGLINE_CHECK(parameters.Finish());
      auto answer = planner.Plan(question);
      if (answer || answer.error().code != ErrorCode::kUnavailable) return answer;
      std::this_thread::yield();
    }
  }
  json Plan(const std::string& query) {
    const auto answer = Ask(planner_, query);
    EXPECT_TRUE(answer) << query << ": " << answer.error().ToString();
    return answer ? json::parse(*answer) : json();
  }

  Planner planner_{kModels};
};

// Not than the plan itself: where rivals tie with the cheapest, another than that is taken.
TEST_F(PlannerPageTest, RivalsAreNeverBetterThanTheProvenOptimum) {
  for (const char* objective : {"latency", "cost", "energy", "throughput", "latency=1,cost=20"}) {
    const json plan = Plan(std::string("objective=") + objective);
    ASSERT_EQ(plan["rivals"].size(), 5U);
    for (const json& rival : plan["rivals"]) {
      EXPECT_GE(rival["objective"].get<double>(),
                plan["certificate"]["optimum"].get<double>() * (1 - 1e-12))
          << objective << " " << rival["key"];
    }
    EXPECT_EQ(plan["rivals"][0]["name"], "output");
    EXPECT_EQ(plan["rivals"][1]["name"], "input");
    EXPECT_EQ(plan["rivals"][3]["codec"], "f32");
    EXPECT_EQ(plan["rivals"][4]["codec"], "json");
  }
}

TEST_F(PlannerPageTest, TheEnvelopesLinesGiveThePriceOfThePlan) {
  for (const double up : {0.05, 0.5, 5.0, 50.0}) {
    const json plan = Plan(fmt::format("up={}&loss=0", up));
    for (const json& step : plan["envelope"]) {
      if (up < step["from_mbps"].get<double>() || up > step["to_mbps"].get<double>()) continue;
      EXPECT_EQ(step["cut"], plan["best"]["cut"]);
      EXPECT_NEAR(step["fixed"].get<double>() + step["slope"].get<double>() / up,
                  plan["best"]["objective"].get<double>(), 1e-9);
    }
  }
}

// A large fleet fills its instances, and then a device's share is what the plan says; a fleet of
// one pays for a whole instance.
TEST_F(PlannerPageTest, AFleetRentsWholeInstances) {
  const std::string where = "edge=raspberry-pi-4&cloud=c7g.large&link=wifi&objective=cost";
  for (const char* also : {"", "&deliver=edge&data_price=2", "&ignore_credits=1&rate=0.3"}) {
    const json many = Plan(where + also + "&devices=10000000");
    for (size_t i = 0; i < many["rivals"].size(); ++i) {
      const double month = many["rivals"][i]["cost_per_device_month"];
      EXPECT_NEAR(many["fleet"]["rivals"][i]["euro_month"].get<double>() / 1e7 / month, 1, 1e-3)
          << also << many["rivals"][i]["key"];
    }
  }
  const json one = Plan(where + "&devices=1");
  EXPECT_EQ(one["fleet"]["rivals"][0]["instances"], 0);
  EXPECT_EQ(one["fleet"]["rivals"][1]["instances"], 1);
  EXPECT_NEAR(one["fleet"]["rivals"][1]["device_month"]["cloud"].get<double>(), 0.0667 * 730, 0.01);
}

TEST_F(PlannerPageTest, OnlyModelsOfTheFolderAreRead) {
  for (const char* name : {"..%2Fmodels%2Flitter", "%2Fetc%2Fpasswd", "litter.onnx", "litte"}) {
    EXPECT_EQ(Ask(planner_, std::string("model=") + name).error().code, ErrorCode::kNotFound);
  }
  EXPECT_THAT(Ask(planner_, "model=litte").error().ToString(), HasSubstr("did you mean 'litter'"));
  Planner none{""};
  EXPECT_THAT(Ask(none, "").error().ToString(), HasSubstr("--models"));
}

TEST_F(PlannerPageTest, AFileThatIsNoModelSaysSoAndIsReadAgainWhenItChanges) {
  const TempDir dir;
  const auto path = dir.path() / "m.onnx";
  ASSERT_TRUE(WriteFile(path, "no model"));
  Planner planner{dir.path()};
  const auto bad = Ask(planner, "");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().ToString(), "model: 'm' cannot be read; the server's log says why");
  std::filesystem::copy_file(kModels / "litter.onnx", path,
                             std::filesystem::copy_options::overwrite_existing);
  const auto later = std::filesystem::file_time_type::clock::now() + std::chrono::seconds(5);
  std::filesystem::last_write_time(path, later);
  const auto good = Ask(planner, "");
  ASSERT_TRUE(good) << good.error().ToString();
  // Without its bundle beside it no codec is calibrated.
  EXPECT_EQ(json::parse(*good)["rivals"][2]["codec"].get<std::string>().find('q'),
            std::string::npos);
}

TEST(PlannerLibrary, NamesEveryMachineAndLink) {
  const json library = json::parse(Planner::Machines());
  EXPECT_GT(library["devices"].size(), 40U);
  EXPECT_GT(library["clouds"].size(), 10U);
  EXPECT_EQ(library["links"].size(), 6U);
}

// The same network under another name says of itself that it is the first in integers; it alone has
// a bundle, so that its codecs make it cheaper by far.
TEST_F(PlannerPageTest, IntegersAreWeighedAgainstFloatAndNamedByTheFolder) {
  TempDir dir;
  std::filesystem::copy_file(kModels / "litter.onnx", dir.path() / "float.onnx");
  std::filesystem::copy_file(kModels / "litter.onnx", dir.path() / "int8.onnx");
  std::filesystem::copy_file(kModels / "litter.bundle", dir.path() / "int8.bundle");
  const std::string card = ReadTextFile(kModels / "litter.toml").value();
  const auto hash = HashSha256(ReadFile(kModels / "litter.onnx").value());
  ASSERT_TRUE(WriteFile(dir.path() / "float.toml", card));
  ASSERT_TRUE(WriteFile(dir.path() / "int8.toml", card + IntegersText({hash, 0.98, 500, true})));
  Planner planner(dir.path());
  const std::string where =
      "model=float&edge=raspberry-pi-3b-plus&cloud=c7g.large&link=3g&objective=latency&min_"
      "agreement=0.5";
  const json alone = json::parse(Ask(planner, where).value());
  EXPECT_FALSE(alone.contains("precision"));
  const json both = json::parse(Ask(planner, where + "&integers=int8").value());
  ASSERT_EQ(both["precision"].size(), 2U);
  EXPECT_EQ(both["precision"][0]["file"], "float.onnx");
  EXPECT_EQ(both["precision"][1]["file"], "int8.onnx");
  EXPECT_EQ(both["precision"][1]["agreement"], 0.98);
  EXPECT_THAT(both["precision"][1]["text"].get<std::string>(), HasSubstr("98 % of verdicts stay"));
  const bool chosen = both["precision"][1]["chosen"];
  EXPECT_NE(chosen, both["precision"][0]["chosen"].get<bool>());
  EXPECT_EQ(json::parse(planner.Network("float").value())["integers"], json({"int8"}));
  for (const char* wrong : {"&integers=float", "&integers=../int8", "&integers=int8.onnx"}) {
    EXPECT_EQ(Ask(planner, where + wrong).error().code, ErrorCode::kNotFound) << wrong;
  }
}

TEST_F(PlannerPageTest, ProfilesOfTheFolderAreMachinesAndOthersAreNot) {
  TempDir dir;
  std::filesystem::copy_file(kModels / "litter.onnx", dir.path() / "litter.onnx");
  std::filesystem::copy_file(kModels / "litter.toml", dir.path() / "litter.toml");
  ASSERT_TRUE(WriteFile(dir.path() / "broken.json", std::string("{")));
  std::filesystem::create_symlink("/etc/passwd", dir.path() / "out.json");
  Planner planner(dir.path());
  EXPECT_THAT(planner.Models(), HasSubstr("\"profiles\":[\"broken.json\",\"out.json\"]"));
  for (const char* edge :
       {"broken.json", "out.json", "none.json", "../litter.json", "/etc/x.json"}) {
    const auto answer = Ask(planner, std::string("edge=") + edge);
    ASSERT_FALSE(answer) << edge;
    EXPECT_EQ(answer.error().code, ErrorCode::kNotFound) << edge;
    EXPECT_THAT(answer.error().ToString(), Not(HasSubstr(dir.path().string()))) << edge;
  }
}

// A cascade beside the model is a file: it is not looked at, whatever it holds.
TEST_F(PlannerPageTest, NoCascadeIsLookedForAtAVisitorsWish) {
  TempDir dir;
  std::filesystem::copy_file(kModels / "litter.onnx", dir.path() / "litter.onnx");
  std::filesystem::copy_file(kModels / "litter.toml", dir.path() / "litter.toml");
  ASSERT_TRUE(WriteFile(dir.path() / "litter.cascade", std::string("nonsense")));
  Planner planner(dir.path());
  const auto answer = Ask(planner, "max_disagreement=0.01");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(answer.error().ToString(), Not(HasSubstr("cascade:")));
}

}  // namespace
}  // namespace fogline
