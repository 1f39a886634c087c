// Writing bundles: the end of calibration.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/hash.h"
#include "codec/bundle.h"
#include "codec/quant_params.h"

namespace fogline {

/// What a bundle holds, to write one.
struct BundleContents {
  Sha256 model_hash{};
  std::string model;  // the file's name, for people
  int images = 0;
  std::vector<CalibratedPair> pairs;
  std::vector<QuantParams> tensors;
};

/// The bundle's file, the same bytes for the same contents.
std::vector<std::byte> WriteBundle(const BundleContents& contents);

/// The calibration table as `fogline calibrate --json` prints it and the bundle keeps it:
/// {"images", "model", "pairs":[{"cut", "cut_id", "tensors", "codec", "bytes_mean", …}]}; values
/// that are not known are null.
std::string PairsJson(const std::string& model, int images,
                      const std::vector<CalibratedPair>& pairs);

}  // namespace fogline
