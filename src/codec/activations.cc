#include "codec/activations.h"

#include <algorithm>
#include <cstring>

#include "base/log.h"
#include "base/parallel.h"

namespace fogline {
namespace {

/// In memory of its own, so that the engine's arena does not grow with what is kept.
bool SameBits(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  return std::ranges::equal(a, b, [](const Tensor& x, const Tensor& y) {
    return x.dtype() == y.dtype() && x.shape() == y.shape() &&
           std::ranges::equal(x.bytes(), y.bytes());
  });
}

/// True when `cut` has all layers of `earlier` on its edge, and more.
bool LiesBehind(const Cut& cut, const Cut& earlier) {
  if (earlier.is_cloud_only() || earlier.edge_nodes >= cut.edge_nodes) return false;
  for (size_t n = 0; n < cut.edge.size(); ++n) {
    if (earlier.edge[n] && !cut.edge[n]) return false;
  }
  return true;
}

}  // namespace

Result<Activations> Activations::Make(Calibration& all, const Cut& cut,
                                      const Activations* earlier) {
  Activations made(all, cut);
  FOGLINE_TRY(made.before_, Segment::Before(all.model(), cut));
  made.kept_.resize(all.pictures());
  made.whole_ = cut.bytes * static_cast<int64_t>(all.pictures()) <= all.options().kept_bytes;
  if (!made.whole_) return made;
  std::optional<Segment> step;
  if (earlier != nullptr && earlier->whole() && LiesBehind(cut, earlier->cut())) {
    if (auto between = Segment::Between(all.model(), earlier->cut(), cut)) {
      step = *std::move(between);
    }
  }
  for (const size_t i : {size_t{0}, all.pictures() - 1}) {
    if (!step) break;
    FOGLINE_TRY(const auto straight, made.FromPicture(i));
    const auto by_steps = step->Run(earlier->kept_[i]);
    if (by_steps && SameBits(straight, *by_steps)) continue;
    LogDebug("cut {}: made from cut {}, its tensors would be rounded otherwise", cut.name,
             earlier->cut().name);
    step.reset();
  }
  std::vector<size_t> everyone(all.pictures());
  for (size_t i = 0; i < everyone.size(); ++i) everyone[i] = i;
  FOGLINE_CHECK(made.Keep(everyone, [&](size_t i) -> Result<std::vector<Tensor>> {
    return step ? step->Run(earlier->kept_[i]) : made.FromPicture(i);
  }));
  return made;
}

/// How many pictures' tensors are kept at a time; one a thread at least.
size_t Activations::most() const {
  return static_cast<size_t>(std::max<int64_t>(
      all_->options().threads, all_->options().kept_bytes / std::max<int64_t>(1, cut_->bytes)));
}

Status Activations::InParts(std::span<const size_t> pictures,
                            const std::function<Status(std::span<const size_t> part)>& work) {
  if (whole_) return work(pictures);
  while (!pictures.empty()) {
    const auto part = pictures.first(std::min(most(), pictures.size()));
    FOGLINE_CHECK(Keep(part));
    FOGLINE_CHECK(work(part));
    pictures = pictures.subspan(part.size());
  }
  return {};
}

Status Activations::Keep(std::span<const size_t> pictures) {
  if (whole_) return {};
  return Keep(pictures.first(std::min(most(), pictures.size())),
              [this](size_t i) { return FromPicture(i); });
}

Status Activations::Keep(std::span<const size_t> pictures,
                         const std::function<Result<std::vector<Tensor>>(size_t picture)>& make) {
  for (size_t i = 0; i < kept_.size(); ++i) {
    if (std::ranges::find(pictures, i) == pictures.end()) kept_[i].clear();
  }
  return ParallelFor(pictures.size(), all_->options().threads, [&](size_t i, int) -> Status {
    std::vector<Tensor>& kept = kept_[pictures[i]];
    if (!kept.empty()) return {};
    FOGLINE_TRY(const auto tensors, make(pictures[i]));
    for (const Tensor& tensor : tensors) kept.push_back(tensor.Copy());
    return {};
  });
}

Result<std::vector<Tensor>> Activations::Of(size_t picture) const {
  if (!kept_[picture].empty()) return kept_[picture];
  return FromPicture(picture);
}

Result<std::vector<Tensor>> Activations::FromPicture(size_t picture) const {
  const Tensor input = all_->InputOf(all_->picture(picture));
  return before_->Run({&input, 1});
}

}  // namespace fogline
