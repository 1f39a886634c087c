// What is gained by sharing a level's bytes out over the tensors of a cut: a network calibrated at
// one cut with and without, as a Markdown table.
//
//     allot_bench MODEL IMAGES PICTURES CUT
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <span>
#include <thread>

#include "base/log.h"
#include "codec/calibrate.h"
#include "vision/folder.h"
#include "vision/preprocess.h"

namespace fogline {
namespace {

struct Point {
  double bytes = 0, error = 0, agreement = 0;
};

Result<CalibrationSet> Read(const Network& network, const std::string& folder, size_t most) {
  FOGLINE_TRY(const auto files, ListImages(folder));
  CalibrationSet set;
  const size_t count = std::min(most, files.size());
  for (size_t i = 0; i < count; ++i) {
    FOGLINE_TRY(const Picture picture, LoadPicture(files[i * files.size() / count]));
    FitToInput(picture.image, network.card, set.pictures.emplace_back());
  }
  return set;
}

Result<std::vector<Point>> Levels(const Network& network, const CalibrationSet& set,
                                  const CalibrateOptions& options) {
  FOGLINE_TRY(const BundleContents contents, Calibrate(network, set, options));
  std::vector<Point> points;
  for (const CalibratedPair& pair : contents.pairs) {
    if (pair.codec[0] != 'q') continue;
    points.push_back({pair.bytes_mean, pair.relative_error, pair.agreement.value_or(0)});
  }
  return points;
}

/// Bytes at which these would do that error: straight lines between logarithms. None beyond them.
std::optional<double> BytesAt(const std::vector<Point>& points, double error) {
  for (size_t i = 1; i < points.size(); ++i) {
    const Point &coarse = points[i - 1], &fine = points[i];
    if (error > coarse.error || error < fine.error) continue;
    const double part = std::log(coarse.error / error) / std::log(coarse.error / fine.error);
    return coarse.bytes * std::pow(fine.bytes / coarse.bytes, part);
  }
  return std::nullopt;
}

Status Run(std::span<char*> words) {
  if (words.size() != 5) {
    return Fail(ErrorCode::kUsage, "allot_bench", "wants MODEL IMAGES PICTURES CUT");
  }
  SetLogLevel(LogLevel::kError);
  FOGLINE_TRY(const Network network, LoadNetwork(words[1]));
  FOGLINE_TRY(const CalibrationSet set,
              Read(network, words[2], std::strtoul(words[3], nullptr, 10)));
  CalibrateOptions options;
  options.threads = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  FOGLINE_TRY(options.cuts.emplace_back(), FindCut(network.model, words[4]));
  FOGLINE_TRY(const auto allotted, Levels(network, set, options));
  options.allot = false;
  FOGLINE_TRY(const auto alike, Levels(network, set, options));
  fmt::print("{}, {} tensors at cut {}, {} pictures\n\n", network.path.filename().string(),
             options.cuts[0].tensors.size(), words[4], set.pictures.size());
  fmt::print(
      "| level | allotted: bytes, error, agrees | alike: bytes, error, agrees | bytes saved "
      "at equal error |\n|---|---|---|---:|\n");
  for (size_t i = 0; i < std::min(allotted.size(), alike.size()); ++i) {
    const Point &a = allotted[i], &b = alike[i];
    const auto same = BytesAt(alike, a.error);
    fmt::print("| `q{}` | {:.0f}, {:.2f} %, {:.1f} % | {:.0f}, {:.2f} %, {:.1f} % | {} |\n",
               options.levels[i], a.bytes, 100 * a.error, 100 * a.agreement, b.bytes, 100 * b.error,
               100 * b.agreement, same ? fmt::format("{:.1f} %", 100 * (1 - a.bytes / *same)) : "");
  }
  return {};
}

}  // namespace
}  // namespace fogline

int main(int count, char** words) {
  const fogline::Status status = fogline::Run(std::span(words, static_cast<size_t>(count)));
  if (!status) fmt::print(stderr, "allot_bench: {}\n", status.error().ToString());
  return status ? 0 : 1;
}
