#include "codec/calibrate.h"

#include <algorithm>

#include "base/log.h"
#include "codec/calibration.h"
#include "codec/cut_calibration.h"
#include "codec/parallel.h"

namespace fogline {
namespace {

/// JPEG and WebP of the picture at the network's size, for the cut at the input.
Status PictureCodecs(Calibration& all, const Cut& cut) {
  for (const CodecKind kind : {CodecKind::kJpeg, CodecKind::kWebp}) {
    for (const int quality : all.options().qualities) {
      const CodecName name{kind, quality};
      Trial trial(all.pictures());
      const auto work = [&](size_t i, int) -> Status {
        std::vector<std::byte> code;
        FOGLINE_CHECK(kind == CodecKind::kJpeg ? EncodeJpeg(all.picture(i), quality, code)
                                               : EncodeWebp(all.picture(i), quality, code));
        FOGLINE_TRY(const Image back, DecodeImage(code, ToString(name)));
        trial.bytes[i] = static_cast<double>(code.size());
        const Tensor input = all.InputOf(back);
        const TensorView view = input.view();
        FOGLINE_TRY(auto outputs, all.whole().Run({&view, 1}));
        all.Judge(i, std::move(outputs), trial);
        return {};
      };
      FOGLINE_CHECK(ParallelFor(all.pictures(), all.options().threads, work));
      all.Step(ToString(name));
      FOGLINE_CHECK(all.AddRow(Calibration::Row(cut, name), std::move(trial)));
    }
  }
  return {};
}

}  // namespace

double TargetError(int level) {
  static constexpr double kErrors[] = {0.40, 0.26, 0.18, 0.13, 0.08, 0.04, 0.02};
  return kErrors[std::clamp(level, 2, 8) - 2];
}

Result<BundleContents> Calibrate(const Model& model, const ModelCard& card,
                                 const CalibrationSet& set, const CalibrateOptions& options) {
  if (set.pictures.empty())
    return Fail(ErrorCode::kInvalid, "calibration", "needs pictures, got none");
  if (set.pictures.size() < 20) {
    LogWarning("{} pictures are few: figures will be rough (100 or more are better)",
               set.pictures.size());
  }
  size_t steps = options.cuts.size() * (options.levels.size() + 2);
  for (const Cut& cut : options.cuts) {
    if (cut.edge_nodes == 0) steps += 2 * options.qualities.size();
  }
  FOGLINE_TRY(auto all, Calibration::Start(model, card, set, options, steps));
  for (const Cut& cut : options.cuts) {
    if (cut.data_dependent) continue;  // shapes that values decide have no fixed quantiser
    if (cut.edge_nodes == 0) FOGLINE_CHECK(PictureCodecs(all, cut));
    FOGLINE_CHECK(CutCalibration(all, cut).Run());
  }
  return std::move(all.contents());
}

}  // namespace fogline
