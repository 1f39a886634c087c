#include "codec/calibrate.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/log.h"
#include "codec/activations.h"
#include "codec/calibration.h"
#include "codec/cut_calibration.h"

namespace fogline {
namespace {

/// JPEG and WebP of the picture at the network's size, for the cut at the input.
Status PictureCodecs(Calibration& all, const Cut& cut) {
  for (const CodecKind kind : {CodecKind::kJpeg, CodecKind::kWebp}) {
    for (const int quality : all.options().qualities) {
      const CodecName name{kind, quality};
      Trial trial = all.NewTrial();
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
      FOGLINE_CHECK(all.ForEach(all.pictures(), static_cast<double>(cut.cloud_madds), work));
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

Result<BundleContents> Calibrate(const Network& network, const CalibrationSet& set,
                                 const CalibrateOptions& options) {
  if (set.pictures.empty())
    return Fail(ErrorCode::kInvalid, "calibration", "needs pictures, got none");
  if (set.pictures.size() < 20) {
    LogWarning("{} pictures are few: figures will be rough (100 or more are better)",
               set.pictures.size());
  }
  FOGLINE_TRY(auto all, Calibration::Start(network, set, options));
  std::optional<Activations> before;
  for (size_t c = options.cuts_done; c < options.cuts.size(); ++c) {
    const Cut& cut = options.cuts[c];
    // Shapes that values decide have no fixed quantiser.
    if (!cut.data_dependent) {
      all.Stage(fmt::format("cut {} of {}: {}", c + 1, options.cuts.size(), cut.name));
      FOGLINE_TRY(auto activations, Activations::Make(all, cut, before ? &*before : nullptr));
      if (cut.is_cloud_only()) FOGLINE_CHECK(PictureCodecs(all, cut));
      FOGLINE_CHECK(CutCalibration(all, activations).Run());
      if (activations.whole()) before.emplace(std::move(activations));
    }
    all.FinishCut(c);
    if (options.keep) FOGLINE_CHECK(options.keep(c + 1, all.contents()));
  }
  return std::move(all.contents());
}

}  // namespace fogline
