// `fogline calibrate` as a process: killed at any moment it goes on where it was, folders hold
// pictures that are none, and labels are written as people write them.
#include <fmt/format.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/cli/command.h"

namespace fogline {
namespace {

using Json = nlohmann::json;

const fs::path kDemo = kSource / "models/demo";

class CalibrateCommand : public ::testing::Test {
 protected:
  /// The shipped model and a few of its pictures in folders of our own.
  CalibrateCommand() {
    fs::create_directories(pictures_);
    fs::copy_file(kSource / "models/litter.onnx", model_);
    fs::copy_file(kSource / "models/litter.toml", fs::path(model_).replace_extension(".toml"));
    for (const char* name : {"walk_01.jpg", "walk_02.jpg", "walk_03.jpg", "walk_04.jpg"}) {
      fs::copy_file(kDemo / name, pictures_ / name);
    }
  }

  std::vector<std::string> Words(std::vector<std::string> more = {}) const {
    std::vector<std::string> words{"calibrate", model_.string(), "--images", pictures_.string(),
                                   "--bits",    "4,6",           "--cuts",   "split6;split13"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  Outcome Run(std::vector<std::string> more = {}) {
    return RunCommand(Words(std::move(more)), dir_.path());
  }
  void Write(const fs::path& file, const std::string& text) { EXPECT_TRUE(WriteFile(file, text)); }

  TempDir dir_;
  fs::path pictures_ = dir_.path() / "pictures", model_ = dir_.path() / "m.onnx",
           bundle_ = dir_.path() / "m.bundle", draft_ = dir_.path() / "m.bundle.part",
           labels_ = dir_.path() / "labels.tsv";
};

TEST_F(CalibrateCommand, HowSeveralCutsAreGivenIsSaid) {
  const Outcome outcome = Run({"--cuts", "split6,split13"});
  EXPECT_NE(outcome.status, 0);
  EXPECT_THAT(outcome.log, HasSubstr("several cuts are given by ';' between them"));
}

TEST_F(CalibrateCommand, KilledItGoesOnWhereItWasToTheSameBytes) {
  Outcome whole = Run();
  ASSERT_EQ(whole.status, 0) << whole.log;
  const auto wanted = ReadFile(bundle_).value();
  EXPECT_FALSE(fs::exists(draft_));
  fs::remove(bundle_);

  std::vector<std::string> command = Words();
  command.insert(command.begin(), FOGLINE_BINARY);
  auto process = Process::Start({.command = command, .stderr_to = dir_.path() / "log"});
  ASSERT_TRUE(process) << process.error().ToString();
  // Its first cut is done once more is kept than the frame of a draft without any.
  std::error_code error;
  while (process->Running() && (fs::file_size(draft_, error) < 4096 || error)) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  process->Signal(SIGKILL);
  process->Wait();
  if (!fs::exists(bundle_)) {  // it was not faster than the signal
    EXPECT_TRUE(fs::exists(draft_));
    whole = Run();
    ASSERT_EQ(whole.status, 0) << whole.log;
    EXPECT_THAT(whole.log, HasSubstr("goes on where it was stopped, behind 1 of 2 cuts"));
  }
  EXPECT_EQ(ReadFile(bundle_).value(), wanted);
  EXPECT_FALSE(fs::exists(draft_));
}

TEST_F(CalibrateCommand, WhatAnotherCalibrationLeftIsNotGoneOnWith) {
  Write(draft_, "FOGD and nothing else");
  const Outcome outcome = Run();
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.log, HasSubstr("begins anew"));
  EXPECT_TRUE(fs::exists(bundle_));
  EXPECT_FALSE(fs::exists(draft_));
}

TEST_F(CalibrateCommand, AFolderWhereNothingCanBeWrittenIsKnownBeforeAllWork) {
  const auto nowhere = dir_.path() / "missing" / "m.bundle";
  ExpectOneLine(Run({"--out", nowhere.string()}), nowhere.string());
}

TEST_F(CalibrateCommand, ReadsTheLabelsThatComeWithTheDemo) {
  const Outcome outcome = Run({"--labels", (kDemo / "labels.tsv").string(), "--json"});
  ASSERT_EQ(outcome.status, 0) << outcome.log;
  for (const Json& pair : Json::parse(outcome.out)["pairs"]) {
    EXPECT_TRUE(pair["top1_accuracy"].is_number()) << pair;
    EXPECT_EQ(pair["agreement"], pair["top1_agreement"]) << pair;
  }
  // It names 40 pictures, four of which lie in this folder.
  EXPECT_THAT(outcome.log, HasSubstr("36 labels are of no picture"));
}

TEST_F(CalibrateCommand, LabelsThatCannotBeAreOneLine) {
  Write(labels_, "walk_01.jpg\tclean\nwalk_02.jpg\tliter\n");
  ExpectOneLine(Run({"--labels", labels_.string()}), "labels.tsv:2: 'liter' is no class");
  Write(labels_, "walk_01.jpg\t2\n");
  ExpectOneLine(Run({"--labels", labels_.string()}), "labels.tsv:1: '2' is no class");
  Write(labels_, "walk_01.jpg clean\n");
  ExpectOneLine(Run({"--labels", labels_.string()}), "labels.tsv:1: is no line of file, tab");
  Write(labels_, "walk_01.jpg\tclean\nwalk_01.jpg\t1\n");
  ExpectOneLine(Run({"--labels", labels_.string()}), "gives walk_01.jpg a second class");
  Write(labels_, "elsewhere.jpg\tclean\n");
  ExpectOneLine(Run({"--labels", labels_.string()}), "labels none of the 4 pictures");
}

TEST_F(CalibrateCommand, SubFoldersAreReadWhereTheyAreAskedForAndLabelsNameThem) {
  const fs::path deep = pictures_ / "day 2";
  fs::create_directories(deep);
  fs::rename(pictures_ / "walk_03.jpg", deep / "walk_03.jpg");
  fs::rename(pictures_ / "walk_04.jpg", deep / "walk_02.jpg");
  const Outcome flat = Run({"--json"});
  ASSERT_EQ(flat.status, 0) << flat.log;
  EXPECT_EQ(Json::parse(flat.out)["images"], 2);
  EXPECT_THAT(flat.log, HasSubstr("not read: 1 sub-folder (--recursive reads sub-folders)"));
  Write(labels_, "day 2/walk_02.jpg\tclean\nwalk_01.jpg\tclean\nx/walk_03.jpg\tlitter\n");
  const Outcome all = Run({"--recursive", "--labels", labels_.string(), "--json"});
  ASSERT_EQ(all.status, 0) << all.log;
  EXPECT_EQ(Json::parse(all.out)["images"], 4);
  EXPECT_THAT(all.log, HasSubstr("1 of 4 pictures have no label"));
  Write(labels_, "x/walk_02.jpg\tclean\n");
  const Outcome unclear = Run({"--recursive", "--labels", labels_.string()});
  ExpectOneLine(unclear, "labels.tsv:1: 'x/walk_02.jpg' may mean");
  EXPECT_THAT(unclear.log, HasSubstr("name it with its sub-folder"));
}

TEST_F(CalibrateCommand, PicturesThatCannotBeReadAreNamedAndCounted) {
  Write(pictures_ / "a.jpg", "no picture");
  Write(pictures_ / "b.png", "");
  const Outcome outcome = Run();
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.log, HasSubstr("a.jpg"));
  EXPECT_THAT(outcome.log, HasSubstr("b.png"));
  EXPECT_THAT(outcome.log, HasSubstr("calibrating on 4 of 6 pictures"));
  for (const auto& entry : fs::directory_iterator(kDemo)) {
    fs::remove(pictures_ / entry.path().filename());
  }
  ExpectOneLine(Run(), "none of its 2 pictures can be read");
  fs::remove(pictures_ / "a.jpg");
  fs::remove(pictures_ / "b.png");
  ExpectOneLine(Run(), "holds no pictures");
}

}  // namespace
}  // namespace fogline
