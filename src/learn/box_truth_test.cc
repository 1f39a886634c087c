// What labelled files say, and what is wrong with them.
#include "learn/box_truth.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/file.h"
#include "learn/evaluate_boxes.h"

namespace fogline {
namespace {

using testing::HasSubstr;

class Truth : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path Write(const std::string& name, const std::string& text) const {
    EXPECT_TRUE(WriteFile(folder_ / name, text));
    return folder_ / name;
  }
  std::string ErrorOf(const std::filesystem::path& truth) const {
    const auto read = ReadBoxTruth(truth, card_, 2);
    return read ? "" : read.error().ToString();
  }

  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("fogline-truth-" + std::to_string(getpid()));
  ModelCard card_;
};

TEST_F(Truth, OfYolosTexts) {
  card_.labels = {"cat", "dog"};
  Write("a.txt", "1 0.5 0.5 0.2 0.4\r\n\n0 0.05 0.5 0.2 0.2\n7 0.5 0.5 0.1 0.1\n");
  Write("b.txt", "");
  Write("notes.md", "nothing");
  const auto read = ReadBoxTruth(folder_, card_, 2);
  ASSERT_TRUE(read) << read.error().ToString();
  EXPECT_EQ(read->unknown, (std::map<std::string, size_t>{{"class 7", 1}}));
  const auto of = read->Among("x", {"x/a.png", "x/b.jpg", "x/c.jpg"});
  ASSERT_TRUE(of);
  EXPECT_EQ(of->objects[2], nullptr);
  ASSERT_NE(of->objects[1], nullptr);
  EXPECT_TRUE(of->objects[1]->empty());
  const auto* boxes = of->objects[0];
  ASSERT_NE(boxes, nullptr);
  ASSERT_EQ(boxes->size(), 2U);
  EXPECT_EQ((*boxes)[0].label, "dog");
  EXPECT_FLOAT_EQ((*boxes)[0].x, 0.4F);
  EXPECT_FLOAT_EQ((*boxes)[0].y, 0.3F);
  EXPECT_FLOAT_EQ((*boxes)[0].h, 0.4F);
  EXPECT_FLOAT_EQ((*boxes)[1].x, 0);  // cut off at the edge
  EXPECT_FLOAT_EQ((*boxes)[1].w, 0.15F);
}

TEST_F(Truth, OfYolosTextsThatAreNone) {
  EXPECT_THAT(ErrorOf(folder_), HasSubstr("holds no text"));
  for (const char* bad : {"1 0.5 0.5 0.2", "dog 0.5 0.5 0.2 0.2", "-1 0.5 0.5 0.2 0.2",
                          "0.5 0.5 0.5 0.2 0.2", "0 nan 0.5 0.2 0.2"}) {
    Write("a.txt", std::string("0 0.5 0.5 0.1 0.1\n") + bad);
    EXPECT_THAT(ErrorOf(folder_), HasSubstr("a.txt: line 2")) << bad;
  }
}

constexpr const char* kCoco = R"({
  "images": [{"id": 5, "file_name": "a.jpg", "width": 200, "height": 100},
             {"id": 6, "file_name": "deep/b.jpg", "width": 10, "height": 10}],
  "categories": [{"id": 3, "name": "Dog"}, {"id": 90, "name": "zebra"}],
  "annotations": [
    {"image_id": 5, "category_id": 3, "bbox": [20, 10, 100, 50], "iscrowd": 0},
    {"image_id": 5, "category_id": 90, "bbox": [0, 0, 10, 10]},
    {"image_id": 6, "category_id": 3, "bbox": [0, 0, 0, 5]},
    {"image_id": 6, "category_id": 3, "bbox": [5, 5, 5, 5], "iscrowd": 1}]})";

TEST_F(Truth, OfCocosJson) {
  const auto file = Write("t.json", kCoco);
  card_.labels = {"cat", "dog"};
  const auto read = ReadBoxTruth(file, card_, 2);
  ASSERT_TRUE(read) << read.error().ToString();
  EXPECT_EQ(read->unknown, (std::map<std::string, size_t>{{"zebra", 1}}));
  EXPECT_EQ(read->empty, 1U);
  const auto of = read->Among("x", {"x/a.jpg", "x/a.png", "x/b.jpg"});
  ASSERT_TRUE(of);
  EXPECT_EQ(of->objects[1], nullptr);
  const auto* a = of->objects[0];
  ASSERT_TRUE(a != nullptr && a->size() == 1);
  EXPECT_EQ((*a)[0].label, "dog");
  EXPECT_FLOAT_EQ((*a)[0].x, 0.1F);
  EXPECT_FLOAT_EQ((*a)[0].w, 0.5F);
  const auto* b = of->objects[2];
  ASSERT_TRUE(b != nullptr && b->size() == 1);
  EXPECT_TRUE((*b)[0].crowd);
  // Without labels, categories are the classes by their numbers if they are as many.
  const auto numbered = ReadBoxTruth(file, {}, 2);
  ASSERT_TRUE(numbered);
  EXPECT_EQ(numbered->pictures.at("a.jpg").at(1).label, "class 1");
  EXPECT_EQ(ReadBoxTruth(file, {}, 3)->unknown.size(), 2U);
}

TEST_F(Truth, IsOfAPictureByItsPathOrByANameThatOneAloneHas) {
  const auto file = Write("t.json", kCoco);
  card_.labels = {"cat", "dog"};
  const auto read = ReadBoxTruth(file, card_, 2);
  ASSERT_TRUE(read) << read.error().ToString();
  const auto of = read->Among("x", {"x/a.jpg", "x/deep/b.jpg", "x/other/b.jpg"});
  ASSERT_TRUE(of) << of.error().ToString();
  EXPECT_EQ(of->objects[1], &read->pictures.at("deep/b.jpg"));
  EXPECT_EQ(of->objects[2], nullptr);
  EXPECT_TRUE(of->elsewhere.empty());
  const auto unclear = read->Among("x", {"x/1/a.jpg", "x/2/a.jpg"});
  ASSERT_FALSE(unclear);
  EXPECT_THAT(unclear.error().ToString(), HasSubstr("x/1/a.jpg and x/2/a.jpg"));
  BoxTruth twice = *read;
  twice.pictures["far/b.jpg"];
  const auto of_two = twice.Among("x", {"x/b.jpg"});
  ASSERT_FALSE(of_two);
  EXPECT_THAT(of_two.error().ToString(), HasSubstr("'deep/b.jpg' and as 'far/b.jpg'"));
}

TEST_F(Truth, OfTextsInSubFoldersWhereTheyAreAskedFor) {
  std::filesystem::create_directories(folder_ / "day 1");
  std::filesystem::create_directories(folder_ / "day 2");
  Write("day 1/a.txt", "0 0.5 0.5 0.1 0.1\n");
  Write("day 2/a.txt", "");
  EXPECT_THAT(ErrorOf(folder_), HasSubstr("holds no text"));
  const auto read = ReadBoxTruth(folder_, card_, 2, Depth::kRecursive);
  ASSERT_TRUE(read) << read.error().ToString();
  const auto of = read->Among("x", {"x/day 1/a.jpg", "x/day 2/a.jpg"});
  ASSERT_TRUE(of) << of.error().ToString();
  EXPECT_EQ(of->objects[0]->size(), 1U);
  EXPECT_TRUE(of->objects[1]->empty());
}

TEST_F(Truth, OfCocosJsonThatIsNone) {
  EXPECT_THAT(ErrorOf(folder_ / "missing.json"), HasSubstr("missing.json"));
  for (const auto& [text, says] : std::map<std::string, std::string>{
           {"[]", "is no COCO JSON"},
           {"{", "t.json"},
           {"{}", "has no images"},
           {R"({"images": [1]})", "has an image without"},
           {R"({"images": 7})", "has an image without"},
           {R"({"images": [{"id": 1, "file_name": 2, "width": 1, "height": 1}]})", "without id"},
           {R"({"images": [{"id": 1, "file_name": "a", "width": 1, "height": 1}]})",
            "has no categories"},
           {R"({"images": [{"id": 1, "file_name": "a", "width": 1, "height": 1}],
                "categories": [{"id": 1, "name": "x"}], "annotations": [{"image_id": 2}]})",
            "annotation 1"}}) {
    EXPECT_THAT(ErrorOf(Write("t.json", text)), HasSubstr(says)) << text;
  }
}

TEST(EvaluateBoxes, OfARealDetectorOnLabelledPhotographs) {
  const std::filesystem::path data = FOGLINE_SHARED_DATA;
  BoxEvaluateOptions options{data / "models/wild/yolox_nano_kazu.onnx",
                             data / "images/coco/images/val", data / "images/coco/labels/val"};
  if (!std::filesystem::exists(options.model)) GTEST_SKIP() << "no networks in " << data;
  options.threads = 2;
  const auto report = EvaluateBoxes(options, [](std::string_view, size_t, size_t) {});
  ASSERT_TRUE(report) << report.error().ToString();
  EXPECT_EQ(report->pictures.size(), 64U);
  // YOLOX-Nano's authors give 25.8 % at 0.5 to 0.95 on 5,000 pictures.
  EXPECT_GT(report->precision.map50_95, 0.18);
  EXPECT_LT(report->precision.map50_95, 0.45);
  EXPECT_GT(report->precision.map50, report->precision.map50_95);
  size_t objects = 0;
  for (const BoxPicture& p : report->pictures) objects += p.hits + p.misses;
  EXPECT_EQ(objects, report->truth);
  options.truth = data / "images/coco/images/val";
  EXPECT_FALSE(EvaluateBoxes(options, [](std::string_view, size_t, size_t) {}));
}

}  // namespace
}  // namespace fogline
