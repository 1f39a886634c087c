// The pictures that `calibrate` looks at, and what their labels file says of them.
#pragma once

#include <filesystem>

#include "base/result.h"
#include "codec/calibrate.h"
#include "vision/folder.h"
#include "vision/network.h"

namespace fogline {

/// Reads at most `most` pictures of the folder (0: all), spread evenly, at the network's size. What
/// cannot be read is left out, named in the log and counted; kInvalid when that is all of them.
/// Texts name pictures as vision/picture_names.h has it.
/// `labels`, where given, holds lines of file, tab, class: a label of the card, in any case, or a
/// number; a first line that names neither a picture nor a class is its header. kInvalid for a
/// class that the model has not, for a picture with two classes, and when no label is one of a
/// picture; labels without a picture are counted in the log.
Result<CalibrationSet> ReadCalibrationSet(const std::filesystem::path& images, Depth depth,
                                          const std::filesystem::path& labels, size_t most,
                                          const Network& network, int threads);

}  // namespace fogline
