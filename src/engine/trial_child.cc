// The child's part of a trial. Its words: LEVEL PATH|- run|open [--provider NAME[:OPTIONS] CACHE]
// INPUT=SHAPE[:VALUE,…]… ; "-" is the
// network's bytes on stdin. What it writes to stdout is read by the parent: "trying" before the
// engine is called, then "survived" or "exhausted"; other lines are the engine's own last words.
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <sstream>

#include "base/text.h"
#include "base/uncaught.h"
#include "engine/ort.h"
#include "engine/trial.h"
#include "engine/zeros.h"

namespace fogline {
namespace {

constexpr int64_t kOpenSize = 224;

/// Whatever this process does must not hurt others: no core file, no more memory than there is, and
/// first in line when the system runs out of it.
void Confine() {
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  const auto pages = static_cast<rlim_t>(std::max(1L, sysconf(_SC_PHYS_PAGES)));
  const rlim_t most = pages * static_cast<rlim_t>(sysconf(_SC_PAGESIZE));
  const rlimit memory{most, most};
  setrlimit(RLIMIT_DATA, &memory);
#endif
  if (std::FILE* score = std::fopen("/proc/self/oom_score_adj", "w")) {
    std::fputs("1000", score);
    std::fclose(score);
  }
}

std::span<const std::byte> MapStdin() {
  struct stat info {};
  if (fstat(STDIN_FILENO, &info) != 0 || info.st_size <= 0) return {};
  const auto size = static_cast<size_t>(info.st_size);
  void* data = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, STDIN_FILENO, 0);
  if (data == MAP_FAILED) return {};
  return {static_cast<const std::byte*>(data), size};
}

/// What words such as "image=1x3x224x224" and "size=2:640,480" say of inputs.
std::map<std::string, RunInput> ReadInputs(std::span<const std::string> words) {
  std::map<std::string, RunInput> inputs;
  for (const std::string& word : words) {
    const size_t equals = word.rfind('=');
    if (equals == word.npos) continue;
    std::istringstream rest(word.substr(equals + 1));
    std::string text;
    std::getline(rest, text, ':');
    const auto shape = text == "scalar" ? Result<Shape>(Shape()) : ParseShape(text);
    if (!shape) continue;
    RunInput& input = inputs[word.substr(0, equals)];
    input.shape = *shape;
    while (std::getline(rest, text, ',')) {
      input.values.push_back(std::strtod(text.c_str(), nullptr));
    }
  }
  return inputs;
}

/// Chooses what neither the network nor `inputs` fixes.
void CloseShapes(Ort::Session& session, std::map<std::string, RunInput>& inputs) {
  Ort::AllocatorWithDefaultOptions allocator;
  for (size_t i = 0; i < session.GetInputCount(); ++i) {
    const std::string name = session.GetInputNameAllocated(i, allocator).get();
    const Ort::TypeInfo type = session.GetInputTypeInfo(i);
    if (inputs.contains(name) || type.GetONNXType() != ONNX_TYPE_TENSOR) continue;
    std::vector<int64_t> dims = type.GetTensorTypeAndShapeInfo().GetShape();
    for (size_t d = 0; d < dims.size(); ++d) {
      if (dims[d] < 0) dims[d] = d == 0 ? 1 : kOpenSize;
    }
    if (dims.size() <= Shape::kMaxRank) inputs[name].shape = Shape(dims);
  }
}

/// kExhausted when it does not fit; other errors are the engine's words, which it lives to say.
Status Try(Level level, const std::string& source, bool run, const Provider& provider,
           std::map<std::string, RunInput> inputs) {
  try {
    const Ort::SessionOptions options = ToEngine({}, level, provider);
    const auto bytes = source == "-" ? MapStdin() : std::span<const std::byte>();
    Ort::Session session = source == "-"
                               ? Ort::Session(Environment(), bytes.data(), bytes.size(), options)
                               : Ort::Session(Environment(), source.c_str(), options);
    if (!run) return {};
    CloseShapes(session, inputs);
    Ort::AllocatorWithDefaultOptions allocator;
    std::vector<std::string> outputs;
    for (size_t i = 0; i < session.GetOutputCount(); ++i) {
      outputs.emplace_back(session.GetOutputNameAllocated(i, allocator).get());
    }
    return RunOnZeros(session, outputs, inputs).map([](const auto&) {});
  } catch (const Ort::Exception& e) {
    return tl::unexpected<Error>(FromRun(e, source));
  } catch (const std::exception& e) {
    return tl::unexpected<Error>(FromThrown(e, source));
  }
}

void Say(const char* word) {
  std::puts(word);
  std::fflush(stdout);
}

}  // namespace

int RunTrial(std::span<const std::string> words) {
  if (words.size() < 3) return 2;
  const auto level = std::ranges::find(kLevels, words[0], LevelName);
  if (level == kLevels.end()) return 2;
  dup2(STDOUT_FILENO, STDERR_FILENO);  // what the engine says at its end
  EndOnUncaught("exhausted\n");        // in a thread of the engine's own, say
  Confine();
  Say("trying");
  Provider provider;
  auto inputs = words.subspan(3);
  if (inputs.size() >= 3 && inputs[0] == kOnProvider) {
    provider = ParseProvider(inputs[1], inputs[2], kOnProvider).value_or(Provider{});
    inputs = inputs.subspan(3);
  }
  const Status status = Try(*level, words[1], words[2] == "run", provider, ReadInputs(inputs));
  const bool exhausted = !status && status.error().code == ErrorCode::kExhausted;
  Say(exhausted ? "exhausted" : "survived");
  return 0;
}

}  // namespace fogline
