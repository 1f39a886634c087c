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

Result<std::vector<Cut>> MakeList(const Model& model, const CutOptions& options) {
  const size_t count = model.nodes().size();
  // Edge sides that every cut is comparable with: nothing in the cloud runs without something from
  // the edge, so any other division has all of their layers on its edge, or none besides them.
  std::vector<SingleCut> fences;
  const std::vector<bool> none(count, false), all(count, true);
  fences.push_back({-1, none, 0});
  std::vector<SingleCut> loose;  // single-tensor cuts that are no fences
  const std::vector<size_t> sources = Sources(model);
  for (SingleCut& single : SingleCuts(model)) {
    const bool holds = std::ranges::all_of(sources, [&](size_t i) { return bool{single.edge[i]}; });
    (holds ? fences : loose).push_back(std::move(single));
  }
  fences.push_back({-1, all, static_cast<int>(count)});

  std::vector<Candidate> candidates;
  std::vector<size_t> starts;  // of each stretch; its first candidate is a fence
  const auto add = [&](std::vector<bool> edge, std::vector<int> tensors) {
    Candidate c;
    c.tensors = std::move(tensors);
    c.edge_nodes = static_cast<int>(std::ranges::count(edge, true));
    c.bytes = BytesOf(model, c.tensors);
    c.can_cross = CanCross(model, c.tensors);
    c.single =
        c.tensors.size() == 1 || c.edge_nodes == 0 || c.edge_nodes == static_cast<int>(count);
    c.edge = std::move(edge);
    candidates.push_back(std::move(c));
    return candidates.size() - 1;
  };

  const auto add_single = [&](SingleCut& single) {
    std::vector<int> tensors =
        single.activation < 0 ? Crossing(model, single.edge) : std::vector{single.activation};
    return add(single.edge, std::move(tensors));
  };

  bool swept = false;
  int64_t below = INT64_MAX;  // fewest bytes of all cuts before the stretch at hand
  for (size_t f = 0; f + 1 < fences.size(); ++f) {
    const size_t fence = add_single(fences[f]);
    starts.push_back(fence);
    candidates[fence].least_below = below;
    Downsets stretch = DownsetsBetween(model, fences[f].edge, fences[f + 1].edge,
                                       options.all ? kMostOfAll : options.most_per_stretch);
    swept |= stretch.swept;
    if (swept && options.all) {
      return Fail(ErrorCode::kExhausted, model.where(),
                  "has more than {} cuts between two of its single-tensor cuts: too many to list "
                  "them all",
                  kMostOfAll);
    }
    // stretch.sets[0] is the fence itself; its last the next fence, which the next round adds.
    std::vector<int64_t> least(stretch.sets.size(), INT64_MAX);
    const auto usable = [&](size_t c) {
      return candidates[c].can_cross ? candidates[c].bytes : INT64_MAX;
    };
    least[0] = std::min(below, usable(fence));
    const size_t base = candidates.size() - 1;  // candidate of sets[i] is base + i
    for (size_t i = 1; i + 1 < stretch.sets.size(); ++i) {
      std::vector<int> tensors = Crossing(model, stretch.sets[i]);
      add(std::move(stretch.sets[i]), std::move(tensors));
    }
    int64_t here = least[0];
    for (size_t i = 1; i + 1 < stretch.sets.size(); ++i) {
      int64_t under = INT64_MAX;
      for (const int sub : stretch.below[i]) under = std::min(under, least[sub]);
      candidates[base + i].least_below = under;
      least[i] = std::min(under, usable(base + i));
      here = std::min(here, least[i]);
    }
    // The same upwards; what lies past the stretch is added below.
    std::vector<int64_t> above(stretch.sets.size(), INT64_MAX);
    for (size_t i = stretch.sets.size() - 1; i > 0; --i) {
      const bool last = i + 1 == stretch.sets.size();
      if (!last) candidates[base + i].least_above = above[i];
      const int64_t mine = last ? INT64_MAX : std::min(above[i], usable(base + i));
      for (const int sub : stretch.below[i]) above[sub] = std::min(above[sub], mine);
    }
    candidates[fence].least_above = above[0];
    below = here;
  }
  starts.push_back(add_single(fences.back()));
  candidates.back().least_below = below;
  if (swept) {
    for (SingleCut& single : loose) {
      const auto same = [&](const Candidate& c) { return c.edge == single.edge; };
      if (std::ranges::none_of(candidates, same)) add_single(single);
    }
  }

  // Supersets in later stretches.
  int64_t later = INT64_MAX;
  for (size_t s = starts.size(); s-- > 0;) {
    const size_t end = s + 1 < starts.size() ? starts[s + 1] : candidates.size();
    int64_t here = later;
    for (size_t c = starts[s]; c < end; ++c) {
      candidates[c].least_above = std::min(candidates[c].least_above, later);
      if (candidates[c].can_cross) here = std::min(here, candidates[c].bytes);
    }
    later = here;
  }

  std::vector<Cut> cuts;
  std::ranges::stable_sort(candidates, [](const Candidate& a, const Candidate& b) {
    return std::tie(a.edge_nodes, a.tensors) < std::tie(b.edge_nodes, b.tensors);
  });
  int index = 0;
  for (Candidate& c : candidates) {
    const bool end = c.edge_nodes == 0 || c.edge_nodes == static_cast<int>(count);
    if (!c.can_cross && !end) continue;
    const bool listed = c.single || !c.dominated();
    if (!listed && !options.all) continue;
    const bool dominated = !end && c.dominated();
    Cut cut = DescribeCut(model, std::move(c.edge), std::move(c.tensors));
    cut.dominated = dominated;
    cut.index = listed ? index++ : -1;
    cuts.push_back(std::move(cut));
  }
  return cuts;
}

}  // namespace

Result<std::vector<Cut>> ListCuts(const Model& model, const CutOptions& options) {
  const CutOptions usual;
  if (options.all != usual.all || options.most_per_stretch != usual.most_per_stretch) {
    return MakeList(model, options);
  }
  return UsualCuts(model);
}

const std::vector<Cut>& UsualCuts(const Model& model) {
  const UsualList& kept = model.data().usual;
  // Fails for CutOptions::all only.
  std::call_once(kept.once, [&] { kept.cuts = MakeList(model, {}).value(); });
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
