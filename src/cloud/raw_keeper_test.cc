// Outputs that nobody reads, kept as files: whatever they and their device are called.
#include "cloud/raw_keeper.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "base/file.h"
#include "base/npy.h"

namespace fogline {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> FilesIn(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files.push_back(entry.path().lexically_relative(folder));
  }
  std::ranges::sort(files);
  return files;
}

Tensor Counting(int64_t count) {
  Tensor tensor(DType::kF32, Shape{1, count});
  for (size_t i = 0; i < static_cast<size_t>(count); ++i)
    tensor.as<float>()[i] = 0.5F * static_cast<float>(i);
  return tensor;
}

class RawFiles : public ::testing::Test {
 protected:
  std::unique_ptr<RawKeeper> Open(uint64_t limit = 1 << 20) {
    auto keeper = RawKeeper::Open({dir_.path() / "raw", limit});
    EXPECT_TRUE(keeper) << keeper.error().ToString();
    return *std::move(keeper);
  }
  fs::path folder() const { return dir_.path() / "raw"; }

  TempDir dir_;
  const std::vector<Port> ports_{{"y", DType::kF32, Shape{1, 100}}};
};

TEST_F(RawFiles, HoldTheTensorAsItWas) {
  const auto keeper = Open();
  const std::vector<Tensor> outputs{Counting(100)};
  keeper->Keep({"cam-1", 0x11, 3}, outputs, ports_);
  ASSERT_EQ(FilesIn(folder()),
            (std::vector<fs::path>{"cam-1/0000000000000011-000000000003-0-y.npy"}));
  const auto read = ReadNpy(folder() / FilesIn(folder())[0]);
  ASSERT_TRUE(read) << read.error().ToString();
  EXPECT_EQ(read->shape(), outputs[0].shape());
  EXPECT_TRUE(std::ranges::equal(read->as<float>(), outputs[0].as<float>()));
  EXPECT_EQ(fs::status(folder()).permissions() & fs::perms::others_all, fs::perms::none);
  keeper->Keep({"cam-1", 0x11, 3}, outputs, ports_);  // sent again
  EXPECT_EQ(FilesIn(folder()).size(), 1U);
  EXPECT_EQ(keeper->kept(), 2U);
  const std::string numpy =
      "python3 -c 'import numpy' 2>/dev/null || exit 0; python3 -c \"import numpy, sys; "
      "a = numpy.load(sys.argv[1]); assert a.shape == (1, 100) and a.dtype == numpy.float32 and "
      "(a[0] == numpy.arange(100) / 2).all()\" '" +
      (folder() / FilesIn(folder())[0]).string() + "'";
  EXPECT_EQ(std::system(numpy.c_str()), 0);
}

TEST_F(RawFiles, StayInTheirFolderWhateverTheirNames) {
  const auto keeper = Open();
  const std::vector<Tensor> outputs{Counting(1), Counting(2), Counting(3)};
  const std::vector<Port> ports{{"../../../etc/passwd", DType::kF32, {}},
                                {std::string(400, '/'), DType::kF32, {}},
                                {"", DType::kF32, {}}};
  for (const char* device : {"..", ".", ".hidden", "a.b", "C--con"}) {
    keeper->Keep({device, 1, 2}, outputs, ports);
  }
  EXPECT_EQ(keeper->kept(), 15U);
  EXPECT_EQ(FilesIn(dir_.path()).size(), 15U);
  for (const fs::path& file : FilesIn(folder())) {
    EXPECT_EQ(std::distance(file.begin(), file.end()), 2) << file;
    EXPECT_LE(file.filename().string().size(), 200U);
  }
}

TEST_F(RawFiles, BeyondTheLimitAreLeftOutAndCounted) {
  const std::vector<Tensor> outputs{Counting(100)};  // 528 bytes a file
  {
    const auto keeper = Open(1200);
    for (uint64_t i = 0; i < 5; ++i) keeper->Keep({"cam", 1, i}, outputs, ports_);
    EXPECT_EQ(keeper->kept(), 2U);
    EXPECT_EQ(keeper->left_out(), 3U);
    keeper->Keep({"cam", 1, 0}, outputs, ports_);  // takes its own place
    EXPECT_EQ(keeper->kept(), 3U);
  }
  const auto again = Open(1200);  // what lies there counts
  again->Keep({"cam", 2, 0}, outputs, ports_);
  EXPECT_EQ(again->left_out(), 1U);
  EXPECT_EQ(FilesIn(folder()).size(), 2U);
}

TEST_F(RawFiles, ThatCannotBeWrittenCostNoFrame) {
  const auto keeper = Open();
  ASSERT_TRUE(WriteFile(folder() / "cam", std::string_view("a file, where a folder is due")));
  const std::vector<Tensor> outputs{Counting(1)};
  keeper->Keep({"cam", 1, 1}, outputs, ports_);
  EXPECT_EQ(keeper->left_out(), 1U);
  EXPECT_FALSE(RawKeeper::Open({folder() / "cam" / "below", 100}));
}

}  // namespace
}  // namespace fogline
