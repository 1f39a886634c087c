// The commands `train` and `eval` as processes: from labelled photographs to a model that the rest
// of the line accepts, and one clear line for folders and backbones that cannot do.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "base/file.h"
#include "tests/cli/command.h"
#include "tests/line/line.h"

namespace fogline {
namespace {

using ::testing::HasSubstr;

namespace fs = std::filesystem;

class Learn : public ::testing::Test {
 protected:
  /// `count` of the demo's pictures of a class, in the sub-folder of its name.
  void Add(const std::string& label, size_t count) {
    fs::create_directories(images_ / label);
    std::istringstream rows(ReadTextFile(kPictures / "labels.tsv").value());
    std::string file, truth;
    while (count > 0 && rows >> file >> truth) {
      if (truth != label) continue;
      fs::copy_file(kPictures / file, images_ / label / file);
      --count;
    }
    ASSERT_EQ(count, 0U) << "labels.tsv names too few";
  }
  void AddJunk(const std::string& label, int count) {
    fs::create_directories(images_ / label);
    for (int i = 0; i < count; ++i) {
      ASSERT_TRUE(WriteFile(images_ / label / fmt::format("junk_{}.jpg", i), "no picture"));
    }
  }

  Outcome Run(std::vector<std::string> words) { return RunCommand(std::move(words), dir_.path()); }
  Outcome Train(const fs::path& backbone = kModel) {
    return Run({"train", "--backbone", backbone, "--images", images_, "--out", out_, "--augment",
                "0", "--json"});
  }
  Outcome Eval(const fs::path& model = kModel) {
    return Run({"eval", model, "--images", images_, "--json"});
  }

  void ExpectRefusal(const Outcome& outcome, const std::string& what, int status = 1) {
    ExpectOneLine(outcome, what, status);
    EXPECT_FALSE(fs::exists(out_));
  }

  TempDir dir_;
  fs::path images_ = dir_.path() / "photographs", out_ = dir_.path() / "mine.onnx";
};

TEST_F(Learn, AFolderOfPhotographsBecomesAModelThatEveryCommandTakes) {
  Add("clean", 5);
  Add("litter", 5);
  AddJunk("litter", 1);
  const Outcome trained = Train();
  ASSERT_EQ(trained.status, 0) << trained.log;
  EXPECT_THAT(trained.log, HasSubstr("junk_0.jpg"));
  const auto report = nlohmann::json::parse(trained.out);
  EXPECT_EQ(report["images"], 10);
  EXPECT_EQ(report["skipped"].size(), 1U);
  EXPECT_EQ(report["classes"], (nlohmann::json{"clean", "litter"}));
  EXPECT_EQ(report["positive"], "litter");
  EXPECT_TRUE(fs::exists(report["card"].get<std::string>()));

  const Outcome inspected = Run({"inspect", out_, "--json"});
  ASSERT_EQ(inspected.status, 0) << inspected.log;
  EXPECT_TRUE(nlohmann::json::accept(inspected.out));

  const fs::path page = dir_.path() / "page.html";
  const Outcome judged = Run({"eval", out_, "--images", images_, "--html", page, "--json"});
  ASSERT_EQ(judged.status, 0) << judged.log;
  const auto score = nlohmann::json::parse(judged.out);
  EXPECT_EQ(score["images"], 10);
  EXPECT_EQ(score["threshold"], report["threshold"]);
  EXPECT_THAT(ReadTextFile(page).value_or(""), HasSubstr("</html>"));
}

TEST_F(Learn, OneClassAloneIsRefused) {
  Add("litter", 3);
  ExpectRefusal(Train(), "1 sub-folder with pictures; give at least two");
  ExpectRefusal(Eval(), "1 sub-folder with pictures; give at least two");
}

TEST_F(Learn, AnEmptyFolderIsRefused) {
  fs::create_directories(images_);
  ExpectRefusal(Train(), "0 sub-folders with pictures");
  ExpectRefusal(Eval(), "0 sub-folders with pictures");
  fs::remove(images_);
  ExpectRefusal(Train(), "cannot read the folder");
  ExpectRefusal(Eval(), "cannot read the folder");
}

TEST_F(Learn, ThreePicturesAreTooFewToLearnFrom) {
  Add("clean", 2);
  Add("litter", 1);
  ExpectRefusal(Train(), "litter: 1 readable picture: every class needs at least 2");
  const Outcome judged = Eval();  // three pictures can be judged by
  EXPECT_EQ(judged.status, 0) << judged.log;
  EXPECT_EQ(nlohmann::json::parse(judged.out)["images"], 3);
}

TEST_F(Learn, UnreadablePicturesAreCountedAndNamed) {
  Add("clean", 3);
  AddJunk("litter", 4);
  ExpectRefusal(Train(), "litter: 0 readable pictures (4 left out)");
  const Outcome judged = Eval();
  EXPECT_EQ(judged.status, 0) << judged.log;
  EXPECT_THAT(judged.log, HasSubstr("junk_3.jpg"));
  fs::remove_all(images_ / "clean");
  AddJunk("clean", 2);
  ExpectRefusal(Eval(), "none of its 6 pictures can be read");
}

TEST_F(Learn, ABackboneWithoutPooledFeaturesSaysHowToChooseOthers) {
  Add("clean", 3);
  Add("litter", 3);
  const Outcome cut = Run({"split", kModel, "--cut", "split10", "--out", dir_.path() / "halves"});
  ASSERT_EQ(cut.status, 0) << cut.log;
  ExpectRefusal(Train(dir_.path() / "halves" / "edge.onnx"), "--at");
}

/// From a network that there is, and pictures without labels, to a line whose sure pictures leave
/// early.
TEST_F(Learn, ANetworkWithExitsRunsInTheDemoAsAFourthDevice) {
  for (const char* copy : {"a", "b"}) {  // 40 to fit to, 40 to measure on
    fs::create_directories(images_ / copy);
    for (const auto& file : fs::directory_iterator(kPictures)) {
      if (file.path().extension() == ".jpg")
        fs::copy_file(file, images_ / copy / file.path().filename());
    }
  }
  const Outcome trained = Run({"train", "--teacher", kModel, "--images", images_, "--recursive",
                               "--out", out_, "--exits", "split6", "--json"});
  ASSERT_EQ(trained.status, 0) << trained.log;
  const auto report = nlohmann::json::parse(trained.out);
  EXPECT_EQ(report["exit_pictures_measured"], 40);
  ASSERT_EQ(report["exits"].size(), 1U);
  EXPECT_EQ(report["exits"][0]["name"], "split6");
  const auto& promises = report["exits"][0]["promises"];
  EXPECT_THAT(promises[1]["why_not"].get<std::string>(), HasSubstr("takes 299 pictures"));

  // What a plan says, the edge takes as it stands.
  const std::vector<std::string> plan{
      "plan",   out_, "--edge", "raspberry-pi-3b-plus", "--cloud", "c6i.large",
      "--link", "3g", "--json", "--max-disagreement"};
  auto at = [&](const char* most) {
    auto words = plan;
    words.emplace_back(most);
    return Run(words);
  };
  ExpectOneLine(at("0.01"), "takes 299 pictures");
  ExpectOneLine(at("0"), "a share above 0", 2);
  ExpectOneLine(at("0.6"), "at most 0.5", 2);
  ExpectOneLine(Run({"plan", kModel, "--edge", "raspberry-pi-4", "--cloud", "c6i.large", "--link",
                     "4g", "--max-disagreement", "0.1"}),
                "has no early exits");

  const Outcome planned = at("0.3");
  ASSERT_EQ(planned.status, 0) << planned.log;
  const auto best = nlohmann::json::parse(planned.out)["best"];
  EXPECT_THAT(best["route"].get<std::string>(), HasSubstr("exit=split6@"));
  EXPECT_GT(best["exit"]["sure_share"], 0.0);

  const Outcome shown =
      Run({"demo", "--once", "--json", "--rate", "0", "--model", out_, "--cut", "split10"});
  ASSERT_EQ(shown.status, 0) << shown.log;
  const auto mechanisms = nlohmann::json::parse(shown.out)["mechanisms"];
  const bool promises_a_tenth = promises[4].contains("sure_share");
  ASSERT_EQ(mechanisms.size(), promises_a_tenth ? 4U : 3U);
  ASSERT_TRUE(promises_a_tenth) << "of 40 pictures none may differ";
  const auto& early = mechanisms[3];
  EXPECT_EQ(early["name"], "early exit");
  EXPECT_EQ(early["images"], 40);
  EXPECT_GT(early["early"], 0);
  EXPECT_EQ(early["stored"], early["sent"]);
  EXPECT_LT(early["bytes_mean"], mechanisms[2]["bytes_mean"]);
}

TEST_F(Learn, WhatExitsCannotBeFittedWithIsOneLine) {
  Add("clean", 5);
  Add("litter", 5);
  const auto train = [&](std::vector<std::string> more) {
    std::vector<std::string> words{"train", "--images", images_, "--recursive", "--out", out_};
    words.insert(words.end(), more.begin(), more.end());
    return Run(words);
  };
  ExpectRefusal(train({}), "--backbone MODEL", 2);
  ExpectRefusal(train({"--teacher", kModel}), "needs --exits", 2);
  ExpectRefusal(train({"--teacher", kModel, "--backbone", kModel, "--exits", "auto"}), "--teacher",
                2);
  ExpectRefusal(train({"--teacher", kModel, "--exits", "split3", "--at", "split5"}), "--at", 2);
  ExpectRefusal(train({"--teacher", kModel, "--exits", "split3,nosuch"}), "nosuch");
  ExpectRefusal(train({"--teacher", kModel, "--exits", "input"}), "no place for an exit", 2);
  ExpectRefusal(train({"--teacher", kModel, "--exits", "split3"}),
                "pictures or more of two of them");
}

}  // namespace
}  // namespace fogline
