#include <gtest/gtest.h>

#include <cmath>

#include "base/file.h"
#include "vision/card.h"
#include "vision/folder.h"
#include "vision/picture_names.h"
#include "vision/preprocess.h"
#include "vision/verdict.h"

namespace fogline {
namespace {

const std::vector<Port> kInputs{{"image", DType::kF32, Shape{-1, 3, -1, -1}}};
const std::vector<Port> kOutputs{{"logits", DType::kF32, Shape{-1, 2}}};

Image Gradient(int width, int height) {
  Image image{width, height, {}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      image.rgb.push_back(static_cast<uint8_t>(255 * x / width));
      image.rgb.push_back(static_cast<uint8_t>(255 * y / height));
      image.rgb.push_back(128);
    }
  }
  return image;
}

double MeanDifference(const Image& a, const Image& b) {
  double sum = 0;
  for (size_t i = 0; i < a.rgb.size(); ++i) sum += std::abs(a.rgb[i] - b.rgb[i]);
  return sum / static_cast<double>(a.rgb.size());
}

TEST(Image, JpegAndWebpKeepThePicture) {
  const Image image = Gradient(120, 80);
  std::vector<std::byte> file;
  ASSERT_TRUE(EncodeJpeg(image, 90, file));
  const auto jpeg = DecodeImage(file, "a.jpg");
  ASSERT_TRUE(jpeg);
  EXPECT_LT(MeanDifference(image, *jpeg), 3);
  Image exact;
  EXPECT_TRUE(DecodeExactly(file, "a.jpg", 120, 80, exact));
  EXPECT_FALSE(DecodeExactly(file, "a.jpg", 80, 120, exact));
  ASSERT_TRUE(EncodeWebp(image, 90, file));
  const auto webp = DecodeImage(file, "a.webp");
  ASSERT_TRUE(webp);
  EXPECT_LT(MeanDifference(image, *webp), 4);
}

TEST(Image, EveryTruncationOfAJpegIsRefused) {
  std::vector<std::byte> file;
  ASSERT_TRUE(EncodeJpeg(Gradient(64, 64), 75, file));
  for (size_t length = 0; length < file.size() - 2; ++length) {
    const auto image = DecodeImage(std::span(file).first(length), "cut.jpg");
    ASSERT_FALSE(image) << length << " of " << file.size();
    EXPECT_EQ(image.error().where, "cut.jpg");
  }
}

TEST(Image, TextIsNoPicture) {
  const std::string text = "hello, I am a text file named .jpg";
  const auto image = DecodeImage(std::as_bytes(std::span(text)), "notes.jpg");
  ASSERT_FALSE(image);
  EXPECT_EQ(image.error().ToString(), "notes.jpg: is not a JPEG, PNG, WebP, HEIC or AVIF picture");
}

TEST(Image, ScaledDecodingNeverGoesBelowWhatIsAsked) {
  std::vector<std::byte> file;
  ASSERT_TRUE(EncodeJpeg(Gradient(800, 600), 75, file));
  const auto scaled = DecodeImage(file, "a.jpg", 320);
  ASSERT_TRUE(scaled);
  EXPECT_GE(scaled->height, 320);
  EXPECT_LT(scaled->height, 600);
  const auto small = DecodeImage(file, "a.jpg", 5000);
  ASSERT_TRUE(small);
  EXPECT_EQ(small->height, 600);
}

TEST(Exif, EveryOrientationTurnsUpright) {
  // A 2x3 picture whose pixels say their upright place; each orientation stores it another way
  // (EXIF 2.32, 4.6.4.A).
  const Image upright{2, 3, {1, 0, 0, 2, 0, 0, 3, 0, 0, 4, 0, 0, 5, 0, 0, 6, 0, 0}};
  const std::vector<std::vector<int>> stored{
      {1, 2, 3, 4, 5, 6}, {2, 1, 4, 3, 6, 5}, {6, 5, 4, 3, 2, 1}, {5, 6, 3, 4, 1, 2},
      {1, 3, 5, 2, 4, 6}, {2, 4, 6, 1, 3, 5}, {6, 4, 2, 5, 3, 1}, {5, 3, 1, 6, 4, 2}};
  for (int orientation = 1; orientation <= 8; ++orientation) {
    Image image{orientation < 5 ? 2 : 3, orientation < 5 ? 3 : 2, {}};
    for (int v : stored[static_cast<size_t>(orientation) - 1]) {
      image.rgb.insert(image.rgb.end(), {static_cast<uint8_t>(v), 0, 0});
    }
    Upright(orientation, image);
    EXPECT_EQ(image.width, 2) << orientation;
    EXPECT_EQ(image.rgb, upright.rgb) << orientation;
  }
}

TEST(Exif, RealPhotographsHavePlaces) {
  const std::filesystem::path folder = std::filesystem::path(FOGLINE_SHARED_DATA) / "images/gps";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no shared photographs at " << folder;
  const auto files = ListImages(folder);
  ASSERT_TRUE(files);
  EXPECT_EQ(files->size(), 14U);
  for (const auto& file : *files) {
    const auto picture = LoadPicture(file, 320);
    ASSERT_TRUE(picture) << picture.error().ToString();
    ASSERT_TRUE(picture->exif.position) << file;
    EXPECT_TRUE(IsValid(*picture->exif.position));
    const bool arezzo = std::abs(picture->exif.position->lat - 43.47) < 0.1;
    const bool santiago = std::abs(picture->exif.position->lat + 33.4) < 0.3;
    EXPECT_TRUE(arezzo || santiago) << file << " " << picture->exif.position->lat;
  }
}

TEST(Card, DefaultsAndErrors) {
  const auto card = ParseCard("", "m.onnx", ".", kInputs, kOutputs);
  ASSERT_TRUE(card) << card.error().ToString();
  EXPECT_EQ(card->input_shape(), (Shape{1, 3, 224, 224}));
  EXPECT_EQ(card->LabelOf(1), "class 1");
  const auto error = [](std::string_view toml) {
    const auto bad = ParseCard(toml, "m.toml", ".", kInputs, kOutputs);
    return bad ? "" : bad.error().ToString();
  };
  EXPECT_EQ(error("[input]\nsze = 3"), "m.toml: unknown key 'input.sze' (did you mean 'size'?)");
  EXPECT_EQ(error("[output]\nlabels = ['a']\npositive = 'b'"),
            "m.toml: 'output.positive' is 'b', which is not among the labels (did you mean 'a'?)");
  EXPECT_NE(error("[input]\nstd = [1, 0, 1]"), "");
  EXPECT_NE(error("[input]\nsize = -4"), "");
  EXPECT_NE(error("not toml"), "");
  EXPECT_NE(error("[output]\nlabels = 'no-such-file.txt'"), "");
}

TEST(Card, WhatIsAskedForBecomesAMultiple) {
  const auto size = [](const std::string& toml, int side, const Shape& shape) {
    const auto card =
        ParseCard(toml, "m", ".", {{"x", DType::kF32, shape}}, kOutputs, {.side = side});
    return card ? card->input_shape().ToString() : card.error().ToString();
  };
  const Shape open{1, 3, -1, -1};
  const std::string by32 = "[input]\nmultiple = 32\n";
  EXPECT_EQ(size(by32, 300, open), "1x3x320x320");
  EXPECT_EQ(size(by32, 320, open), "1x3x320x320");
  EXPECT_EQ(size(by32 + "size = [481, 640]", 0, open), "1x3x512x640");
  EXPECT_EQ(size("[input]\nmultiple = 100", 0, open), "1x3x300x300");  // of 224
  // The same card once every dimension is known, as networks are opened.
  EXPECT_EQ(size(by32, 300, {1, 3, 320, 320}), "1x3x320x320");
  EXPECT_EQ(size(by32, 0, {1, 3, 100, 100}), "1x3x100x100");  // the network knows best
  EXPECT_NE(size(by32, 300, {1, 3, 300, 300}).find("takes 300x300, not 320x320"),
            std::string::npos);
  EXPECT_NE(size("[input]\nmultiple = 0", 0, open).find("'input.multiple' must be"),
            std::string::npos);
}

TEST(Card, ANetworkThatTakesNoImageIsRefused) {
  const auto card =
      ParseCard("", "m.onnx", ".", {{"tokens", DType::kI64, Shape{1, 128}}}, kOutputs);
  ASSERT_FALSE(card);
  EXPECT_EQ(card.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(card.error().message.find("'tokens' int64 1x128"), std::string::npos);
}

/// Refused before the first picture, by name: later every single one would be skipped.
TEST(Card, WhatCannotBeJudgedIsRefusedAtTheStart) {
  const auto error = [](DType dtype, const char* toml = "") {
    const auto card = ParseCard(toml, "m.onnx", ".", kInputs, {{"scores", dtype, Shape{1, 2}}});
    return card ? "" : card.error().ToString();
  };
  EXPECT_EQ(error(DType::kF16), "");
  EXPECT_EQ(error(DType::kI64), "");  // nobody said that these are scores
  EXPECT_NE(error(DType::kI64, "[output]\nkind = 'logits'").find("gives 'scores' as int64"),
            std::string::npos);
  EXPECT_EQ(error(DType::kI64, "[output]\nkind = 'other'"), "");
}

TEST(Preprocess, NormalisesPlanesAndInterleavedInEitherOrder) {
  auto card = ParseCard("[input]\nsize = [1, 2]\nmean = [0, 0, 0]\nstd = [1, 1, 1]", "m", ".",
                        kInputs, kOutputs);
  ASSERT_TRUE(card) << card.error().ToString();
  const Image image{2, 1, {1, 2, 3, 4, 5, 6}};
  Tensor out(DType::kF32, card->input_shape());
  Normalise(image, *card, out);
  const auto values = [&] {
    return std::vector<float>(out.as<float>().begin(), out.as<float>().end());
  };
  EXPECT_EQ(values(), (std::vector<float>{1, 4, 2, 5, 3, 6}));
  card->color = ModelCard::Color::kBgr;
  Normalise(image, *card, out);
  EXPECT_EQ(values(), (std::vector<float>{3, 6, 2, 5, 1, 4}));
  card->channels_last = true;
  Normalise(image, *card, out);
  EXPECT_EQ(values(), (std::vector<float>{3, 2, 1, 6, 5, 4}));
}

TEST(Preprocess, CentreCropAndSquash) {
  auto card = ParseCard("[input]\nsize = 160", "m", ".", kInputs, kOutputs);
  ASSERT_TRUE(card);
  const Rectangle part = SeenPart(640, 480, *card);
  EXPECT_EQ(part.width, 420);
  EXPECT_EQ(part.height, 420);
  EXPECT_EQ(part.x, 110);
  EXPECT_EQ(part.y, 30);
  card->crop = ModelCard::Crop::kSquash;
  EXPECT_EQ(SeenPart(640, 480, *card).width, 640);
  Image fitted;
  FitToInput(Gradient(640, 480), *card, fitted);
  EXPECT_LT(MeanDifference(fitted, Gradient(160, 160)), 2);
}

TEST(Verdict, ThresholdAndPositiveClass) {
  auto card =
      ParseCard("[output]\nlabels = ['clean', 'litter']\npositive = 'litter'\nthreshold = 0.8", "m",
                ".", kInputs, kOutputs);
  ASSERT_TRUE(card);
  Tensor logits(DType::kF32, Shape{1, 2});
  logits.as<float>()[0] = 0;
  logits.as<float>()[1] = 1;  // p(litter) = 0.731: the larger, but under the threshold
  const auto read = ReadClass(logits.view(), *card);
  ASSERT_TRUE(read);
  const Verdict verdict = Judge(*read, *card);
  EXPECT_FALSE(verdict.positive);
  EXPECT_EQ(verdict.label, 0);
  EXPECT_EQ(verdict.name, "clean");
  EXPECT_NEAR(verdict.score, 0.7310586, 1e-6);
  // Not the picture's fault: not now, rather than never.
  logits.as<float>()[1] = NAN;
  const auto sick = ReadClass(logits.view(), *card);
  ASSERT_FALSE(sick);
  EXPECT_EQ(sick.error().code, ErrorCode::kConflict);
  // Infinite logits are as large as can be.
  logits.as<float>()[1] = INFINITY;
  const auto sure = ReadClass(logits.view(), *card);
  ASSERT_TRUE(sure);
  EXPECT_EQ(sure->score, 1);
}

/// An 8-bit network's softmax comes out of its table as 1.0000001 or a little below 0.
TEST(Verdict, RoundedProbabilitiesAreProbabilities) {
  const auto judge = [](float clean, float litter, const char* extra = "") {
    const auto card = ParseCard(std::string("[output]\nkind = 'probabilities'\nlabels = ['clean', "
                                            "'litter']\n") +
                                    extra,
                                "m", ".", kInputs, kOutputs);
    EXPECT_TRUE(card);
    Tensor values(DType::kF32, Shape{1, 2});
    values.as<float>()[0] = clean;
    values.as<float>()[1] = litter;
    return ReadClass(values.view(), *card);
  };
  for (const char* extra : {"", "positive = 'litter'"}) {
    const auto above = judge(-0.002F, 1.0000001F, extra);
    ASSERT_TRUE(above) << above.error().ToString();
    EXPECT_EQ(above->score, 1.0F);
    EXPECT_EQ(above->label, 1);
  }
  EXPECT_EQ(judge(1.0000001F, -0.002F, "positive = 'litter'")->score, 0.0F);
  const auto logits = judge(-3, 7.5F);
  ASSERT_FALSE(logits);
  EXPECT_EQ(logits.error().code, ErrorCode::kConflict);
  EXPECT_NE(logits.error().message.find("7.5"), std::string::npos);
}

TEST(Folder, ClassesAndMissing) {
  const TempDir dir;
  EXPECT_FALSE(ListImages(dir.path()));
  EXPECT_FALSE(ListImages(dir.path() / "none"));
  EXPECT_FALSE(ListImageClasses(dir.path()));
  for (const char* label : {"b", "a"}) {
    std::filesystem::create_directory(dir.path() / label);
    ASSERT_TRUE(WriteFile(dir.path() / label / "1.JPG", "x"));
    ASSERT_TRUE(WriteFile(dir.path() / label / "notes.txt", "x"));
  }
  const auto classes = ListImageClasses(dir.path());
  ASSERT_TRUE(classes);
  EXPECT_EQ(classes->at(0).label, "a");
  EXPECT_EQ(classes->at(0).files.size(), 1U);
}

/// What a telephone's folder holds beside pictures is counted, and a link in a circle, which the
/// system's own look-up gives up on, is one more of those.
TEST(Folder, WhatIsNotReadIsCountedByKind) {
  const TempDir dir;
  for (const char* name : {"b.JPG", "a.webp", "1.jxl", "2.JP2", "scan.tiff", "clip.mp4", "clip.mov",
                           "what.bin", "notes.txt", ".hidden"}) {
    ASSERT_TRUE(WriteFile(dir.path() / name, "x"));
  }
  std::filesystem::create_directory(dir.path() / "more.jpg");
  std::filesystem::create_symlink("loop.jpg", dir.path() / "loop.jpg");
  std::filesystem::create_symlink("nowhere", dir.path() / "gone.png");
  std::filesystem::create_symlink(dir.path() / "b.JPG", dir.path() / "link.jpg");
  const TempDir elsewhere;
  ASSERT_TRUE(WriteFile(elsewhere.path() / "private.jpg", "x"));
  std::filesystem::create_symlink(elsewhere.path() / "private.jpg", dir.path() / "out.jpg");
  const auto folder = ListFolder(dir.path());
  ASSERT_TRUE(folder) << folder.error().ToString();
  EXPECT_EQ(folder->files,
            (std::vector<std::filesystem::path>{dir.path() / "a.webp", dir.path() / "b.JPG",
                                                dir.path() / "link.jpg"}));
  EXPECT_EQ(folder->Unread(),
            "2 JPEG XL or 2000, 1 TIFF, 1 link out of the folder, 2 links that lead nowhere, 1 "
            "other file, "
            "1 sub-folder, 2 videos "
            "(--recursive reads sub-folders)");
  for (const auto& file : folder->files) std::filesystem::remove(file);
  const auto none = ListImages(dir.path());
  ASSERT_FALSE(none);
  EXPECT_NE(none.error().message.find("only 2 JPEG XL"), std::string::npos)
      << none.error().ToString();
  EXPECT_FALSE(ListImageClasses(dir.path()));
}

/// Each picture once, in one order; neither circles nor the rest of the disk.
TEST(Folder, WithItsSubFoldersAndNothingElse) {
  const TempDir dir, elsewhere;
  const std::filesystem::path top = dir.path() / "top";
  std::filesystem::create_directories(top / "b" / "deep" / "deeper");
  std::filesystem::create_directories(top / "a");
  std::filesystem::create_directories(top / ".thumbnails");
  ASSERT_TRUE(WriteFile(elsewhere.path() / "other.jpg", "x"));
  ASSERT_TRUE(WriteFile(dir.path() / "top-secret.jpg", "x"));
  for (const char* name :
       {"z.jpg", "a/2.jpg", "a/10.png", "a-1.jpg", "b/1.webp", "b/deep/c.heic",
        "b/deep/deeper/d.JPG", "b/scan.tiff", "a/clip.mov", "a/notes.txt", ".thumbnails/t.jpg"}) {
    ASSERT_TRUE(WriteFile(top / name, "x"));
  }
  std::filesystem::create_directory_symlink(top, top / "b" / "circle");
  std::filesystem::create_directory_symlink(elsewhere.path(), top / "out");
  std::filesystem::create_symlink(elsewhere.path() / "other.jpg", top / "a" / "out.jpg");
  // Its name begins as the folder's does.
  std::filesystem::create_symlink(dir.path() / "top-secret.jpg", top / "a" / "near.jpg");
  std::filesystem::create_symlink("../../z.jpg", top / "b" / "deep" / "in.jpg");
  std::filesystem::create_symlink("gone.jpg", top / "b" / "gone.jpg");
  const std::vector<std::string> wanted{"a/10.png",      "a/2.jpg",       "a-1.jpg",
                                        "b/1.webp",      "b/deep/c.heic", "b/deep/deeper/d.JPG",
                                        "b/deep/in.jpg", "z.jpg"};
  // The folder itself may be reached through a link, and be named with a slash behind it.
  std::filesystem::create_directory_symlink(top, dir.path() / "link");
  for (const auto& root : {top, top / "", dir.path() / "link"}) {
    const auto folder = ListFolder(root, Depth::kRecursive);
    ASSERT_TRUE(folder) << folder.error().ToString();
    std::vector<std::string> names;
    for (const auto& file : folder->files) names.push_back(file.lexically_relative(root).string());
    EXPECT_EQ(names, wanted) << root;
    EXPECT_EQ(folder->Unread(),
              "1 TIFF, 2 links out of the folder, 1 link that leads nowhere, 2 links to folders, 1 "
              "video");
  }
  const auto flat = ListFolder(top);
  ASSERT_TRUE(flat);
  EXPECT_EQ(flat->files.size(), 2U);
  EXPECT_EQ(flat->Unread(), "3 sub-folders (--recursive reads sub-folders)");
  const auto classes = ListImageClasses(top, Depth::kRecursive);
  ASSERT_TRUE(classes);
  EXPECT_EQ(classes->at(0).files.size(), 2U);
  EXPECT_EQ(classes->at(1).files.size(), 3U) << "a link out of its class is of another";
}

TEST(PictureNames, ArePathsOrFileNamesThatOneAloneHas) {
  const std::vector<std::filesystem::path> files{"top/1.jpg", "top/a/1.jpg", "top/a/2.png"};
  const std::vector<size_t> none;
  const PictureNames names("top", files);
  EXPECT_EQ(names.Find("1.jpg"), std::vector<size_t>{0}) << "as a path it is the first alone";
  EXPECT_EQ(names.Find("./a/1.jpg"), std::vector<size_t>{1});
  EXPECT_EQ(names.Find("elsewhere/2.png"), std::vector<size_t>{2});
  EXPECT_EQ(names.Find("elsewhere/1.jpg"), (std::vector<size_t>{0, 1}));
  EXPECT_EQ(names.Find("2"), none);
  const PictureNames bare("top/", files, false);
  EXPECT_EQ(bare.Find("a/2"), std::vector<size_t>{2});
  EXPECT_EQ(bare.Find("3"), none);
}

}  // namespace
}  // namespace fogline
