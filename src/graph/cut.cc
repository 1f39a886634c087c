#include "graph/cut.h"

#include <algorithm>
#include <mutex>
#include <tuple>

#include "graph/cut_space.h"
#include "graph/downsets.h"
#include "graph/model_data.h"

namespace fogline {
namespace {

/// Cuts that `all` lists of one stretch at most.
constexpr size_t kMostOfAll = 100'000;

int64_t BytesOf(const Model& model, const std::vector<int>& tensors) {
  int64_t bytes = 0;
  for (const int id : tensors) bytes += model.activations()[id].bytes();
  return bytes;
}

/// Layers that read nothing but constants.
std::vector<size_t> Sources(const Model& model) {
  std::vector<size_t> sources;
  for (size_t i = 0; i < model.nodes().size(); ++i) {
    if (model.nodes()[i].inputs.empty()) sources.push_back(i);
  }
  return sources;
}

/// One cut on its way into the list.
struct Candidate {
  std::vector<bool> edge;
  std::vector<int> tensors;
  int edge_nodes = 0;
  int64_t bytes = 0;
  int64_t least_below = INT64_MAX;  // fewest bytes among cuts with a strict subset on the edge
  int64_t least_above = INT64_MAX;
  bool single = false;
  bool can_cross = true;
  bool dominated() const { return least_below <= bytes && least_above <= bytes; }
};

/// Finds the cuts of a model, stretch by stretch between its fences: edge sides that every cut is
/// comparable with. Nothing in the cloud runs without something from the edge, so any other
/// division has all of their layers on its edge, or none besides them.
class CutLister {
 public:
  CutLister(const Model& model, const CutOptions& options)
      : model_(model), options_(options), count_(model.nodes().size()) {}

  Result<std::vector<Cut>> List() {
    std::vector<SingleCut> fences, loose;  // single-tensor cuts; loose ones are no fences
    fences.push_back({-1, std::vector<bool>(count_, false), 0});
    const std::vector<size_t> sources = Sources(model_);
    for (SingleCut& single : SingleCuts(model_)) {
      const bool holds =
          std::ranges::all_of(sources, [&](size_t i) { return bool{single.edge[i]}; });
      (holds ? fences : loose).push_back(std::move(single));
    }
    fences.push_back({-1, std::vector<bool>(count_, true), static_cast<int>(count_)});

    for (size_t f = 0; f + 1 < fences.size(); ++f) {
      FOGLINE_CHECK(AddStretch(fences[f], fences[f + 1]));
    }
    starts_.push_back(AddSingle(fences.back()));
    candidates_.back().least_below = below_;
    if (swept_) {
      for (const SingleCut& single : loose) {
        const auto same = [&](const Candidate& c) { return c.edge == single.edge; };
        if (std::ranges::none_of(candidates_, same)) AddSingle(single);
      }
    }
    LookAtLaterStretches();
    return Describe();
  }

 private:
  size_t Add(std::vector<bool> edge, std::vector<int> tensors) {
    Candidate c;
    c.tensors = std::move(tensors);
    c.edge_nodes = static_cast<int>(std::ranges::count(edge, true));
    c.bytes = BytesOf(model_, c.tensors);
    c.can_cross = CanCross(model_, c.tensors) && !CutsIntegerLayer(model_, c.tensors);
    c.single = c.tensors.size() == 1 || IsEnd(c);
    c.edge = std::move(edge);
    candidates_.push_back(std::move(c));
    return candidates_.size() - 1;
  }

  size_t AddSingle(const SingleCut& single) {
    std::vector<int> tensors =
        single.activation < 0 ? Crossing(model_, single.edge) : std::vector{single.activation};
    return Add(single.edge, std::move(tensors));
  }

  bool IsEnd(const Candidate& c) const {
    return c.edge_nodes == 0 || c.edge_nodes == static_cast<int>(count_);
  }

  int64_t UsableBytes(size_t candidate) const {
    const Candidate& c = candidates_[candidate];
    return c.can_cross ? c.bytes : INT64_MAX;
  }

  /// Adds the fence at its begin and all cuts before the next one.
  Status AddStretch(const SingleCut& from, const SingleCut& to) {
    const size_t fence = AddSingle(from);
    starts_.push_back(fence);
    candidates_[fence].least_below = below_;
    Downsets stretch = DownsetsBetween(model_, from.edge, to.edge,
                                       options_.all ? kMostOfAll : options_.most_per_stretch);
    swept_ |= stretch.swept;
    if (swept_ && options_.all) {
      return Fail(ErrorCode::kExhausted, model_.where(),
                  "has more than {} cuts between two of its single-tensor cuts: too many to list "
                  "them all",
                  kMostOfAll);
    }
    // stretch.sets[0] is the fence itself; its last the next fence, which the next round adds.
    for (size_t i = 1; i + 1 < stretch.sets.size(); ++i) {
      std::vector<int> tensors = Crossing(model_, stretch.sets[i]);
      Add(std::move(stretch.sets[i]), std::move(tensors));
    }
    CompareWithin(fence, stretch);
    return {};
  }

  /// The fewest bytes below and above each cut of one stretch; its sets[i] is candidate fence + i.
  void CompareWithin(size_t fence, const Downsets& stretch) {
    const size_t sets = stretch.sets.size();
    std::vector<int64_t> least(sets, INT64_MAX);
    least[0] = std::min(below_, UsableBytes(fence));
    int64_t here = least[0];
    for (size_t i = 1; i + 1 < sets; ++i) {
      int64_t under = INT64_MAX;
      for (const int sub : stretch.below[i]) under = std::min(under, least[sub]);
      candidates_[fence + i].least_below = under;
      least[i] = std::min(under, UsableBytes(fence + i));
      here = std::min(here, least[i]);
    }
    // The same upwards; what lies past the stretch is added later.
    std::vector<int64_t> above(sets, INT64_MAX);
    for (size_t i = sets - 1; i > 0; --i) {
      const bool last = i + 1 == sets;
      if (!last) candidates_[fence + i].least_above = above[i];
      const int64_t mine = last ? INT64_MAX : std::min(above[i], UsableBytes(fence + i));
      for (const int sub : stretch.below[i]) above[sub] = std::min(above[sub], mine);
    }
    candidates_[fence].least_above = above[0];
    below_ = here;
  }

  /// Supersets in later stretches.
  void LookAtLaterStretches() {
    int64_t later = INT64_MAX;
    for (size_t s = starts_.size(); s-- > 0;) {
      const size_t end = s + 1 < starts_.size() ? starts_[s + 1] : candidates_.size();
      int64_t here = later;
      for (size_t c = starts_[s]; c < end; ++c) {
        candidates_[c].least_above = std::min(candidates_[c].least_above, later);
        here = std::min(here, UsableBytes(c));
      }
      later = here;
    }
  }

  std::vector<Cut> Describe() {
    std::ranges::stable_sort(candidates_, [](const Candidate& a, const Candidate& b) {
      return std::tie(a.edge_nodes, a.tensors) < std::tie(b.edge_nodes, b.tensors);
    });
    std::vector<Cut> cuts;
    int index = 0;
    for (Candidate& c : candidates_) {
      const bool end = IsEnd(c);
      if (!c.can_cross && !end) continue;
      const bool listed = c.single || !c.dominated();
      if (!listed && !options_.all) continue;
      const bool dominated = !end && c.dominated();
      Cut cut = DescribeCut(model_, std::move(c.edge), std::move(c.tensors));
      cut.dominated = dominated;
      cut.index = listed ? index++ : -1;
      cuts.push_back(std::move(cut));
    }
    return cuts;
  }

  const Model& model_;
  const CutOptions& options_;
  const size_t count_;  // layers
  std::vector<Candidate> candidates_;
  std::vector<size_t> starts_;  // of each stretch; its first candidate is a fence
  int64_t below_ = INT64_MAX;   // fewest bytes of all cuts before the stretch at hand
  bool swept_ = false;
};

}  // namespace

Result<std::vector<Cut>> ListCuts(const Model& model, const CutOptions& options) {
  const CutOptions usual;
  if (options.all != usual.all || options.most_per_stretch != usual.most_per_stretch) {
    return CutLister(model, options).List();
  }
  return UsualCuts(model);
}

const std::vector<Cut>& UsualCuts(const Model& model) {
  const UsualList& kept = model.data().usual;
  // Fails for CutOptions::all only.
  std::call_once(kept.once, [&] { kept.cuts = CutLister(model, {}).List().value(); });
  return kept.cuts;
}

const char* NameOf(MechanismKind kind) {
  switch (kind) {
    case MechanismKind::kEdgeOnly:
      return "edge-only";
    case MechanismKind::kCloudOnly:
      return "cloud-only";
    case MechanismKind::kSplit:
      break;
  }
  return "split";
}

MechanismKind Cut::mechanism() const {
  if (edge_nodes == 0) return MechanismKind::kCloudOnly;
  return edge_nodes == static_cast<int>(edge.size()) ? MechanismKind::kEdgeOnly
                                                     : MechanismKind::kSplit;
}

std::optional<size_t> IndexOf(std::span<const Cut> cuts, MechanismKind kind) {
  const auto found = std::ranges::find(cuts, kind, &Cut::mechanism);
  if (found == cuts.end()) return std::nullopt;
  return static_cast<size_t>(found - cuts.begin());
}

}  // namespace fogline
