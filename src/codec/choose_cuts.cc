#include "codec/choose_cuts.h"

#include <algorithm>
#include <limits>
#include <string_view>

namespace fogline {
namespace {

/// What a stretch of layers does that is no reason to have a cut at either end: of all
/// multiply-adds.
constexpr double kNoWork = 0.01;

/// The cuts worth calibrating. A cut that sends more than one before it has nothing to offer; nor
/// has a dominated one (Cut::dominated) from which next to no work leads to another one that sends
/// as much, or to which next to none leads from the input: activations, transpositions, slices.
void KeepUseful(const Model& model, std::vector<Cut>& cuts) {
  int64_t least = std::numeric_limits<int64_t>::max();
  std::erase_if(cuts, [&](const Cut& cut) {
    least = std::min(least, cut.bytes);
    return cut.bytes > least;
  });
  const double most = kNoWork * static_cast<double>(model.madds());
  const auto alike = [&](const Cut& a, const Cut& b) {
    return a.bytes == b.bytes && static_cast<double>(b.edge_madds - a.edge_madds) < most;
  };
  std::vector<Cut> useful;
  for (size_t c = 0; c < cuts.size(); ++c) {
    const bool replaced = (c + 1 < cuts.size() && alike(cuts[c], cuts[c + 1])) ||
                          (c > 0 && alike(cuts.front(), cuts[c]));
    if (!replaced || !cuts[c].dominated || !cuts[c].alias.empty()) useful.push_back(cuts[c]);
  }
  cuts = std::move(useful);
}

/// Whether a text that names no cut is several of them, commas between.
bool AreCuts(const Model& model, std::string_view text) {
  if (text.find(',') == text.npos) return false;
  while (!text.empty()) {
    const size_t end = std::min(text.find(','), text.size());
    if (!FindCut(model, std::string(text.substr(0, end)))) return false;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return true;
}

}  // namespace

Result<std::vector<Cut>> ChooseCuts(const Model& model, const std::vector<std::string>& specs) {
  FOGLINE_TRY(std::vector<Cut> listed, ListCuts(model));
  if (specs.empty()) {
    KeepUseful(model, listed);
    return listed;
  }
  if (specs == std::vector<std::string>{"all"}) return listed;
  std::vector<Cut> chosen;
  for (const std::string& spec : specs) {
    Result<Cut> cut = FindCut(model, spec);
    if (!cut && AreCuts(model, spec)) {
      return Fail(ErrorCode::kUsage, "--cuts " + spec,
                  "is no cut at which these cross together; several cuts are given by ';' between "
                  "them, or by --cuts once more");
    }
    if (!cut) return Forward(std::move(cut));
    const auto same = [&](const Cut& other) { return other.id == cut->id; };
    if (std::ranges::none_of(chosen, same)) chosen.push_back(*std::move(cut));
  }
  return chosen;
}

}  // namespace fogline
