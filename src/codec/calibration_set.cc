#include "codec/calibration_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "base/file.h"
#include "base/log.h"
#include "base/parallel.h"
#include "base/text.h"
#include "vision/class_name.h"
#include "vision/folder.h"
#include "vision/picture_names.h"
#include "vision/preprocess.h"

namespace fogline {
namespace {

namespace fs = std::filesystem;

/// One line of a labels file.
struct LabelLine {
  std::string where;  // "labels.tsv:7"
  std::string file, label;
};

Result<std::vector<LabelLine>> ReadLines(const fs::path& path) {
  FOGLINE_TRY(const std::string text, ReadTextFile(path));
  std::vector<LabelLine> lines;
  size_t number = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line(text.data() + at, end - at);
    at = end + 1;
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.starts_with('#')) continue;
    const std::string where = fmt::format("{}:{}", path.string(), number);
    const size_t tab = line.find('\t');
    if (tab == std::string_view::npos) {
      return Fail(ErrorCode::kInvalid, where, "is no line of file, tab, class");
    }
    const std::string_view label = line.substr(tab + 1);
    lines.push_back(
        {where, std::string(line.substr(0, tab)), std::string(label.substr(0, label.find('\t')))});
  }
  return lines;
}

/// Classes of pictures, by their places among the files.
Result<std::map<size_t, int>> ReadLabels(const fs::path& path, const fs::path& images,
                                         const std::vector<fs::path>& files,
                                         const Network& network) {
  const ModelCard& card = network.card;
  const size_t classes = network.contract.classes();
  if (classes < 2) {
    return Fail(ErrorCode::kUnsupported, network.path.string(),
                "tells no classes apart, so that --labels cannot say how often it is right");
  }
  FOGLINE_TRY(const std::vector<LabelLine> lines, ReadLines(path));
  const PictureNames names(images, files);
  std::map<size_t, int> labels;
  std::optional<std::string> lost;  // the first label without a picture
  size_t without = 0;
  for (const LabelLine& line : lines) {
    auto known = ClassLabelled(line.label, card);
    if (!known) known = ClassNumbered(line.label, classes);
    const std::vector<size_t> meant = names.Find(line.file);
    if (!known && meant.empty() && &line == &lines.front() &&
        !fs::path(line.file).has_extension()) {
      continue;  // a header
    }
    if (!known) {
      return Fail(ErrorCode::kInvalid, line.where,
                  "'{}' is no class of {} (a label of its card, or a number from 0 to {}){}",
                  line.label, network.path.string(), classes - 1,
                  DidYouMean(line.label, card.labels));
    }
    if (meant.size() > 1) {
      return Fail(ErrorCode::kInvalid, line.where,
                  "'{}' may mean {} or {}: name it with its sub-folder", line.file,
                  files[meant[0]].string(), files[meant[1]].string());
    }
    if (meant.empty()) {
      ++without;
      if (!lost) lost = line.file;
      continue;
    }
    const auto [before, fresh] = labels.try_emplace(meant.front(), *known);
    if (!fresh && before->second != *known) {
      return Fail(ErrorCode::kInvalid, line.where, "gives {} a second class: {} after {}",
                  line.file, card.LabelOf(*known), card.LabelOf(before->second));
    }
  }
  if (labels.empty()) {
    return Fail(ErrorCode::kInvalid, path.string(), "labels none of the {} pictures{}",
                files.size(), lost ? ": the first name in it is " + *lost : "");
  }
  if (without > 0) {
    LogWarning("{}: {} label{} no picture of the folder, the first is of {}", path.string(),
               without, without == 1 ? " is of" : "s are of", *lost);
  }
  if (labels.size() < files.size()) {
    LogInfo("{}: {} of {} pictures have no label; accuracy is that of the others", path.string(),
            files.size() - labels.size(), files.size());
  }
  return labels;
}

}  // namespace

Result<CalibrationSet> ReadCalibrationSet(const fs::path& images, Depth depth,
                                          const fs::path& labels, size_t most,
                                          const Network& network, int threads) {
  const ModelCard& card = network.card;
  FOGLINE_TRY(const std::vector<fs::path> all, ListImages(images, depth));
  std::map<size_t, int> classes;
  if (!labels.empty()) {
    FOGLINE_TRY(classes, ReadLabels(labels, images, all, network));
  }
  // Evenly, since names often sort by class.
  std::vector<size_t> chosen(most > 0 ? std::min(most, all.size()) : all.size());
  for (size_t i = 0; i < chosen.size(); ++i) chosen[i] = i * all.size() / chosen.size();
  std::vector<fs::path> files;
  files.reserve(chosen.size());
  for (const size_t i : chosen) files.push_back(all[i]);
  std::vector<Image> read(files.size());
  std::vector<std::string> reasons(files.size());
  FOGLINE_CHECK(ParallelFor(files.size(), threads, [&](size_t i, int) -> Status {
    const auto picture = LoadPicture(files[i], DecodeAtLeast(card));
    if (picture) {
      FitToInput(picture->image, card, read[i]);
    } else {
      reasons[i] = picture.error().ToString();
    }
    return {};
  }));
  CalibrationSet set;
  std::vector<Skipped> skipped;
  for (size_t i = 0; i < files.size(); ++i) {
    if (!reasons[i].empty()) {
      skipped.push_back({files[i], reasons[i]});
      continue;
    }
    set.pictures.push_back(std::move(read[i]));
    if (labels.empty()) continue;
    const auto found = classes.find(chosen[i]);
    set.labels.push_back(found == classes.end() ? -1 : found->second);
  }
  if (set.pictures.empty()) {
    return Fail(ErrorCode::kInvalid, images.string(),
                "none of its {} pictures can be read; the first: {}", files.size(),
                skipped.front().reason);
  }
  LogSkipped(skipped);
  if (!skipped.empty()) {
    LogWarning("calibrating on {} of {} pictures", set.pictures.size(), files.size());
  }
  return set;
}

}  // namespace fogline
