#include "learn/dataset.h"

namespace fogline {

Result<Dataset> ListSamples(const std::filesystem::path& folder, Depth depth) {
  FOGLINE_TRY(auto classes, ListImageClasses(folder, depth));
  Dataset data;
  for (ImageClass& c : classes) {
    const int label = static_cast<int>(data.labels.size());
    data.labels.push_back(std::move(c.label));
    for (auto& file : c.files) data.samples.push_back({std::move(file), label});
  }
  return data;
}

std::vector<size_t> CountByClass(const std::vector<Sample>& samples, size_t classes) {
  std::vector<size_t> counts(classes);
  for (const Sample& sample : samples) ++counts[static_cast<size_t>(sample.label)];
  return counts;
}

}  // namespace fogline
