#include "quantize/measure.h"

#include <time.h>

#include <algorithm>
#include <cmath>

#include "base/parallel.h"
#include "base/stats.h"
#include "codec/agreement.h"
#include "codec/reference.h"
#include "engine/session.h"
#include "quantize/net.h"
#include "vision/boxes.h"
#include "vision/preprocess.h"
#include "vision/verdict.h"

namespace fogline::quantize {
namespace {

constexpr int kRounds = 15;
constexpr double kRoundMs = 20;

/// Of this thread's processor: other work on the machine does not count.
double ThreadMs() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return 1e3 * static_cast<double>(now.tv_sec) + 1e-6 * static_cast<double>(now.tv_nsec);
}

double RunMs(Session& session, const Tensor& input, int times, Status& status) {
  const TensorView view = input.view();
  const double start = ThreadMs();
  for (int i = 0; i < times && status; ++i) {
    auto outputs = session.Run({&view, 1});
    if (!outputs) status = tl::unexpected<Error>(outputs.error());
  }
  return (ThreadMs() - start) / times;
}

}  // namespace

std::vector<Tensor> InputsOf(const Network& network, const CalibrationSet& set) {
  std::vector<Tensor> inputs;
  for (const Image& picture : set.pictures) {
    Tensor input(network.card.dtype, network.card.input_shape());
    Normalise(picture, network.card, input);
    inputs.push_back(std::move(input));
  }
  return inputs;
}

Result<Said> Ask(const std::string& model, const Network& network, std::span<const Tensor> inputs,
                 int threads, bool untried) {
  SessionOptions options;
  options.untried = untried;
  FOGLINE_TRY(const std::unique_ptr<Session> session,
              OpenSession(std::as_bytes(std::span(model)), network.path.string(), options));
  Said said;
  said.outputs.resize(inputs.size());
  said.findings.resize(inputs.size());
  said.unsure.resize(inputs.size());
  const ModelCard unsure = ForCurves(network.card);
  FOGLINE_CHECK(ParallelFor(inputs.size(), threads, [&](size_t i, int) -> Status {
    const TensorView view = inputs[i].view();
    FOGLINE_TRY(said.outputs[i], session->Run({&view, 1}));
    const auto read = [&](const ModelCard& card) {
      auto found =
          ReadOutputs(said.outputs[i], session->outputs(), network.contract.judged, card, {});
      return found ? *std::move(found) : Findings(RawFindings{});
    };
    said.findings[i] = read(network.card);
    said.unsure[i] = network.contract.layout ? read(unsure) : said.findings[i];
    return {};
  }));
  return said;
}

double AgreementBetween(const Network& network, const Said& whole, const Said& other) {
  if (const auto agreement = AgreementOf(whole.findings, other.unsure)) return *agreement;
  std::optional<Reference::Classes> classes;
  if (network.contract.classes() > 0) {
    classes = {network.contract.judged, network.contract.classes()};
  }
  const Reference reference(whole.outputs, classes);
  double sum = 0;
  for (size_t i = 0; i < other.outputs.size(); ++i) sum += reference.Agreement(i, other.outputs[i]);
  return sum / static_cast<double>(std::max<size_t>(1, other.outputs.size()));
}

double ErrorBetween(const Said& whole, const Said& other) {
  double off = 0, size = 0;
  for (size_t i = 0; i < whole.outputs.size(); ++i) {
    for (size_t t = 0; t < whole.outputs[i].size(); ++t) {
      if (whole.outputs[i][t].dtype() != DType::kF32) continue;
      const std::span<const float> is = whole.outputs[i][t].as<float>();
      const std::span<const float> said = other.outputs[i][t].as<float>();
      for (size_t k = 0; k < is.size() && k < said.size(); ++k) {
        off += std::pow(static_cast<double>(said[k]) - is[k], 2);
        size += std::pow(static_cast<double>(is[k]), 2);
      }
    }
  }
  return size > 0 ? std::sqrt(off / size) : 0;
}

std::optional<double> AccuracyOf(const Said& said, std::span<const int> labels) {
  double right = 0, known = 0;
  for (size_t i = 0; i < labels.size() && i < said.findings.size(); ++i) {
    const auto* found = std::get_if<ClassFindings>(&said.findings[i]);
    if (labels[i] < 0) continue;
    known += 1;
    right += found != nullptr && found->label == labels[i] ? 1 : 0;
  }
  return known > 0 ? std::optional(right / known) : std::nullopt;
}

Result<Times> TimeBoth(const std::string& whole, const std::string& other, const Network& network,
                       const Tensor& input) {
  std::unique_ptr<Session> sessions[2];
  const std::string* models[2] = {&whole, &other};
  for (int m = 0; m < 2; ++m) {
    FOGLINE_TRY(sessions[m],
                OpenSession(std::as_bytes(std::span(*models[m])), network.path.string()));
  }
  Status status;
  std::vector<double> took[2];
  int times[2] = {1, 1};
  for (int m = 0; m < 2; ++m) {
    RunMs(*sessions[m], input, 2, status);
    const double once = RunMs(*sessions[m], input, 3, status);
    times[m] = std::clamp(static_cast<int>(kRoundMs / std::max(once, 1e-3)), 1, 1000);
  }
  for (int round = 0; round < kRounds; ++round) {
    for (int m = 0; m < 2; ++m) {
      took[m].push_back(RunMs(*sessions[m], input, times[m], status));
    }
  }
  if (!status) return tl::unexpected<Error>(status.error());
  for (auto& list : took) std::ranges::sort(list);
  return Times{took[0][kRounds / 2], took[1][kRounds / 2]};
}

Result<std::map<std::string, int>> NotFused(const std::string& model, const Network& network) {
  FOGLINE_TRY(const std::string rewritten,
              Rewritten(std::as_bytes(std::span(model)), network.path.string()));
  FOGLINE_TRY(const Net net, Net::Parse(rewritten, network.path.string()));
  std::map<std::string, int> counts;
  for (const auto& node : net.graph().node()) {
    const std::string& op = node.op_type();
    const bool work = op.ends_with("Conv") || op == "Gemm" || op == "MatMul" || op == "FusedGemm";
    const bool convert = op == "QuantizeLinear" || op == "DequantizeLinear";
    if ((work && !op.starts_with("QLinear")) || convert) ++counts[op];
  }
  return counts;
}

}  // namespace fogline::quantize
