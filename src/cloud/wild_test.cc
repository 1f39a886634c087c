// Networks as strangers committed them: each that takes a picture runs on the device alone, cut in
// the middle and in the cloud alone, and says something of the same kind each time.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <ostream>

#include "base/file.h"
#include "cloud/test_halves.h"
#include "codec/runnable.h"
#include "vision/folder.h"

namespace fogline {
namespace {

namespace fs = std::filesystem;
using fogline::test::Halves;

/// Each by what it gives. Lists that are no scores, and one score a pixel, cannot be told by their
/// shapes: cards say it.
struct Stranger {
  const char* file;
  OutputKind kind;
  const char* card = "";
};
/// Not as its bytes, which are another process's addresses in every run.
void PrintTo(const Stranger& one, std::ostream* to) { *to << one.file; }
constexpr const char* kNumbers = "[output]\nkind = 'numbers'\n";
constexpr const char* kMask = "[output]\nkind = 'mask'\n";
const Stranger kStrangers[] = {{"angle_net.onnx", OutputKind::kClasses},
                               {"blazeface.onnx", OutputKind::kBoxes},
                               {"cnn_mnist_aka.onnx", OutputKind::kClasses},
                               {"dbnet.onnx", OutputKind::kMask, kMask},
                               {"fastestdet.onnx", OutputKind::kBoxes},
                               {"mb_tract.onnx", OutputKind::kClasses},
                               {"mbv2_int8_edgeopt.onnx", OutputKind::kClasses},
                               {"mbv2_quant_nns.onnx", OutputKind::kClasses},
                               {"mnist_ms.onnx", OutputKind::kClasses},
                               {"mobilefacenet.onnx", OutputKind::kNumbers, kNumbers},
                               {"nanodet_hpc.onnx", OutputKind::kBoxes},
                               {"pfld.onnx", OutputKind::kNumbers, kNumbers},
                               {"picodet_s_320.onnx", OutputKind::kBoxes},
                               {"super_resolution.onnx", OutputKind::kRaw},
                               {"ultraface_slim.onnx", OutputKind::kBoxes},
                               {"unet_sed.onnx", OutputKind::kMask, kMask},
                               {"yolov8n_int8.onnx", OutputKind::kBoxes},
                               {"yolox_nano_kazu.onnx", OutputKind::kBoxes},
                               {"yunet_2026may.onnx", OutputKind::kBoxes}};

fs::path WildFile(const Stranger& stranger) {
  return fs::path(FOGLINE_SHARED_DATA) / "models/wild" / stranger.file;
}

class Wild : public ::testing::TestWithParam<Stranger> {
 protected:
  void SetUp() override {
    const fs::path file = WildFile(GetParam());
    const fs::path pictures = fs::path(FOGLINE_SHARED_DATA) / "images/coco/images/val";
    if (!fs::exists(file) || !fs::exists(pictures)) GTEST_SKIP() << "no " << file;
    const fs::path here = dir_.path() / GetParam().file;
    fs::copy_file(file, here);
    ASSERT_TRUE(WriteFile(fs::path(here).replace_extension(".toml"), GetParam().card));
    const Status opened = halves_.Open(here);
    ASSERT_TRUE(opened) << opened.error().ToString();
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(pictures)) found.push_back(entry.path());
    std::ranges::sort(found);
    ASSERT_FALSE(found.empty());
    auto picture = LoadPicture(found.front());
    ASSERT_TRUE(picture) << picture.error().ToString();
    picture_ = std::move(picture->image);
  }

  /// The cut in the middle of those that are run.
  std::string Middle() const {
    const auto cuts = ListCuts(halves_.network().model).value();
    std::vector<const Cut*> run;
    for (const Cut& cut : cuts) {
      if (cut.is_split() && !WhyNotRun(halves_.network().contract, cut, std::nullopt))
        run.push_back(&cut);
    }
    return run.empty() ? "" : run[run.size() / 2]->name;
  }

  TempDir dir_;
  Halves halves_;
  Image picture_;
};

std::string Told(const Worked& worked) {
  const auto& findings = worked.detection->findings;
  if (!findings) return "a class, '" + worked.detection->label + "'";
  if (const auto* boxes = std::get_if<BoxFindings>(&*findings)) {
    return std::to_string(boxes->boxes.size()) + " boxes";
  }
  if (const auto* mask = std::get_if<MaskFindings>(&*findings)) {
    return std::to_string(mask->shares.size()) + " shares, " + std::to_string(mask->mask.width) +
           "x" + std::to_string(mask->mask.height) + " cells";
  }
  if (const auto* numbers = std::get_if<NumberFindings>(&*findings)) {
    return std::to_string(numbers->numbers.size()) + " numbers";
  }
  return "raw outputs";
}

TEST_P(Wild, RunsEndToEndByEveryMechanism) {
  EXPECT_EQ(halves_.network().contract.output().kind, GetParam().kind)
      << halves_.network().contract.ToString();
  const auto edge = halves_.ByTheLine(picture_, "edge-only", "");
  ASSERT_TRUE(edge) << edge.error().ToString();
  std::string row = std::string(GetParam().file) + " | " + halves_.network().contract.ToString() +
                    " | edge-only: " + Told(*edge);
  const std::string middle = Middle();
  ASSERT_FALSE(middle.empty());
  for (const auto& [cut, codec] : {std::pair(middle, "f16"), {"cloud-only", "jpeg:95"}}) {
    const auto worked = halves_.ByTheLine(picture_, cut, codec);
    ASSERT_TRUE(worked) << cut << ": " << worked.error().ToString();
    row += " | " + cut + ": " + Told(*worked);
    ASSERT_EQ(worked->detection->findings.has_value(), edge->detection->findings.has_value());
    if (!edge->detection->findings) continue;
    EXPECT_EQ(worked->detection->findings->index(), edge->detection->findings->index());
  }
  RecordProperty("row", row);
  std::printf("%s\n", row.c_str());
}

INSTANTIATE_TEST_SUITE_P(Strangers, Wild, ::testing::ValuesIn(kStrangers), [](const auto& one) {
  const std::string file = one.param.file;
  return file.substr(0, file.find('.'));
});

/// None is forgotten: a file that is new there has to be told here.
TEST(WildFolder, HasNoNetworkThatIsNotTold) {
  const fs::path folder = fs::path(FOGLINE_SHARED_DATA) / "models/wild";
  if (!fs::exists(folder)) GTEST_SKIP() << "no " << folder;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() != ".onnx") continue;
    const std::string name = entry.path().filename();
    EXPECT_TRUE(std::ranges::any_of(kStrangers, [&](const Stranger& one) {
      return name == one.file;
    })) << name;
  }
}

}  // namespace
}  // namespace fogline
