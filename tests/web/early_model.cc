#include "early_model.h"

#include <fmt/format.h>

#include <span>

#include "base/file.h"
#include "base/hash.h"
#include "graph/append_head.h"
#include "graph/cut.h"
#include "vision/network.h"

namespace fogline {

Status WriteEarlyModel(const std::filesystem::path& folder) {
  const std::filesystem::path models = FOGLINE_SOURCE_DIR "/models";
  FOGLINE_TRY(const Network plain, ReadNetwork(models / "litter.onnx"));
  FOGLINE_TRY(const Cut cut, FindCut(plain.model, "split3"));
  FOGLINE_TRY(const FeaturePoint point, FeaturesAt(plain.model, cut.tensors[0].name));
  const std::vector<float> weights(static_cast<size_t>(2 * point.width), 0.01F);
  const std::vector<ExitHead> exits{{point, LinearHead{2, point.width, weights, {0, 1}}}};
  FOGLINE_TRY(const auto written, AppendExits(plain.model, exits));
  FOGLINE_TRY(std::string card, ReadTextFile(models / "litter.toml"));
  card += fmt::format(
      "\n[[exit]]\nat = \"{}\"\nhead = \"{}\"\nnetwork = \"{}\"\npictures = 100000\n"
      "thresholds = [0.9, 0.5]\nsure = [60000, 90000]\ndiffer = [100, 5000]\n",
      point.tensor, written.outputs[0], ToHex(HashSha256(std::as_bytes(std::span(written.bytes)))));
  FOGLINE_CHECK(WriteFile(folder / "early.toml", card));
  return WriteFile(folder / "early.onnx", written.bytes);
}

}  // namespace fogline
