// What a calibration has found so far, in a file beside the bundle to be: whoever is stopped goes
// on from there.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/hash.h"
#include "base/result.h"
#include "codec/bundle_writer.h"
#include "codec/calibrate.h"

namespace fogline {

/// Names a calibration: the model's, every picture's and label's bytes as the network sees them,
/// the cuts, codecs and `metric` (the user's command), the engine.
Sha256 DraftKey(const Network& network, const CalibrationSet& set, const CalibrateOptions& options,
                const std::string& metric);

struct Draft {
  size_t cuts = 0;  // how many are done
  BundleContents found;
};

/// Replaces the file at once.
Status SaveDraft(const std::filesystem::path& path, const Sha256& key, size_t cuts,
                 const BundleContents& found);

/// kNotFound without a file, kConflict when it belongs to another calibration, kInvalid when it is
/// damaged.
Result<Draft> LoadDraft(const std::filesystem::path& path, const Sha256& key);

}  // namespace fogline
