// What a gate costs a picture beside its head: the layers up to an exit with the head and the
// decision, against the same engine run with nothing around it; and the rest in two parts against
// one. Rounds are taken in turn and the fastest call of each kept, since others share the machine.
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "edge/gate.h"
#include "graph/append_head.h"
#include "graph/slice.h"

namespace fogline {
namespace {

constexpr int kRounds = 60, kRuns = 20;

/// Microseconds of the fastest of several calls.
template <typename Call>
double RoundOf(const Call& call) {
  double best = 1e9;
  for (int i = 0; i < kRuns; ++i) {
    const Nanos start = Clock::Real().Steady();
    if (!call()) return 1e9;
    best = std::min(best, Millis(Clock::Real().Steady() - start) * 1000);
  }
  return best;
}

/// The litter network with a head of zeros at split3, whose pictures are all sure to one half.
Result<Network> WithExit(const std::filesystem::path& folder) {
  const std::filesystem::path models = FOGLINE_SOURCE_DIR "/models";
  FOGLINE_TRY(const Network plain, LoadNetwork(models / "litter.onnx"));
  FOGLINE_TRY(const Cut cut, FindCut(plain.model, "split3"));
  FOGLINE_TRY(const FeaturePoint point, FeaturesAt(plain.model, cut.tensors[0].name));
  const std::vector<ExitHead> exits{
      {point, {2, point.width, std::vector<float>(2 * static_cast<size_t>(point.width)), {0, 0}}}};
  FOGLINE_TRY(const WithExits written, AppendExits(plain.model, exits));
  FOGLINE_TRY(std::string card, ReadTextFile(models / "litter.toml"));
  card += fmt::format(
      "\n[[exit]]\nat = \"{}\"\nhead = \"{}\"\nnetwork = \"{}\"\npictures = 1\nthresholds = [0]\n"
      "sure = [1]\ndiffer = [0]\n",
      point.tensor, written.outputs[0], ToHex(HashSha256(std::as_bytes(std::span(written.bytes)))));
  FOGLINE_CHECK(WriteFile(folder / "early.toml", card));
  FOGLINE_CHECK(WriteFile(folder / "early.onnx", written.bytes));
  return LoadNetwork(folder / "early.onnx");
}

Status Run() {
  SetLogLevel(LogLevel::kError);
  const TempDir folder;
  FOGLINE_TRY(const Network network, WithExit(folder.path()));
  FOGLINE_TRY(const Cut cut, FindCut(network.model, "split10"));
  const auto gate = [&](double threshold) -> Result<Gate> {
    const GateRequest request{ExitGate{{"split3", 0}, threshold}, std::nullopt, 0, "bench"};
    FOGLINE_TRY(const ChosenGate chosen, ChooseGate(network, cut, request));
    return Gate::Open(network, cut, chosen, 0, 1);
  };
  FOGLINE_TRY(Gate leaves, gate(0.0));
  FOGLINE_TRY(Gate goes_on, gate(1.0));
  FOGLINE_TRY(const std::string head, SliceExit(network, network.card.exits[0]));
  FOGLINE_TRY(const auto bare,
              OpenSession(std::as_bytes(std::span(head)), "head",
                          {.threads = 1, .optimize = true, .free_dimensions = {}}));
  FOGLINE_TRY(const Cut exit, FindCut(network.model, "split3"));
  FOGLINE_TRY(const std::string up_to, SlicePrefix(network.model, exit));
  FOGLINE_TRY(const auto without,
              OpenSession(std::as_bytes(std::span(up_to)), "no head",
                          {.threads = 1, .optimize = true, .free_dimensions = {}}));
  FOGLINE_TRY(const std::string whole, SlicePrefix(network.model, cut));
  FOGLINE_TRY(const auto prefix,
              OpenSession(std::as_bytes(std::span(whole)), "one",
                          {.threads = 1, .optimize = true, .free_dimensions = {}}));

  const Tensor input(network.card.dtype, network.card.input_shape());
  const TensorView view = input.view();
  double best[5] = {1e9, 1e9, 1e9, 1e9, 1e9};
  for (int round = 0; round < kRounds; ++round) {
    const double took[5] = {
        RoundOf([&] {
          return without->Run({&view, 1}).has_value();
        }),
        RoundOf([&] {
          return bare->Run({&view, 1}).has_value();
        }),
        RoundOf([&] { return leaves.Run(view).has_value(); }),
        RoundOf([&] {
          return prefix->Run({&view, 1}).has_value();
        }),
        RoundOf([&] { return goes_on.Run(view).has_value(); }),
    };
    for (size_t i = 0; i < 5; ++i) best[i] = std::min(best[i], took[i]);
  }
  fmt::print("up to split3                     {:8.1f} us\n", best[0]);
  fmt::print("  with the head                  {:8.1f} us, the head {:.1f}\n", best[1],
             best[1] - best[0]);
  fmt::print("  and the gate, leaving          {:8.1f} us, the gate {:.1f}\n", best[2],
             best[2] - best[1]);
  fmt::print("up to split10                    {:8.1f} us\n", best[3]);
  fmt::print("  through the gate, going on     {:8.1f} us, {:+.1f}\n", best[4], best[4] - best[3]);
  return {};
}

}  // namespace
}  // namespace fogline

int main() {
  const fogline::Status status = fogline::Run();
  if (status) return 0;
  fmt::print(stderr, "{}\n", status.error().ToString());
  return 1;
}
