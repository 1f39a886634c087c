// What the steps of a calibration share: the pictures, the whole model's outputs on them, and the
// table that fills up.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "codec/bundle_writer.h"
#include "codec/calibrate.h"
#include "codec/codec.h"
#include "codec/reference.h"
#include "engine/session.h"
#include "vision/findings.h"

namespace fogline {

/// The model's input tensor for a picture of its size.
Tensor InputTensor(const Image& picture, const ModelCard& card);

/// What one codec did to all pictures; empty `bytes` when its size is known otherwise.
struct Trial {
  explicit Trial(size_t pictures)
      : bytes(pictures),
        agreement(pictures),
        relative(pictures),
        outputs(pictures),
        top1(pictures, -1) {}

  std::vector<double> bytes, agreement, relative;
  std::vector<std::vector<Tensor>> outputs;  // kept only for the user's own metric
  std::vector<Findings> findings;            // where agreement is one of findings, else empty
  std::vector<int> top1;
};

class Calibration {
 public:
  /// Runs the whole model on every picture.
  static Result<Calibration> Start(const Network& network, const CalibrationSet& set,
                                   const CalibrateOptions& options);

  const Model& model() const { return network_.model; }
  const CalibrateOptions& options() const { return options_; }
  const Reference& reference() const { return *reference_; }
  Session& whole() { return *whole_; }
  size_t pictures() const { return set_.pictures.size(); }
  const Image& picture(size_t i) const { return set_.pictures[i]; }
  /// Where a tensor of the model has its channels: last, not last, or nobody knows.
  std::optional<bool> ChannelsLast(const Port& tensor) const;

  /// The half that picture i belongs to. One picture is both.
  size_t HalfOf(size_t picture) const { return picture % 2; }
  size_t OtherHalf(size_t picture) const { return pictures() < 2 ? 0 : 1 - HalfOf(picture); }

  Tensor InputOf(const Image& picture) const { return InputTensor(picture, network_.card); }

  /// In which words what is done next is told.
  void Stage(std::string what) { what_ = std::move(what); }
  /// ParallelFor that tells the progress: each index is worth `units`, about as long as that many
  /// multiply-adds of the model.
  Status ForEach(size_t count, double units, const std::function<Status(size_t, int)>& work);
  /// Sets the progress to where it stands once that cut is done.
  void FinishCut(size_t cut);

  static CalibratedPair Row(const Cut& cut, const CodecName& codec);
  /// Fills the row in from the trial, sizes only where it measured some, and adds it to the table.
  Status AddRow(CalibratedPair row, Trial trial);

  /// Fills the trial's part of picture i in: the outputs that the model gave after the codec.
  void Judge(size_t picture, std::vector<Tensor> outputs, Trial& trial) const;

  /// A trial in which every picture is to be judged.
  Trial NewTrial() const;
  /// A trial of a codec that changes nothing.
  Trial Unchanged() const;

  BundleContents& contents() { return contents_; }

 private:
  Calibration(const Network& network, const CalibrationSet& set, const CalibrateOptions& options)
      : network_(network), set_(set), options_(options) {}
  Status RunWhole();
  /// What outputs say, for AgreementOf; nothing at all where they make no sense.
  Findings Read(const std::vector<Tensor>& outputs, const ModelCard& card) const;
  void Tell(double done) const;

  const Network& network_;
  const CalibrationSet& set_;
  const CalibrateOptions& options_;
  double done_ = 0;                 // units of work
  std::vector<double> done_after_;  // the whole model first, then cut by cut
  std::string what_;
  std::vector<int> channel_axes_;  // by the model's activations
  std::unique_ptr<Session> whole_;
  std::unique_ptr<Reference> reference_;
  std::vector<Findings> whole_findings_;  // of boxes; of other outputs empty
  ModelCard curves_;                      // the card as boxes are read for agreement
  BundleContents contents_;
};

}  // namespace fogline
