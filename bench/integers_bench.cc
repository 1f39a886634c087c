// What each step from a float network to one in integers buys: the network is made from one half of
// the pictures and asked about the other, both ways, with all steps and with one left out or done
// otherwise. A Markdown table, of docs/quantize.md.
//
//     integers_bench MODEL IMAGES [LABELS]
//
// LABELS has lines of file, tab, class, as `fogline quantize --labels` takes them.
#include <fmt/format.h>

#include <cstdlib>
#include <functional>
#include <map>
#include <span>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "base/file.h"
#include "base/log.h"
#include "graph/slice.h"
#include "quantize/fold.h"
#include "quantize/integers.h"
#include "quantize/measure.h"
#include "quantize/opset.h"
#include "vision/class_name.h"
#include "vision/folder.h"
#include "vision/network.h"
#include "vision/preprocess.h"

namespace fogline {
namespace {

using quantize::RangeRule;
using quantize::Steps;

struct Variant {
  const char* name;
  std::function<void(Steps&)> change;
};

const std::vector<Variant>& Variants() {
  static const std::vector<Variant> kVariants{
      {"all steps, `--for x86`", [](Steps&) {}},
      {"`--for any`: pairs of weights bounded", [](Steps& s) { s.rounding.pairs = true; }},
      {"ranges: all that was seen", [](Steps& s) { s.ranges = RangeRule::kAll; }},
      {"ranges: but for a ten-thousandth", [](Steps& s) { s.ranges = RangeRule::kPercentile; }},
      {"ranges: least divergence (KL)", [](Steps& s) { s.ranges = RangeRule::kEntropy; }},
      {"each weight rounded by itself", [](Steps& s) { s.rounding.learned = false; }},
      {"scales by the largest weight", [](Steps& s) { s.rounding.scales = false; }},
      {"mean errors not in the bias", [](Steps& s) { s.rounding.shift = false; }},
      {"none of the three",
       [](Steps& s) { s.rounding.learned = s.rounding.scales = s.rounding.shift = false; }},
      {"nor ranges", [](Steps& s) {
         s.rounding.learned = s.rounding.scales = s.rounding.shift = false;
         s.ranges = RangeRule::kAll;
       }}};
  return kVariants;
}

/// One network under all variants.
class Bench {
 public:
  Bench(const Network& network, const CalibrationSet& set)
      : network_(network),
        set_(set),
        threads_(std::max(1, static_cast<int>(std::thread::hardware_concurrency()))) {}

  Status Run() {
    FOGLINE_TRY(whole_, SliceWhole(network_.model));
    FOGLINE_TRY(quantize::Net net, quantize::Net::Parse(whole_, network_.path.string()));
    FOGLINE_CHECK(RaiseOpset(net));
    FOGLINE_CHECK(Fold(net));
    inputs_ = quantize::InputsOf(network_, set_);
    FOGLINE_TRY(said_, quantize::Ask(whole_, network_, inputs_, threads_));
    fmt::print("{}, {} pictures\n\n| step | agreement | error of the outputs | top-1 |\n",
               network_.path.filename().string(), inputs_.size());
    fmt::print("|---|---:|---:|---:|\n| float | | | {} |\n", Percent(said_));
    for (const Variant& variant : Variants()) FOGLINE_CHECK(Try(net, variant));
    return {};
  }

 private:
  std::string Percent(const quantize::Said& said) const {
    const auto accuracy = AccuracyOf(said, set_.labels);
    return accuracy ? fmt::format("{:.1f} %", 100 * *accuracy) : "–";
  }

  Status Try(const quantize::Net& net, const Variant& variant) {
    Steps steps;
    steps.rounding.pairs = false;
    variant.change(steps);
    quantize::Said other;
    other.outputs.resize(inputs_.size());
    other.findings.resize(inputs_.size());
    other.unsure.resize(inputs_.size());
    for (size_t half = 0; half < 2; ++half) {
      std::vector<Tensor> from, about;
      for (size_t i = 0; i < inputs_.size(); ++i) {
        (i % 2 == half ? from : about).push_back(inputs_[i]);
      }
      FOGLINE_TRY(const auto choices, Choose(net, from, steps, threads_));
      FOGLINE_TRY(const std::string model, Assemble(net, choices, {}));
      FOGLINE_TRY(auto said, quantize::Ask(model, network_, about, threads_));
      for (size_t k = 0, i = 1 - half; i < inputs_.size(); i += 2, ++k) {
        other.outputs[i] = std::move(said.outputs[k]);
        other.findings[i] = std::move(said.findings[k]);
        other.unsure[i] = std::move(said.unsure[k]);
      }
    }
    fmt::print("| {} | {:.1f} % | {:.2f} % | {} |\n", variant.name,
               100 * AgreementBetween(network_, said_, other), 100 * ErrorBetween(said_, other),
               Percent(other));
    std::fflush(stdout);
    return {};
  }

  const Network& network_;
  const CalibrationSet& set_;
  int threads_;
  std::string whole_;
  std::vector<Tensor> inputs_;
  quantize::Said said_;
};

Result<CalibrationSet> Read(const Network& network, const char* folder, const char* labels) {
  FOGLINE_TRY(const auto files, ListImages(folder));
  std::map<std::string, int> classes;
  std::string text;
  if (labels != nullptr) {
    FOGLINE_TRY(text, ReadTextFile(labels));
  }
  for (std::istringstream lines(text); std::getline(lines, text);) {
    const size_t tab = text.find('\t');
    if (tab == std::string::npos) continue;
    const auto known = ClassNumbered(text.substr(tab + 1), network.contract.classes());
    if (known) classes[text.substr(0, tab)] = *known;
  }
  CalibrationSet set;
  for (const auto& file : files) {
    FOGLINE_TRY(const Picture picture, LoadPicture(file));
    FitToInput(picture.image, network.card, set.pictures.emplace_back());
    const auto known = classes.find(file.filename().string());
    if (!classes.empty()) set.labels.push_back(known == classes.end() ? -1 : known->second);
  }
  return set;
}

Status Run(std::span<char*> words) {
  if (words.size() < 3 || words.size() > 4) {
    return Fail(ErrorCode::kUsage, "integers_bench", "wants MODEL IMAGES [LABELS]");
  }
  SetLogLevel(LogLevel::kError);
  FOGLINE_TRY(const Network network, ReadNetwork(std::filesystem::path(words[1])));
  FOGLINE_TRY(const CalibrationSet set,
              Read(network, words[2], words.size() > 3 ? words[3] : nullptr));
  return Bench(network, set).Run();
}

}  // namespace
}  // namespace fogline

int main(int count, char** words) {
  const fogline::Status status = fogline::Run(std::span(words, static_cast<size_t>(count)));
  if (!status) fmt::print(stderr, "integers_bench: {}\n", status.error().ToString());
  return status ? 0 : 1;
}
