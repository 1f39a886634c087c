#include "profile/measure.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <memory>
#include <random>
#include <thread>

#include "base/file.h"
#include "base/stats.h"
#include "engine/session.h"
#include "graph/slice.h"
#include "profile/library.h"

namespace fogline {
namespace {

/// Values in [0, 1) for floats, small whole numbers otherwise: nothing that an engine might skip.
Tensor RandomInput(const Port& port, std::mt19937& random) {
  Tensor tensor(port.dtype, port.shape);
  if (port.dtype == DType::kF32) {
    std::uniform_real_distribution<float> value(0, 1);
    for (float& v : tensor.as<float>()) v = value(random);
  } else if (port.dtype == DType::kU8 || port.dtype == DType::kI8) {
    for (std::byte& b : tensor.bytes()) b = static_cast<std::byte>(random() & 0x7f);
  } else {
    std::ranges::fill(tensor.bytes(), std::byte{0});
  }
  return tensor;
}

using Named = std::map<std::string, Tensor>;

Result<std::vector<TensorView>> Pick(const Session& session, const Named& tensors,
                                     const std::string& where) {
  std::vector<TensorView> views;
  for (const Port& port : session.inputs()) {
    const auto it = tensors.find(port.name);
    if (it == tensors.end()) {
      return Fail(ErrorCode::kInternal, where, "its half wants a tensor '{}' that nothing gave",
                  port.name);
    }
    views.push_back(it->second.view());
  }
  return views;
}

std::string CpuName() {
  const auto text = ReadTextFile("/proc/cpuinfo");
  if (!text) return {};
  for (const char* key : {"model name", "Model", "Hardware"}) {
    const size_t at = text->find(key);
    if (at == std::string::npos) continue;
    const size_t colon = text->find(": ", at);
    if (colon == std::string::npos) continue;
    return text->substr(colon + 2, text->find('\n', colon) - colon - 2);
  }
  return {};
}

std::string Now() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

class Timer {
 public:
  Timer(const MeasureOptions& options, const Clock& clock, double seconds_a_half)
      : options_(options), clock_(clock), share_ms_(seconds_a_half * 1000) {}

  /// Times a half on `tensors` by name, and adds its last outputs to them.
  Result<MeasuredHalf> Run(const std::string& model, const std::string& where, Named& tensors) {
    if (options_.cool_down_ms > 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(options_.cool_down_ms));
    }
    SessionOptions session_options;
    session_options.threads = options_.threads;
    FOGLINE_TRY(
        const auto session,
        OpenSession(std::as_bytes(std::span(model.data(), model.size())), where, session_options));
    FOGLINE_TRY(const std::vector<TensorView> inputs, Pick(*session, tensors, where));
    std::vector<double> times;
    std::vector<Tensor> last;
    double spent = 0;
    constexpr int kWarmUp = 2;
    for (int run = -kWarmUp; run < options_.max_runs; ++run) {
      if (run >= options_.min_runs && spent >= share_ms_) break;
      const Nanos start = clock_.Steady();
      FOGLINE_TRY(std::vector<Tensor> outputs, session->Run(inputs));
      const double ms = Millis(clock_.Steady() - start);
      if (run >= 0) {
        times.push_back(ms);
        spent += ms;
      }
      last = std::move(outputs);
    }
    for (size_t i = 0; i < last.size(); ++i) {
      tensors[session->outputs()[i].name] = std::move(last[i]);
    }
    const Summary summary = Summarize(times);
    return MeasuredHalf{Milliseconds(summary.p50), Milliseconds(summary.p95),
                        summary.p50 > 0 ? (summary.p95 - summary.p50) / summary.p50 : 0,
                        static_cast<int>(times.size())};
  }

 private:
  const MeasureOptions& options_;
  const Clock& clock_;
  double share_ms_;
};

}  // namespace

Result<MeasuredProfile> Measure(const Model& model, const std::vector<Cut>& cuts,
                                const MeasureOptions& options, const Clock& clock) {
  MeasuredProfile profile;
  char host[256] = "this machine";
  gethostname(host, sizeof host - 1);
  profile.machine = options.machine.empty() ? host : options.machine;
  profile.cpu = CpuName();
  profile.engine = EngineName();
  profile.date = Now();
  profile.threads = options.threads;
  profile.model_name = model.where();
  profile.model = model.hash();
  for (const Port& port : model.inputs()) profile.shapes[port.name] = port.shape;
  if (!model.inputs().empty() && !model.inputs().front().shape.empty()) {
    profile.batch = model.inputs().front().shape[0];
  }

  std::mt19937 random(1);
  Named inputs;
  for (const Port& port : model.inputs()) inputs[port.name] = RandomInput(port, random);
  const double halves = 2.0 * static_cast<double>(cuts.size());
  Timer timer(options, clock, options.budget_s / std::max(1.0, halves));
  for (size_t i = 0; i < cuts.size(); ++i) {
    if (options.stop && options.stop()) break;
    const Cut& cut = cuts[i];
    MeasuredCut measured{cut.id, cut.name, {}, {}};
    Named tensors = inputs;
    const std::string where = fmt::format("{} cut at {}", model.where(), cut.name);
    if (cut.edge_nodes > 0) {
      FOGLINE_TRY(const std::string half, SlicePrefix(model, cut));
      FOGLINE_TRY(measured.prefix, timer.Run(half, where, tensors));
    }
    if (cut.edge_nodes < static_cast<int>(cut.edge.size())) {
      FOGLINE_TRY(const std::string half, SliceSuffix(model, cut));
      FOGLINE_TRY(measured.suffix, timer.Run(half, where, tensors));
    }
    profile.cuts.push_back(std::move(measured));
    if (options.progress) options.progress(i + 1, cut);
  }
  // The whole was run twice: as the suffix of cut 0 and as the prefix of the last.
  const MeasuredHalf* whole = nullptr;
  for (const MeasuredCut& cut : profile.cuts) {
    for (const auto& [own, other] :
         {std::pair(&cut.prefix, &cut.suffix), std::pair(&cut.suffix, &cut.prefix)}) {
      if (*own && !*other && (whole == nullptr || (*own)->p50 < whole->p50)) whole = &**own;
    }
  }
  if (whole == nullptr) {
    return Fail(ErrorCode::kCancelled, "profile", "stopped before the whole model was measured");
  }
  profile.whole = *whole;
  FOGLINE_TRY(const Machine yardstick, FindMachine("t2.micro", "profile"));
  Reconcile(model, cuts, PredictTiming(model, yardstick).layers, profile);
  return profile;
}

}  // namespace fogline
