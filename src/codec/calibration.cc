#include "codec/calibration.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <optional>

#include "base/log.h"
#include "base/parallel.h"
#include "base/stats.h"
#include "codec/agreement.h"
#include "codec/cut_calibration.h"
#include "graph/channel_axis.h"
#include "vision/boxes.h"
#include "vision/preprocess.h"
#include "vision/verdict.h"

namespace fogline {

Result<Calibration> Calibration::Start(const Network& network, const CalibrationSet& set,
                                       const CalibrateOptions& options) {
  Calibration calibration(network, set, options);
  const Model& model = network.model;
  BundleContents& contents = calibration.contents_ = options.found;
  contents.model_hash = model.hash();
  contents.model = std::filesystem::path(model.where()).filename().string();
  contents.images = static_cast<int>(set.pictures.size());
  calibration.channel_axes_ = ChannelAxes(model);
  calibration.Stage("the whole model");
  double units = static_cast<double>(set.pictures.size()) * static_cast<double>(model.madds());
  calibration.done_after_ = {units};
  for (size_t c = 0; c < options.cuts.size(); ++c) {
    if (c >= options.cuts_done) units += CutCalibration::Units(calibration, options.cuts[c]);
    calibration.done_after_.push_back(units);
  }
  FOGLINE_CHECK(calibration.RunWhole());
  return calibration;
}

Tensor InputTensor(const Image& picture, const ModelCard& card) {
  Tensor input(card.dtype, card.input_shape());
  Normalise(picture, card, input);
  return input;
}

std::optional<bool> Calibration::ChannelsLast(const Port& tensor) const {
  const int activation = network_.model.FindActivation(tensor.name);
  const int axis = activation < 0 ? -1 : channel_axes_[static_cast<size_t>(activation)];
  const int last = static_cast<int>(tensor.shape.rank()) - 1;
  if (axis == 1 || last <= 1) return false;
  if (axis == last) return true;
  return std::nullopt;
}

Status Calibration::ForEach(size_t count, double units,
                            const std::function<Status(size_t, int)>& work) {
  std::atomic<size_t> finished{0};
  const auto told = [&](size_t i, int worker) -> Status {
    FOGLINE_CHECK(work(i, worker));
    const size_t number = ++finished;
    // Worker 0 is the caller's own thread.
    if (worker == 0) Tell(done_ + units * static_cast<double>(number));
    if (worker == 0 && options_.stop && options_.stop()) {
      return Fail(ErrorCode::kCancelled, "calibration", "stopped on request");
    }
    return {};
  };
  FOGLINE_CHECK(ParallelFor(count, options_.threads, told));
  done_ += units * static_cast<double>(count);
  return {};
}

void Calibration::FinishCut(size_t cut) {
  done_ = done_after_[cut + 1];
  Tell(done_);
}

void Calibration::Tell(double done) const {
  if (!options_.progress || done_after_.back() <= 0) return;
  options_.progress(static_cast<size_t>(100 * std::min(1.0, done / done_after_.back())), 100,
                    what_);
}

Status Calibration::RunWhole() {
  FOGLINE_TRY(whole_, OpenSession(network_.model));
  std::vector<std::vector<Tensor>> outputs(pictures());
  const auto madds = static_cast<double>(network_.model.madds());
  FOGLINE_CHECK(ForEach(pictures(), madds, [&](size_t i, int) -> Status {
    const Tensor input = InputOf(set_.pictures[i]);
    const TensorView view = input.view();
    FOGLINE_TRY(outputs[i], whole_->Run({&view, 1}));
    return {};
  }));
  std::optional<Reference::Classes> classes;
  const ModelContract& contract = network_.contract;
  if (contract.classes() > 0) classes = {contract.judged, contract.classes()};
  reference_ = std::make_unique<Reference>(std::move(outputs), classes);
  if (!contract.layout && contract.output().kind != OutputKind::kMask) return {};
  curves_ = ForCurves(network_.card);
  for (const auto& one : reference_->outputs()) {
    whole_findings_.push_back(Read(one, network_.card));
  }
  if (!AgreementOf(whole_findings_, whole_findings_)) {
    LogWarning(
        "the model finds nothing in these pictures: agreement is that of its outputs' "
        "numbers, not of boxes or masks");
    whole_findings_.clear();
  }
  return {};
}

Findings Calibration::Read(const std::vector<Tensor>& outputs, const ModelCard& card) const {
  auto read = ReadOutputs(outputs, whole_->outputs(), network_.contract.judged, card, {});
  return read ? *std::move(read) : Findings(RawFindings{});
}

CalibratedPair Calibration::Row(const Cut& cut, const CodecName& codec) {
  CalibratedPair row;
  row.cut = cut.index;
  row.cut_id = cut.id;
  row.cut_name = cut.name;
  row.codec = ToString(codec);
  return row;
}

Status Calibration::AddRow(CalibratedPair row, Trial trial) {
  if (!trial.bytes.empty()) {
    const Summary bytes = Summarize(trial.bytes);
    row.bytes_mean = bytes.mean;
    row.bytes_p95 = bytes.p95;
  }
  row.relative_error = Summarize(trial.relative).mean;
  double agree = 0, right = 0, known = 0;
  for (size_t i = 0; i < trial.top1.size(); ++i) {
    if (trial.top1[i] == reference_->Top1(i)) agree += 1;
    if (i < set_.labels.size() && set_.labels[i] >= 0) {
      known += 1;
      if (trial.top1[i] == set_.labels[i]) right += 1;
    }
  }
  if (reference_->Top1(size_t{0}) >= 0) {
    row.top1_agreement = agree / static_cast<double>(trial.top1.size());
    if (known > 0) row.top1_accuracy = right / known;
  }
  row.agreement = row.top1_agreement ? row.top1_agreement : Summarize(trial.agreement).mean;
  if (!trial.findings.empty()) {
    row.agreement = AgreementOf(whole_findings_, trial.findings).value_or(0);
  }
  if (options_.metric) {
    FOGLINE_TRY(row.user_metric, options_.metric(reference_->outputs(), trial.outputs));
  }
  contents_.pairs.push_back(std::move(row));
  return {};
}

void Calibration::Judge(size_t picture, std::vector<Tensor> outputs, Trial& trial) const {
  trial.top1[picture] = reference_->Top1(outputs);
  trial.agreement[picture] = reference_->Agreement(picture, outputs);
  trial.relative[picture] = reference_->RelativeError(picture, outputs);
  if (!trial.findings.empty()) trial.findings[picture] = Read(outputs, curves_);
  if (options_.metric) trial.outputs[picture] = std::move(outputs);
}

Trial Calibration::NewTrial() const {
  Trial trial(pictures());
  trial.findings.resize(whole_findings_.size());
  return trial;
}

Trial Calibration::Unchanged() const {
  Trial trial(pictures());
  for (size_t i = 0; i < pictures(); ++i) trial.top1[i] = reference_->Top1(i);
  trial.agreement.assign(pictures(), 1);
  trial.bytes.clear();
  if (options_.metric) trial.outputs = reference_->outputs();
  return trial;
}

}  // namespace fogline
