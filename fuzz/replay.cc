// Runs a fuzzer's entry point over files: the corpus, in builds without libFuzzer. Each file is
// also tried cut off at several places and with bytes flipped, the same ones every time.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

size_t Replay(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<uint8_t> bytes((std::istreambuf_iterator<char>(file)), {});
  size_t runs = 1;
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  for (size_t part = 1; part < 8; ++part, ++runs) {
    // A copy of its own, so that a read past the end is one past the allocation too.
    const std::vector<uint8_t> head(bytes.begin(),
                                    bytes.begin() + static_cast<long>(bytes.size() * part / 8));
    LLVMFuzzerTestOneInput(head.data(), head.size());
  }
  uint32_t state = 1;
  for (int i = 0; i < 64 && !bytes.empty(); ++i, ++runs) {
    std::vector<uint8_t> flipped = bytes;
    for (int k = 0; k < 2; ++k) {
      state = state * 1664525U + 1013904223U;
      flipped[state % flipped.size()] ^= static_cast<uint8_t>(1U << (state >> 29));
    }
    LLVMFuzzerTestOneInput(flipped.data(), flipped.size());
  }
  return runs;
}

}  // namespace

int main(int argc, char** argv) {
  size_t files = 0, runs = 0;
  for (int i = 1; i < argc; ++i) {
    if (std::filesystem::is_directory(argv[i])) {
      for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
        runs += Replay(entry.path());
        ++files;
      }
    } else {
      runs += Replay(argv[i]);
      ++files;
    }
  }
  std::printf("%zu files, %zu inputs\n", files, runs);
  return files == 0 ? 1 : 0;  // an empty corpus proves nothing
}
