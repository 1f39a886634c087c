#include "codec/calibration.h"

#include <algorithm>
#include <filesystem>
#include <optional>

#include "base/stats.h"
#include "codec/parallel.h"
#include "vision/preprocess.h"

namespace fogline {

Result<Calibration> Calibration::Start(const Model& model, const ModelCard& card,
                                       const CalibrationSet& set, const CalibrateOptions& options,
                                       size_t steps) {
  Calibration calibration(model, card, set, options, steps);
  BundleContents& contents = calibration.contents_;
  contents.model_hash = model.hash();
  contents.model = std::filesystem::path(model.where()).filename().string();
  contents.images = static_cast<int>(set.pictures.size());
  FOGLINE_CHECK(calibration.RunWhole());
  return calibration;
}

Tensor Calibration::InputOf(const Image& picture) const {
  Tensor input(card_.dtype, card_.input_shape());
  Normalise(picture, card_, input);
  return input;
}

void Calibration::Step(std::string_view what) {
  ++done_;
  if (options_.progress) options_.progress(std::min(done_, steps_), steps_, what);
}

Status Calibration::RunWhole() {
  FOGLINE_TRY(whole_, OpenSession(std::filesystem::path(model_.where())));
  std::vector<std::vector<Tensor>> outputs(pictures());
  FOGLINE_CHECK(ParallelFor(pictures(), options_.threads, [&](size_t i, int) -> Status {
    const Tensor input = InputOf(set_.pictures[i]);
    const TensorView view = input.view();
    FOGLINE_TRY(outputs[i], whole_->Run({&view, 1}));
    return {};
  }));
  std::optional<size_t> classes;
  if (card_.kind != ModelCard::Kind::kOther) classes = card_.output_index;
  reference_ = std::make_unique<Reference>(std::move(outputs), classes);
  return {};
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
  if (options_.metric) trial.outputs[picture] = std::move(outputs);
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
