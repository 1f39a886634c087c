#include <fmt/format.h>

#include <filesystem>

#include "base/json.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/flags.h"
#include "cli/model_args.h"
#include "cli/tensor_files.h"
#include "engine/session.h"
#include "graph/slice.h"

namespace fogline::cli {
namespace {

struct RunArgs : Common {
  ModelArgs model;
  std::vector<std::string> from, to, inputs;
  std::filesystem::path out;
  int threads = 1;
  ProviderFlags provider;
};

/// The piece that was asked for, open.
Result<std::unique_ptr<Session>> OpenPiece(const RunArgs& args, const Model& model) {
  FOGLINE_TRY(const std::string piece, SlicePieceAt(model, args.from, args.to));
  SessionOptions options;
  options.threads = args.threads;
  return OpenSession(std::as_bytes(std::span(piece)), model.where(), options);
}

Status Run(const RunArgs& args) {
  FOGLINE_CHECK(Use(args.provider));
  FOGLINE_TRY(const Network network, ReadNetwork(args.model));
  FOGLINE_TRY(const auto session, OpenPiece(args, network.model));
  FOGLINE_TRY(const Feeds feeds, ReadFeeds(args.inputs, session->inputs()));
  std::vector<TensorView> views;
  for (const Port& input : session->inputs()) {
    const auto found = feeds.find(input.name);
    if (found == feeds.end()) {
      return Fail(ErrorCode::kUsage, "--input", "is needed for '{}': --input {}=FILE.npy",
                  Describe(input), input.name);
    }
    views.push_back(found->second.view());
  }
  FOGLINE_TRY(const std::vector<Tensor> outputs, session->Run(views));
  FOGLINE_TRY(const auto files, WriteTensors(args.out, session->outputs(), outputs));
  Json list = Json::array();
  for (size_t i = 0; i < outputs.size(); ++i) {
    const Port port{session->outputs()[i].name, outputs[i].dtype(), outputs[i].shape()};
    if (!args.json) fmt::print("{}  {}\n", files[i].string(), Printable(Describe(port)));
    list.push_back({{"name", port.name},
                    {"shape", std::vector<int64_t>(port.shape.begin(), port.shape.end())},
                    {"dtype", DTypeName(port.dtype)},
                    {"file", files[i].string()}});
  }
  if (args.json) {
    fmt::print("{}\n", Dump(Json{{"outputs", std::move(list)}, {"provider", session->provider()}}));
  }
  return {};
}

}  // namespace

void AddRun(CommandLine& line) {
  Command command = line.Add("run", "Runs a network, or a piece of it between any two tensors");
  auto args = std::make_shared<RunArgs>();
  AddModelArgs(command, args->model);
  command.Add("--from", args->from, "tensors to begin at (default: the model's inputs)")
      .Type("TENSOR");
  command.Add("--to", args->to, "tensors to end at (default: the model's outputs)").Type("TENSOR");
  command.Add("--input", args->inputs, "what each of them holds, a NumPy file")
      .Type("[TENSOR=]FILE.npy")
      .Required();
  command.Add("--out", args->out, "folder for a NumPy file of each tensor at the end")
      .Type("DIR")
      .Required();
  command.Add("--threads", args->threads, "0: every core").Range(0, 1024);
  AddProviderFlags(command, args->provider);
  AddCommon(command, *args);
  command.Example("fogline run models/litter.onnx --input image.npy --to split10 --out at/",
                  "from the input to a tensor within");
  SetAction(command, args, [args] { return Run(*args); });
}

}  // namespace fogline::cli
