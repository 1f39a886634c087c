// Models and bundles that come, change and go while a cloud runs, and the memory they take.
#include "cloud/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/file.h"
#include "base/paths.h"
#include "frame/frame.h"
#include "graph/model_name.h"
#include "graph/slice.h"
#include "graph/test_model.h"

namespace fogline {
namespace {

using fogline::test::TestModel;
using ::testing::HasSubstr;

constexpr int64_t kChannels = 512;

class Registries : public ::testing::Test {
 protected:
  void Start(uint64_t memory_bytes = uint64_t{1} << 30) {
    auto opened = Registry::Open({.folder = folder_,
                                  .threads = 1,
                                  .memory_bytes = memory_bytes,
                                  .look_again = std::chrono::hours(1),  // tests look themselves
                                  .patience = std::chrono::minutes(5)});
    ASSERT_TRUE(opened) << opened.error().ToString();
    registry_ = *std::move(opened);
  }

  /// A network of pictures, 1 MiB of weights a layer but the first; `which` makes it another one.
  static TestModel Chain(const std::string& which, int layers = 3) {
    TestModel m;
    m.Input("x", {"1", "3", "4", "4"});
    std::string last = "x";
    for (int i = 0; i < layers; ++i) {
      const std::string n = std::to_string(i);
      m.Conv(last, "m" + n, i == 0 ? 3 : kChannels, kChannels, 1);
      last = "r" + n;
      m.Node("Relu", {"m" + n}, {last});
    }
    m.Output(last);
    m.proto().set_doc_string(which);
    return m;
  }
  /// Writes over the file in place, as `cp` does.
  static void Overwrite(const std::filesystem::path& path, const std::vector<std::byte>& bytes) {
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<long>(bytes.size()));
  }
  uint64_t Write(const std::string& name, TestModel model) {
    const auto path = folder_ / name;
    Overwrite(path, model.Bytes());
    return ShortId(NameModel(path)->hash);
  }
  /// The cut after the layer `tensor`.
  uint64_t CutAt(uint64_t model, const std::string& tensor) {
    const auto network = registry_->Load(model);
    EXPECT_TRUE(network) << network.error().ToString();
    const auto cut = FindCut((*network)->model, tensor);
    EXPECT_TRUE(cut) << cut.error().ToString();
    return cut->id;
  }
  ErrorCode CodeOf(uint64_t model, uint64_t cut) {
    const auto found = registry_->Find({model, cut});
    EXPECT_FALSE(found);
    return found ? ErrorCode::kInternal : found.error().code;
  }

  TempDir dir_;
  std::filesystem::path folder_ = dir_.path();
  std::unique_ptr<Registry> registry_;
};

// Cuts of one model hold its weights once, and give what a network with its own gives.
TEST_F(Registries, CutsOfOneModelShareTheirWeights) {
  constexpr int kLayers = 8;
  const uint64_t model = Write("m.onnx", Chain("shared", kLayers));
  Start();
  std::vector<uint64_t> held;
  for (int i = 0; i < kLayers - 1; ++i) {
    const auto open = registry_->Find({model, CutAt(model, "r" + std::to_string(i))}).value();
    held.push_back(registry_->held_bytes());
    const auto network = registry_->Load(model).value();
    const std::string part = SliceSuffix(network->model, open->cut).value();
    const auto own = OpenSession(std::as_bytes(std::span(part)), "own").value();
    const Port& port = own->inputs()[0];
    std::vector<float> numbers(static_cast<size_t>(kChannels) * 16);
    for (size_t k = 0; k < numbers.size(); ++k) numbers[k] = static_cast<float>(k % 37) - 18;
    const TensorView input{port.dtype, port.shape, std::as_bytes(std::span(numbers))};
    const auto ours = open->session->Run(std::span(&input, 1)).value();
    const auto theirs = own->Run(std::span(&input, 1)).value();
    ASSERT_EQ(ours.size(), theirs.size());
    EXPECT_TRUE(std::ranges::equal(ours[0].bytes(), theirs[0].bytes())) << i;
    EXPECT_EQ(own->shared_bytes(), 0U);
  }
  // The first holds 7 MiB of weights; the others no more of them, but for what each takes to run.
  constexpr uint64_t kMiB = uint64_t{1} << 20;
  EXPECT_GT(held[0], size_t{2} * (kLayers - 1) * kMiB);
  for (size_t i = 1; i < held.size(); ++i) {
    EXPECT_LT(held[i] - held[i - 1], 6 * kMiB) << i;
  }
}

TEST_F(Registries, AModelThatComesLateIsNotNowAndThenFound) {
  Start();
  TestModel model = Chain("one");
  const uint64_t id = ShortId(HashSha256(model.Bytes()));
  EXPECT_EQ(CodeOf(id, 1), ErrorCode::kNotFound);
  ASSERT_EQ(Write("late.onnx", model), id);
  registry_->Look();
  EXPECT_EQ(CodeOf(id, 1), ErrorCode::kInvalid);  // no such cut, which is the frame's fault
  EXPECT_TRUE(registry_->Find({id, CutAt(id, "r0")}));
}

TEST_F(Registries, AFileThatIsNoModelIsNotNowUntilItIsOne) {
  const std::string text = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n";
  ASSERT_TRUE(WriteFile(folder_ / "m.onnx", text));
  const auto whole = Chain("one").Bytes();
  ASSERT_TRUE(WriteFile(folder_ / "half.onnx", std::span(whole).first(1000)));
  ASSERT_TRUE(MakeFolders(folder_ / "folder.onnx"));
  Start();
  EXPECT_EQ(registry_->models(), 0U);
  EXPECT_EQ(CodeOf(ShortId(HashSha256(std::as_bytes(std::span(text)))), 1), ErrorCode::kNotFound);
  const uint64_t id = Write("m.onnx", Chain("one"));
  registry_->Look();
  EXPECT_EQ(registry_->models(), 1U);
  EXPECT_TRUE(registry_->Find({id, CutAt(id, "r0")}));
}

// The folder of models is the operator's; what a link in it leads to may be anybody's.
TEST_F(Registries, ALinkOutOfTheFolderIsNoModelAndIsNamed) {
  const TempDir elsewhere;
  const auto bytes = Chain("one").Bytes();
  const uint64_t id = ShortId(HashSha256(bytes));
  const auto link = folder_ / "m.onnx";
  ASSERT_TRUE(WriteFile(elsewhere.path() / "m.onnx", bytes));
  std::filesystem::create_symlink(elsewhere.path() / "m.onnx", link);
  ::testing::internal::CaptureStderr();
  Start();
  registry_->Look();
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(said, HasSubstr("not used: " + link.string() + ": leads out of "));
  EXPECT_EQ(said.find("leads out"), said.rfind("leads out")) << "once";
  EXPECT_EQ(registry_->models(), 0U);
  std::filesystem::remove(link);
  ASSERT_TRUE(WriteFile(folder_ / "own", bytes));
  std::filesystem::create_symlink("own", link);
  registry_->Look();
  EXPECT_EQ(registry_->models(), 1U);
  EXPECT_TRUE(registry_->Find({id, CutAt(id, "r0")}));
}

TEST_F(Registries, AModelThatTheEngineRefusesIsNotNow) {
  TestModel odd;
  odd.Input("x", {"1", "4"}).Output("y").Node("NoSuchOperator", {"x"}, {"y"});
  const uint64_t id = Write("odd.onnx", odd);
  Start();
  EXPECT_EQ(CodeOf(id, 1), ErrorCode::kUnavailable);
  EXPECT_EQ(CodeOf(id, 1), ErrorCode::kUnavailable);  // from memory, without another try
}

TEST_F(Registries, FramesOfAModelThatWasOverwrittenStillRun) {
  const uint64_t old_id = Write("m.onnx", Chain("one"));
  Start();
  const uint64_t cut = CutAt(old_id, "r0");
  ASSERT_TRUE(registry_->Find({old_id, cut}));
  // In place and shorter, so that a mapped file's pages would be gone.
  const uint64_t new_id = Write("m.onnx", Chain("two", 1));
  registry_->Look();
  ASSERT_NE(new_id, old_id);
  EXPECT_EQ(registry_->models(), 1U);
  EXPECT_TRUE(registry_->Find({new_id, CutAt(new_id, "m0")}));
  EXPECT_TRUE(registry_->Find({old_id, cut}));
  EXPECT_TRUE(registry_->Find({old_id, CutAt(old_id, "r1")}));  // sliced from memory
}

TEST_F(Registries, WeightsInAnotherFileAreWatchedToo) {
  TestModel m = Chain("one", 1);
  auto* weight = m.graph().mutable_initializer(0);
  std::string raw = weight->raw_data();
  weight->clear_raw_data();
  weight->set_data_location(onnx::TensorProto::EXTERNAL);
  auto* entry = weight->add_external_data();
  entry->set_key("location");
  entry->set_value("w.bin");
  Overwrite(folder_ / "m.onnx", m.Bytes());
  Start();
  EXPECT_EQ(registry_->models(), 0U);  // its weights are missing
  ASSERT_TRUE(WriteFile(folder_ / "w.bin", raw));
  registry_->Look();
  const uint64_t one = ShortId(NameModel(folder_ / "m.onnx")->hash);
  EXPECT_TRUE(registry_->Find({one, CutAt(one, "input")}));
  raw[1] ^= 1;
  ASSERT_TRUE(WriteFile(folder_ / "w.bin", raw));
  registry_->Look();
  const uint64_t two = ShortId(NameModel(folder_ / "m.onnx")->hash);
  ASSERT_NE(one, two);
  EXPECT_TRUE(registry_->Find({two, CutAt(two, "input")}));
}

TEST_F(Registries, ACardThatChangedIsReadAgain) {
  TestModel m;
  m.Input("x", {"1", "3", "8", "8"}).Conv("x", "c", 3, 4).Node("Relu", {"c"}, {"y"});
  m.Output("y");
  const uint64_t id = Write("m.onnx", m);
  Start();
  const uint64_t cut = CutAt(id, "c");
  const auto before = registry_->Find({id, cut});
  ASSERT_TRUE(before) << before.error().ToString();
  EXPECT_EQ((*before)->model->card.name, "m");
  ASSERT_TRUE(WriteFile(folder_ / "m.toml", "name = \"renamed\"\n"));
  registry_->Look();
  const auto after = registry_->Find({id, cut});
  ASSERT_TRUE(after) << after.error().ToString();
  EXPECT_EQ((*after)->model->card.name, "renamed");
}

TEST_F(Registries, WhatWasUnusedForLongestMakesRoom) {
  constexpr uint64_t kBudget = uint64_t{64} << 20;
  const uint64_t id = Write("deep.onnx", Chain("deep", 12));
  Start(kBudget);
  const uint64_t first = CutAt(id, "r0");
  std::weak_ptr<const OpenCut> kept = *registry_->Find({id, first});
  std::weak_ptr<const OpenCut> second = *registry_->Find({id, CutAt(id, "r1")});
  ASSERT_TRUE(registry_->Find({id, first}));
  for (int i = 2; i < 11; ++i) {
    ASSERT_TRUE(registry_->Find({id, CutAt(id, fmt::format("r{}", i))}));
    EXPECT_LE(registry_->held_bytes(), kBudget);
    ASSERT_TRUE(registry_->Find({id, first}));  // used all along
  }
  EXPECT_FALSE(kept.expired());
  EXPECT_TRUE(second.expired());
  EXPECT_TRUE(registry_->Find({id, CutAt(id, "r1")}));  // opened anew
}

TEST_F(Registries, AModelBeyondTheMemoryIsNotNowAndNamesTheFlag) {
  const uint64_t id = Write("m.onnx", Chain("one", 4));
  Start(uint64_t{1} << 20);
  const auto found = registry_->Find({id, 1});
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::kExhausted);
  EXPECT_THAT(found.error().message, HasSubstr("--memory"));
}

TEST_F(Registries, AFolderThatVanishesAndReturnsCostsNothing) {
  folder_ = dir_.path() / "models";
  ASSERT_TRUE(MakeFolders(folder_));
  const uint64_t one = Write("one.onnx", Chain("one"));
  const uint64_t two = Write("two.onnx", Chain("two"));
  Start();
  const uint64_t cut = CutAt(one, "r0");
  ASSERT_TRUE(registry_->Find({one, cut}));
  const auto away = dir_.path() / "away";
  ASSERT_TRUE(RenameFile(folder_, away));
  registry_->Look();
  EXPECT_TRUE(registry_->Find({one, cut}));
  EXPECT_EQ(CodeOf(two, cut), ErrorCode::kNotFound);
  ASSERT_TRUE(RenameFile(away, folder_));
  registry_->Look();
  EXPECT_TRUE(registry_->Find({one, CutAt(one, "r1")}));
  EXPECT_EQ(Registry::Open({.folder = dir_.path() / "none"}).error().code, ErrorCode::kNotFound);
}

class Bundles : public Registries {
 protected:
  void SetUp() override {
    const std::filesystem::path models = std::filesystem::path(FOGLINE_SOURCE_DIR) / "models";
    bundle_ = ReadFile(models / "litter.bundle").value();
    const auto parsed = Bundle::Parse(bundle_, "litter.bundle");
    ASSERT_TRUE(parsed);
    model_ = ShortId(parsed->model_hash());
  }
  /// The same calibration under another hash: a section that readers pass over, and the new hash.
  std::vector<std::byte> Another(uint32_t type) const {
    std::vector<std::byte> bytes(bundle_.begin(), bundle_.end() - sizeof(Sha256));
    for (const uint32_t word : {type, 0U}) {
      const auto raw = std::as_bytes(std::span(&word, 1));
      bytes.insert(bytes.end(), raw.begin(), raw.end());
    }
    const Sha256 hash = HashSha256(bytes);
    const auto raw = std::as_bytes(std::span(hash));
    bytes.insert(bytes.end(), raw.begin(), raw.end());
    return bytes;
  }
  static uint64_t IdOf(std::span<const std::byte> bundle) {
    return ShortId(Bundle::Parse(bundle, "bundle")->hash());
  }

  std::vector<std::byte> bundle_;
  uint64_t model_ = 0;
};

TEST_F(Bundles, OneThatWasPutThereOrReplacedIsSeenAndTheOlderOneStays) {
  Start();
  const uint64_t one = IdOf(bundle_);
  const auto missing = registry_->FindBundle(model_, one);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kConflict);
  EXPECT_THAT(missing.error().ToString(), HasSubstr(IdText(one)));
  EXPECT_THAT(missing.error().ToString(), HasSubstr(fmt::format(".{}.bundle", IdText(one))));

  ASSERT_TRUE(WriteFile(folder_ / "litter.bundle", bundle_));
  registry_->Look();
  EXPECT_TRUE(registry_->FindBundle(model_, one));
  EXPECT_EQ(registry_->FindBundle(model_ + 1, one).error().code, ErrorCode::kConflict);

  const auto other = Another(999);
  ASSERT_TRUE(WriteFile(folder_ / "litter.bundle", other));
  registry_->Look();
  EXPECT_EQ((*registry_->FindBundle(model_, IdOf(other)))->hash(),
            Bundle::Parse(other, "other")->hash());
  EXPECT_TRUE(registry_->FindBundle(model_, one));

  Start();  // a new process knows what the folder holds
  EXPECT_TRUE(registry_->FindBundle(model_, IdOf(other)));
  EXPECT_EQ(registry_->FindBundle(model_, one).error().code, ErrorCode::kConflict);
  ASSERT_TRUE(WriteFile(folder_ / "litter.older.bundle", bundle_));
  registry_->Look();
  EXPECT_TRUE(registry_->FindBundle(model_, one));
}

TEST_F(Bundles, ADamagedOneIsPassedOver) {
  auto torn = bundle_;
  torn.resize(torn.size() / 2);
  ASSERT_TRUE(WriteFile(folder_ / "litter.bundle", torn));
  Start();
  EXPECT_EQ(registry_->FindBundle(model_, IdOf(bundle_)).error().code, ErrorCode::kConflict);
  ASSERT_TRUE(WriteFile(folder_ / "litter.bundle", bundle_));
  registry_->Look();
  EXPECT_TRUE(registry_->FindBundle(model_, IdOf(bundle_)));
}

}  // namespace
}  // namespace fogline
