// How good public detectors are on labelled photographs, reckoned twice: by what `fogline eval`
// calls, and by tests/reference from the networks' raw outputs and the files of truth.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <sstream>

#include "base/file.h"
#include "base/json.h"
#include "base/process.h"
#include "engine/session.h"
#include "learn/evaluate_boxes.h"
#include "vision/box_layout.h"
#include "vision/boxes.h"
#include "vision/folder.h"
#include "vision/network.h"
#include "vision/preprocess.h"

namespace fogline {
namespace {

/// A picture's raw outputs as files beside the list of cases, and what boxes.py is told of them.
Json CaseOf(const std::filesystem::path& folder, size_t picture, const ModelCard& card,
            const Placement& place, const std::vector<Tensor>& outputs) {
  const BoxRules& rules = card.boxes;
  Json asked{{"layout", NameOf(*rules.layout)},
             {"width", card.width},
             {"height", card.height},
             {"least_score", rules.least_score},
             {"overlap", rules.overlap},
             {"most", rules.most},
             {"logits", rules.logits.value_or(RowOf(*rules.layout).logits)},
             {"place",
              {{"left", place.left},
               {"top", place.top},
               {"width", place.width},
               {"height", place.height}}}};
  for (size_t i = 0; i < outputs.size(); ++i) {
    const std::string file = fmt::format("{}-{}.bin", picture, i);
    const auto bytes = outputs[i].bytes();
    EXPECT_TRUE(WriteFile(folder / file,
                          std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size())));
    const Shape& s = outputs[i].shape();
    asked["outputs"].push_back(
        {{"file", file}, {"shape", std::vector<int64_t>(s.begin(), s.end())}, {"dtype", "<f4"}});
  }
  return asked;
}

/// The raw outputs for every picture of a folder, written to another.
void WriteCases(const Network& network, const std::vector<std::filesystem::path>& pictures,
                const std::filesystem::path& folder) {
  const ModelCard card = ForCurves(network.card);
  const auto session = OpenSession(network.model);
  ASSERT_TRUE(session) << session.error().ToString();
  Json cases = Json::array();
  for (size_t i = 0; i < pictures.size(); ++i) {
    const auto picture = LoadPicture(pictures[i]);
    ASSERT_TRUE(picture) << picture.error().ToString();
    Image fitted;
    FitToInput(picture->image, card, fitted);
    Tensor input(card.dtype, card.input_shape());
    Normalise(fitted, card, input);
    const TensorView view = input.view();
    const auto outputs = (*session)->Run({&view, 1});
    ASSERT_TRUE(outputs) << outputs.error().ToString();
    const Placement place = PlacementOf(picture->image.width, picture->image.height, card);
    cases.push_back({{"picture", pictures[i].filename().string()},
                     {"case", CaseOf(folder, i, card, place, *outputs)}});
  }
  ASSERT_TRUE(WriteFile(folder / "cases.json", Dump(cases)));
}

/// Both means as the reference has them; nothing where Debian's Python has no numpy.
std::vector<double> Reference(const std::filesystem::path& folder,
                              const std::filesystem::path& coco) {
  Process::Options options;
  options.command = {"/usr/bin/python3",
                     std::string(FOGLINE_SOURCE_DIR) + "/tests/reference/coco_map.py",
                     (folder / "cases.json").string(), (coco / "labels/val").string(),
                     (coco / "names.txt").string()};
  options.capture_stdout = true;
  auto child = Process::Start(options);
  if (!child) return {};
  std::istringstream words(child->ReadStdout().value_or(""));
  if (child->Wait() != 0) return {};
  std::vector<double> numbers;
  for (double number = 0; words >> number;) numbers.push_back(number);
  return numbers;
}

TEST(EvaluateBoxes, AgreesWithAnIndependentMeanAveragePrecision) {
  const std::filesystem::path data = FOGLINE_SHARED_DATA, coco = data / "images/coco";
  const auto pictures = ListImages(coco / "images/val");
  if (!pictures || pictures->size() < 64) GTEST_SKIP() << "no photographs in " << data;
  const auto folder =
      std::filesystem::temp_directory_path() / fmt::format("fogline-map-{}", getpid());
  size_t networks = 0;
  for (const char* name : {"yolox_nano_kazu", "fastestdet", "picodet_s_320"}) {
    SCOPED_TRACE(name);
    BoxEvaluateOptions options;
    options.model = data / "models/wild" / (std::string(name) + ".onnx");
    options.images = coco / "images/val";
    options.truth = coco / "labels/val";
    const auto network = LoadNetwork(options.model);
    if (!network) continue;
    ++networks;
    const auto report = EvaluateBoxes(options, [](std::string_view, size_t, size_t) {});
    ASSERT_TRUE(report) << report.error().ToString();
    std::filesystem::create_directories(folder);
    ASSERT_NO_FATAL_FAILURE(WriteCases(*network, *pictures, folder));
    const auto means = Reference(folder, coco);
    std::filesystem::remove_all(folder);
    if (means.size() != 2) GTEST_SKIP() << "no numpy";
    EXPECT_NEAR(report->precision.map50, means[0], 0.002);
    EXPECT_NEAR(report->precision.map50_95, means[1], 0.002);
    fmt::print("{}: {:.4f} {:.4f}, again {:.4f} {:.4f}\n", name, report->precision.map50,
               report->precision.map50_95, means[0], means[1]);
  }
  if (networks == 0) GTEST_SKIP() << "no networks in " << data;
}

}  // namespace
}  // namespace fogline
