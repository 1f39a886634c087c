// Every layout's decoder against tests/reference/boxes.py, on random tensors.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <sstream>

#include "base/file.h"
#include "base/json.h"
#include "base/paths.h"
#include "base/process.h"
#include "engine/session.h"
#include "vision/box_layout.h"
#include "vision/boxes.h"
#include "vision/folder.h"
#include "vision/network.h"
#include "vision/preprocess.h"

namespace fogline {
namespace {

/// What Debian's own Python says; nothing where it has no numpy.
std::optional<std::string> Python(const std::vector<std::string>& arguments) {
  Process::Options options;
  options.command = {"/usr/bin/python3"};
  options.command.insert(options.command.end(), arguments.begin(), arguments.end());
  options.capture_stdout = true;
  auto child = Process::Start(options);
  if (!child) return {};
  auto said = child->ReadStdout();
  if (child->Wait() != 0 || !said) return {};
  return *std::move(said);
}

/// One output and how its numbers are drawn: column by column of its last dimension.
struct Drawn {
  Shape shape;
  std::function<double(std::mt19937&, size_t column)> number;
  DType dtype = DType::kF32;
};

double Uniform(std::mt19937& random, double low, double high) {
  return std::uniform_real_distribution<double>(low, high)(random);
}
/// Few that are sure, many that are not.
double Sure(std::mt19937& random) { return std::pow(Uniform(random, 0, 1), 6); }
double Logits(std::mt19937& random) { return Uniform(random, -12, 3); }

struct Case {
  std::string name;
  BoxLayout layout;
  int width, height;
  std::vector<Drawn> outputs;
  BoxRules rules;
};

constexpr int kWidth = 160, kHeight = 128;
constexpr int64_t kCells = 20 * 16 + 10 * 8 + 5 * 4, kMoreCells = kCells + 3 * 2;

/// Numbers of a row: x, y, width, height of pixels, then scores.
double Yolo(std::mt19937& random, size_t column) {
  if (column == 0) return Uniform(random, -5, kWidth + 5);
  if (column == 1) return Uniform(random, -5, kHeight + 5);
  return column < 4 ? Uniform(random, 1, 60) : Sure(random);
}
double Deltas(std::mt19937& random, size_t column) {
  return column < 2 ? Uniform(random, -2, 2) : Uniform(random, -1, 2);
}

Tensor Draw(const Drawn& drawn, std::mt19937& random) {
  Tensor tensor(drawn.dtype, drawn.shape);
  const auto last = static_cast<size_t>(drawn.shape[drawn.shape.rank() - 1]);
  const auto count = static_cast<size_t>(*drawn.shape.Elements());
  for (size_t i = 0; i < count; ++i) {
    const double v = drawn.number(random, i % last);
    if (drawn.dtype == DType::kI64) {
      tensor.as<int64_t>()[i] = static_cast<int64_t>(v);
    } else {
      tensor.as<float>()[i] = static_cast<float>(v);
    }
  }
  return tensor;
}

const auto kScores = [](std::mt19937& random, size_t) { return Sure(random); };
const auto kLogits = [](std::mt19937& random, size_t) { return Logits(random); };
const auto kBins = [](std::mt19937& random, size_t) { return Uniform(random, -3, 3); };
/// Corners in parts, the second beyond the first more often than not.
const auto kCorners = [](std::mt19937& random, size_t column) {
  return column < 2 ? Uniform(random, -0.1, 0.7) : Uniform(random, 0.4, 1.1);
};

Case RowsCase(const char* name, BoxLayout layout, int64_t rows) {
  return {name, layout, kWidth, kHeight, {{Shape{1, rows, 5 + 7}, Yolo}}, {}};
}

Case Yolox() {
  const auto number = [](std::mt19937& random, size_t column) {
    return column < 4 ? Deltas(random, column) : Sure(random);
  };
  return {"yolox", BoxLayout::kYolox, kWidth, kHeight, {{Shape{1, kCells, 5 + 80}, number}}, {}};
}

Case Yolov8() {
  // Columns: what a number means depends on its row, so all are drawn as one may be a place.
  auto place = std::make_shared<size_t>(0);
  const auto number = [place](std::mt19937& random, size_t) {
    return Yolo(random, (*place)++ / static_cast<size_t>(kCells));
  };
  return {"yolov8", BoxLayout::kYolov8, kWidth, kHeight, {{Shape{1, 4 + 80, kCells}, number}}, {}};
}

/// The same numbers candidate by candidate.
Case Yolov8Transposed() {
  const auto number = [](std::mt19937& random, size_t column) { return Yolo(random, column); };
  return {"yolov8 transposed",
          BoxLayout::kYolov8,
          kWidth,
          kHeight,
          {{Shape{1, kCells, 4 + 80}, number}},
          {}};
}

Case Levels(const char* name, BoxLayout layout, size_t levels, bool logits, bool boxes_first) {
  Case made{name, layout, kWidth, kHeight, {}, {}};
  const int64_t cells[] = {20 * 16, 10 * 8, 5 * 4, 3 * 2};
  std::vector<Drawn> scores, boxes;
  for (size_t l = 0; l < levels; ++l) {
    scores.push_back({Shape{1, cells[l], 80}, logits ? std::function(kLogits) : kScores});
    boxes.push_back({Shape{1, cells[l], 32}, kBins});
  }
  if (boxes_first) std::swap(scores, boxes);
  made.outputs = scores;
  made.outputs.insert(made.outputs.end(), boxes.begin(), boxes.end());
  made.rules.logits = logits;
  return made;
}

Case NanodetPlus() {
  const auto number = [](std::mt19937& random, size_t column) {
    return column < 10 ? Sure(random) : Uniform(random, -3, 3);
  };
  return {"nanodet-plus",
          BoxLayout::kNanodet,
          kWidth,
          kHeight,
          {{Shape{1, kMoreCells, 10 + 32}, number}},
          {}};
}

Case Anchors(const char* name, BoxLayout layout, bool logits) {
  Case made{name, layout, kWidth, kHeight, {}, {}};
  made.rules.logits = logits;
  int64_t count = 2 * kCells, classes = 2;
  if (layout == BoxLayout::kSsd) {
    made.rules.strides = {16, 32};
    made.rules.sizes = {{20, 40}, {80}};
    made.rules.ratios = {1, 2, 0.5};
    count = 3 * (2 * 10 * 8 + 5 * 4);
    classes = 6;
  }
  made.outputs = {{Shape{1, count, 4}, Deltas},
                  {Shape{1, count, classes}, logits ? std::function(kLogits) : kScores},
                  {Shape{1, count, 10}, kBins}};
  return made;
}

Case Yunet() {
  Case made{"yunet", BoxLayout::kYunet, kWidth, kHeight, {}, {}};
  for (const auto width : {1, 1, 4, 10}) {
    for (const int64_t cells : {20 * 16, 10 * 8, 5 * 4}) {
      made.outputs.push_back(
          {Shape{1, cells, width}, width == 1 ? std::function(kScores) : std::function(Deltas)});
    }
  }
  return made;
}

std::vector<Case> Cases() {
  const auto pixels = [](std::mt19937& random, size_t column) {
    if (column >= 4) return column == 4 ? Sure(random) : std::floor(Uniform(random, 0, 9));
    return kCorners(random, column) * 128;
  };
  const auto seven = [pixels](std::mt19937& random, size_t column) {
    if (column == 0) return std::floor(Uniform(random, 0, 2));
    return column < 5 ? pixels(random, column - 1) : pixels(random, 10 - column);
  };
  std::vector<Case> cases{
      RowsCase("yolov5", BoxLayout::kYolov5, 3 * kCells),
      Yolov8(),
      Yolov8Transposed(),
      Yolox(),
      Levels("nanodet", BoxLayout::kNanodet, 3, false, false),
      Levels("picodet", BoxLayout::kPicodet, 4, false, false),
      Levels("picodet of logits, boxes first", BoxLayout::kPicodet, 4, true, true),
      NanodetPlus(),
      {"fastestdet",
       BoxLayout::kFastestdet,
       kWidth,
       kHeight,
       {{Shape{1, 5 + 80, 8, 10}, kScores}},
       {}},
      Anchors("ssd of logits", BoxLayout::kSsd, true),
      Anchors("retina", BoxLayout::kRetina, false),
      {"ultraface",
       BoxLayout::kUltraface,
       kWidth,
       kHeight,
       {{Shape{1, 500, 2}, kScores}, {Shape{1, 500, 4}, kCorners}},
       {}},
      Yunet(),
      {"blazeface",
       BoxLayout::kBlazeface,
       128,
       128,
       {{Shape{1, 896, 16},
         [](std::mt19937& random, size_t c) {
           return c < 2 ? Uniform(random, -30, 30) : Uniform(random, -5, 60);
         }},
        {Shape{1, 896, 1}, kLogits}},
       {}},
      {"nms of six", BoxLayout::kNms, kWidth, kHeight, {{Shape{1, 300, 6}, pixels}}, {}},
      {"nms of seven", BoxLayout::kNms, kWidth, kHeight, {{Shape{200, 7}, seven}}, {}},
      {"nms of three",
       BoxLayout::kNms,
       kWidth,
       kHeight,
       {{Shape{1, 90, 4}, pixels},
        {Shape{1, 90}, kScores},
        {Shape{1, 90}, [](std::mt19937& r, size_t) { return std::floor(Uniform(r, 0, 9)); },
         DType::kI64}},
       {}},
  };
  return cases;
}

class Reference : public testing::Test {
 protected:
  void SetUp() override {
    if (!Python({"-c", "import numpy"})) GTEST_SKIP() << "no python3-numpy here";
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string Ask(BoxLayout layout, const std::vector<Tensor>& outputs, const ModelCard& card,
                  const Placement& place) {
    const BoxRules& rules = card.boxes;
    Json asked{{"layout", NameOf(layout)},
               {"width", card.width},
               {"height", card.height},
               {"least_score", rules.least_score},
               {"overlap", rules.overlap},
               {"most", rules.most},
               {"logits", rules.logits.value_or(RowOf(layout).logits)},
               {"strides", rules.strides},
               {"sizes", rules.sizes},
               {"ratios", rules.ratios},
               {"place",
                {{"left", place.left},
                 {"top", place.top},
                 {"width", place.width},
                 {"height", place.height}}}};
    for (size_t i = 0; i < outputs.size(); ++i) {
      const std::string file = fmt::format("{}.bin", i);
      const auto bytes = outputs[i].bytes();
      EXPECT_TRUE(WriteFile(
          folder_ / file, std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size())));
      const Shape& s = outputs[i].shape();
      asked["outputs"].push_back({{"file", file},
                                  {"shape", std::vector<int64_t>(s.begin(), s.end())},
                                  {"dtype", outputs[i].dtype() == DType::kI64 ? "<i8" : "<f4"}});
    }
    EXPECT_TRUE(WriteFile(folder_ / "case.json", Dump(asked)));
    const std::filesystem::path script =
        std::filesystem::path(FOGLINE_SOURCE_DIR) / "tests/reference/boxes.py";
    return Python({script.string(), (folder_ / "case.json").string()}).value_or("failed");
  }

  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / fmt::format("fogline-boxes-{}", getpid());
};

ModelCard CardFor(const Case& one) {
  ModelCard card;
  card.kind = ModelCard::Kind::kBoxes;
  card.width = one.width;
  card.height = one.height;
  card.boxes = WithAnchors(one.layout, one.rules);
  return card;
}

/// Holds what was read against the reference's lines; the number of boxes.
size_t ExpectSame(const BoxFindings& read, const std::string& reference, const ModelCard& card) {
  std::istringstream lines(reference);
  size_t i = 0;
  for (std::string line; std::getline(lines, line); ++i) {
    std::istringstream words(line);
    int label = -1;
    double score = 0, x = 0, y = 0, w = 0, h = 0;
    if (!(words >> label >> score >> x >> y >> w >> h) || i >= read.boxes.size()) {
      ADD_FAILURE() << "box " << i << " of " << read.boxes.size() << ": " << line;
      return i;
    }
    const FoundBox& box = read.boxes[i];
    EXPECT_EQ(box.label, card.LabelOf(label)) << i;
    EXPECT_NEAR(box.score, score, 1e-5) << i;
    EXPECT_NEAR(box.x, x, 1e-4) << i;
    EXPECT_NEAR(box.y, y, 1e-4) << i;
    EXPECT_NEAR(box.w, w, 1e-4) << i;
    EXPECT_NEAR(box.h, h, 1e-4) << i;
  }
  EXPECT_EQ(read.boxes.size(), i);
  return i;
}

TEST_F(Reference, EveryLayoutGivesTheSameBoxes) {
  std::set<BoxLayout> seen;
  for (const Case& one : Cases()) {
    SCOPED_TRACE(one.name);
    seen.insert(one.layout);
    std::mt19937 random(17);
    std::vector<Tensor> outputs;
    std::vector<Port> ports;
    for (const Drawn& drawn : one.outputs) {
      outputs.push_back(Draw(drawn, random));
      ports.push_back({fmt::format("o{}", ports.size()), drawn.dtype, drawn.shape});
    }
    const ModelCard card = CardFor(one);
    const Placement place{0.1, -0.05, 0.8, 1.2};
    const auto read = ReadBoxes(outputs, ports, card, place);
    ASSERT_TRUE(read) << read.error().ToString();
    const size_t boxes = ExpectSame(*read, Ask(one.layout, outputs, card, place), card);
    EXPECT_GE(boxes, 8U) << "too few to tell anything";
  }
  EXPECT_EQ(seen.size(), BoxLayouts().size());
}

/// Detectors as strangers committed them, on photographs.
TEST_F(Reference, RealNetworksGiveTheSameBoxes) {
  const std::filesystem::path data = FOGLINE_SHARED_DATA;
  const auto pictures = ListImages(data / "images/coco/images/val");
  if (!pictures || pictures->size() < 8) GTEST_SKIP() << "no photographs in " << data;
  size_t networks = 0, boxes = 0;
  for (const char* name : {"yolox_nano_kazu", "nanodet_hpc", "picodet_s_320", "fastestdet",
                           "ultraface_slim", "yunet_2026may", "blazeface", "yolov8n_int8"}) {
    SCOPED_TRACE(name);
    auto network = LoadNetwork(data / "models/wild" / (std::string(name) + ".onnx"));
    if (!network) continue;
    ++networks;
    ModelCard card = network->card;
    card.boxes.least_score = 0.05;  // faces are rare
    const auto session = OpenSession(network->model);
    ASSERT_TRUE(session) << session.error().ToString();
    for (const size_t i : {size_t{2}, size_t{7}}) {
      const auto picture = LoadPicture((*pictures)[i]);
      ASSERT_TRUE(picture);
      Image fitted;
      FitToInput(picture->image, card, fitted);
      Tensor input(card.dtype, card.input_shape());
      Normalise(fitted, card, input);
      const TensorView view = input.view();
      const auto outputs = (*session)->Run({&view, 1});
      ASSERT_TRUE(outputs) << outputs.error().ToString();
      const Placement place = PlacementOf(picture->image.width, picture->image.height, card);
      const auto read = ReadBoxes(*outputs, (*session)->outputs(), card, place);
      ASSERT_TRUE(read) << read.error().ToString();
      boxes += ExpectSame(*read, Ask(*card.boxes.layout, *outputs, card, place), card);
    }
  }
  if (networks == 0) GTEST_SKIP() << "no networks in " << data;
  EXPECT_GE(boxes, 5 * networks);
}

}  // namespace
}  // namespace fogline
