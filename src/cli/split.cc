#include <fmt/format.h>

#include <filesystem>

#include "base/file.h"
#include "base/json.h"
#include "base/paths.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/model_args.h"
#include "cli/tensor_files.h"
#include "engine/verify.h"
#include "graph/cut.h"
#include "graph/slice.h"

namespace fogline::cli {
namespace {

struct SplitArgs : Common {
  ModelArgs model;
  std::string cut;
  std::filesystem::path out;
  std::vector<std::string> inputs;
};

/// Inputs to prove the halves on: those given, else random ones.
Result<std::vector<Feeds>> FeedsFor(const SplitArgs& args, const Model& model) {
  std::vector<Feeds> feeds{RandomFeeds(model.inputs(), 1)};
  if (args.inputs.empty()) return feeds;
  FOGLINE_TRY(Feeds given, ReadFeeds(args.inputs, model.inputs()));
  given.merge(Feeds(feeds.front()));
  feeds.push_back(std::move(given));
  return feeds;
}

/// Files that are there only if everything went well.
class Pending {
 public:
  explicit Pending(std::filesystem::path target)
      : target_(std::move(target)), path_(target_.string() + ".partial") {}
  ~Pending() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  Pending(const Pending&) = delete;
  Pending& operator=(const Pending&) = delete;

  const std::filesystem::path& path() const { return path_; }
  const std::filesystem::path& target() const { return target_; }
  Status Keep() {
    std::error_code error;
    std::filesystem::rename(path_, target_, error);
    if (error) return Fail(ErrorCode::kNotFound, target_.string(), "{}", error.message());
    return {};
  }

 private:
  std::filesystem::path target_, path_;
};

Status Split(const SplitArgs& args) {
  FOGLINE_TRY(const Network network, ReadNetwork(args.model));
  const Model& model = network.model;
  FOGLINE_TRY(const Cut cut, FindCut(model, args.cut));
  if (!cut.is_split()) {
    FOGLINE_TRY(const auto cuts, ListCuts(model));
    if (cuts.size() < 3) {
      return Fail(ErrorCode::kUnsupported, model.path().string(),
                  "has no cut that leaves work on both sides: its layers do not come apart");
    }
    return Fail(ErrorCode::kUsage, "--cut " + args.cut, "leaves one side empty: choose 1{}",
                cuts.size() > 3 ? fmt::format(" to {}", cuts.size() - 2) : "");
  }
  FOGLINE_TRY(const std::vector<Feeds> feeds, FeedsFor(args, model));
  std::error_code error;
  std::filesystem::create_directories(args.out, error);
  if (error) return Fail(ErrorCode::kNotFound, args.out.string(), "{}", error.message());

  Pending edge(args.out / "edge.onnx");
  Pending cloud(args.out / "cloud.onnx");
  {  // one half in memory at a time
    FOGLINE_TRY(const std::string half, SlicePrefix(model, cut));
    FOGLINE_CHECK(WriteFile(edge.path(), half));
  }
  {
    FOGLINE_TRY(const std::string half, SliceSuffix(model, cut));
    FOGLINE_CHECK(WriteFile(cloud.path(), half));
  }
  Halves halves;
  halves.edge_path = edge.path();
  halves.cloud_path = cloud.path();
  FOGLINE_TRY(const SplitCheck check, CheckSplit(model, cut, halves, feeds));
  for (const Proof* proof : {&check.exact, &check.optimized}) {
    if (proof->holds()) continue;
    return Fail(ErrorCode::kInternal, args.model.path.string(),
                "its {}halves at cut '{}' do not compute what the whole does: {:.3g} apart ({:.3g} "
                "relative), {:.3g} times what rounding explains; nothing written",
                proof == &check.exact ? "" : "optimised ", cut.name, proof->difference.max_abs,
                proof->difference.max_rel, proof->excess);
  }
  FOGLINE_CHECK(edge.Keep());
  FOGLINE_CHECK(cloud.Keep());

  if (args.json) {
    const Json json{{"cut", cut.index < 0 ? Json(cut.name) : Json(cut.index)},
                    {"edge", edge.target().string()},
                    {"cloud", cloud.target().string()},
                    {"max_abs_diff", check.optimized.difference.max_abs},
                    {"max_rel_diff", check.optimized.difference.max_rel},
                    {"bit_identical", check.exact.difference.identical},
                    {"tensors", cut.name},
                    {"bytes", cut.bytes}};
    fmt::print("{}\n", Dump(json));
    return {};
  }
  const auto size = [](const std::filesystem::path& path) {
    return HumanBytes(static_cast<double>(BytesOf(path)));
  };
  fmt::print("cut {}: {} cross\n",
             cut.index < 0 ? cut.name : fmt::format("{} ({})", cut.index, cut.name),
             HumanBytes(static_cast<double>(cut.bytes)));
  fmt::print("  {}  {}, {} MAdds\n", edge.target().string(), size(edge.target()),
             HumanCount(static_cast<double>(cut.edge_madds)));
  fmt::print("  {}  {}, {} MAdds\n", cloud.target().string(), size(cloud.target()),
             HumanCount(static_cast<double>(cut.cloud_madds)));
  fmt::print("the halves together are {} to the whole; {:.2g} relative with optimisation\n",
             check.exact.difference.identical
                 ? "bit-identical"
                 : fmt::format("equal within {:.2g}", check.exact.difference.max_rel),
             check.optimized.difference.max_rel);
  return {};
}

}  // namespace

void AddSplit(CommandLine& line) {
  Command command = line.Add("split", "Cuts a model in two and proves the halves");
  auto args = std::make_shared<SplitArgs>();
  AddModelArgs(command, args->model);
  command
      .Add("--cut", args->cut,
           "where: a number or name of inspect's list, or the tensors that cross (tensor:3 where "
           "a name is a number)")
      .Type("INDEX|TENSOR[,TENSOR…]")
      .Required();
  command.Add("--out", args->out, "folder for edge.onnx and cloud.onnx").Type("DIR").Required();
  command.Add("--input", args->inputs, "also prove them on this input, a NumPy file")
      .Type("INPUT=FILE.npy");
  AddCommon(command, *args);
  command.Example("fogline split models/litter.onnx --cut split10 --out halves/",
                  "edge.onnx and cloud.onnx, proved against the whole");
  SetAction(command, args, [args] { return Split(*args); });
}

}  // namespace fogline::cli
