// Photographs with their classes, and those that could not be read.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "vision/folder.h"

namespace fogline {

struct Sample {
  std::filesystem::path file;
  int label = 0;  // index in Dataset::labels
};

struct Dataset {
  std::vector<std::string> labels;
  std::vector<Sample> samples;  // by class, then by file name
};

/// One sub-folder a class, in the order of their names, `depth` being that of each. kNotFound for a
/// missing folder, kInvalid with fewer than two classes.
Result<Dataset> ListSamples(const std::filesystem::path& folder, Depth depth);

/// How many pictures each class has.
std::vector<size_t> CountByClass(const std::vector<Sample>& samples, size_t classes);

}  // namespace fogline
