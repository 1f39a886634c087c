#include "learn/features.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/parallel.h"
#include "learn/augment.h"
#include "vision/floats.h"
#include "vision/folder.h"
#include "vision/preprocess.h"

namespace fogline {
namespace {

Status ExtractOne(Session& session, const ModelCard& card, const Picture& picture,
                  const Variation& variation, size_t output, std::span<float> row) {
  thread_local Image fitted;
  FitVaried(picture.image, card, variation, fitted);
  Tensor input(card.dtype, card.input_shape());
  Normalise(fitted, card, input);
  const TensorView view = input.view();
  FOGLINE_TRY(const std::vector<Tensor> outputs, session.Run({&view, 1}));
  const Tensor& given = outputs.at(output);
  std::vector<float> room;
  auto values = AsFloats(given.view(), room);
  // Of a network of several pictures at once the first row is this one's.
  if (values.size() == row.size() * static_cast<size_t>(card.batch)) {
    values = values.first(row.size());
  }
  if (values.size() != row.size()) {
    return Fail(ErrorCode::kInvalid, session.outputs()[output].name,
                "is {} {}, not {} values a picture", DTypeName(given.dtype()),
                given.shape().ToString(), row.size());
  }
  if (!std::ranges::all_of(values, [](float v) { return std::isfinite(v); })) {
    return Fail(ErrorCode::kInvalid, session.outputs()[output].name,
                "holds values that are not finite numbers");
  }
  std::ranges::copy(values, row.begin());
  return {};
}

}  // namespace

Result<FeatureTable> ExtractFeatures(Session& session, size_t width, const ModelCard& card,
                                     const std::vector<Sample>& samples,
                                     const ExtractOptions& options,
                                     const std::function<void()>& advance) {
  FeatureTable table;
  table.width = width;
  table.copies = 1 + static_cast<size_t>(std::max(0, options.augment));
  const size_t stride = table.copies * width;
  table.values.resize(samples.size() * stride);
  std::vector<std::optional<std::string>> unreadable(samples.size());
  std::vector<Status> failed(samples.size());
  ParallelFor(
      samples.size(), options.threads,
      [&](size_t i) {
        const auto picture = LoadPicture(samples[i].file, DecodeAtLeast(card));
        if (!picture) {
          unreadable[i] = picture.error().message;
          return;
        }
        for (size_t copy = 0; copy < table.copies && failed[i]; ++copy) {
          const auto row = std::span(table.values).subspan(i * stride + copy * width, width);
          failed[i] = ExtractOne(session, card, *picture, {options.seed, i, static_cast<int>(copy)},
                                 options.output, row);
        }
      },
      [&](size_t) { advance(); });

  size_t kept = 0;
  for (size_t i = 0; i < samples.size(); ++i) {
    if (unreadable[i]) {
      table.skipped.push_back({samples[i].file, *unreadable[i]});
      continue;
    }
    if (!failed[i]) {
      return Fail(failed[i].error().code, samples[i].file.string(), "{}",
                  failed[i].error().ToString());
    }
    if (kept != i) {
      std::copy_n(table.values.begin() + static_cast<std::ptrdiff_t>(i * stride), stride,
                  table.values.begin() + static_cast<std::ptrdiff_t>(kept * stride));
    }
    table.samples.push_back(samples[i]);
    ++kept;
  }
  table.values.resize(kept * stride);
  return table;
}

}  // namespace fogline
