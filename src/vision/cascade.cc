#include "vision/cascade.h"

#include <cmath>

#include "base/file.h"
#include "base/hash.h"
#include "base/paths.h"
#include "base/text.h"
#include "base/toml.h"
#include "vision/card_exits.h"
#include "vision/card_reader.h"
#include "vision/contract.h"
#include "vision/floats.h"

namespace fogline {
namespace {

constexpr double kCascadeVersion = 1;

bool IsHash(const std::string& text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

/// The first 8 bytes of a hash in hex as a little-endian number.
uint64_t FirstBytes(const std::string& hex) {
  uint64_t id = 0;
  for (size_t byte = 8; byte-- > 0;)
    id = id << 8 | std::stoul(hex.substr(2 * byte, 2), nullptr, 16);
  return id;
}

Result<Cascade> ParseCascade(const std::string& text, const std::filesystem::path& file) {
  FOGLINE_TRY(const Toml root, Toml::Parse(text, file.string()));
  Status status;
  CardReader reader(root, "", file.string(), status);
  reader.Known({"version", "little", "little_network", "network", "temperature", "measured_on",
                "pictures", "thresholds", "sure", "differ"});
  double version = 0;
  reader.Number("version", 1, 1e6, version);
  if (status && version != kCascadeVersion) {
    return Fail(ErrorCode::kUnsupported, file.string(),
                "is a cascade of version {}, this build reads {}", version, kCascadeVersion);
  }
  Cascade cascade;
  std::string little;
  reader.Text("little", little);
  reader.Text("little_network", cascade.little_network);
  reader.Text("network", cascade.gate.network);
  reader.Text("measured_on", cascade.gate.measured_on);
  reader.Number("temperature", 0.01, 100, cascade.temperature);
  ReadCounted(reader, cascade.gate);
  if (status && (!IsHash(cascade.little_network) || !IsHash(cascade.gate.network))) {
    reader.Wrong("little_network", "a SHA-256 as 'network' is, 64 digits of 0…9 and a…f");
  }
  // A file of the same folder: what lies elsewhere, nobody put beside this network.
  if (status && (little.empty() || std::filesystem::path(little).filename() != little)) {
    reader.Wrong("little", "the name of an ONNX file beside this one");
  }
  FOGLINE_CHECK(std::move(status));
  cascade.id = FirstBytes(cascade.little_network);
  cascade.little = file.parent_path() / little;
  cascade.gate.at = cascade.little.stem().string();
  return cascade;
}

}  // namespace

Result<std::optional<Cascade>> FindCascade(const Network& big) {
  std::filesystem::path file = big.path;
  if (!Exists(file.replace_extension(".cascade"))) return std::nullopt;
  FOGLINE_TRY(const std::string text, ReadTextFile(file));
  FOGLINE_TRY(Cascade cascade, ParseCascade(text, file));
  const std::string own = ToHex(big.model.hash());
  if (cascade.gate.network != own) {
    return Fail(ErrorCode::kConflict, file.string(), "was measured against model {}, this is {}",
                cascade.gate.network.substr(0, 12), own.substr(0, 12));
  }
  return cascade;
}

Result<Network> LoadLittle(const Cascade& cascade, const Network& big) {
  FOGLINE_TRY(Network little, LoadNetwork(cascade.little));
  const std::string own = ToHex(little.model.hash());
  if (own != cascade.little_network) {
    return Fail(ErrorCode::kConflict, cascade.little.string(),
                "is model {}, the cascade was measured with {}", own.substr(0, 12),
                cascade.little_network.substr(0, 12));
  }
  FOGLINE_CHECK(CheckPair(little, big));
  return little;
}

Status CheckPair(const Network& little, const Network& big) {
  for (const Network* one : {&little, &big}) {
    if (one->contract.classes() >= 2 && IsClasses(one->card.kind)) continue;
    return Fail(ErrorCode::kUnsupported, one->path.string(),
                "is no classifier: a cascade is of two networks that give a class a picture");
  }
  const bool named = !little.card.labels.empty() && !big.card.labels.empty();
  if (little.contract.classes() == big.contract.classes() &&
      (!named || little.card.labels == big.card.labels)) {
    return {};
  }
  return Fail(ErrorCode::kConflict, little.path.string(),
              "does not tell the classes of {} in their order: a cascade is of two networks that "
              "tell the same",
              big.path.string());
}

std::string CascadeText(const Cascade& cascade) {
  return fmt::format(
      "# Written by fogline cascade (docs/exits.md): a little network that answers first.\n"
      "version = {}\nlittle = {}\nlittle_network = {}\nnetwork = {}\ntemperature = {:#}\n"
      "measured_on = {}\n{}",
      static_cast<int>(kCascadeVersion), JsonQuote(cascade.little.filename().string()),
      JsonQuote(cascade.little_network), JsonQuote(cascade.gate.network), cascade.temperature,
      JsonQuote(cascade.gate.measured_on), CountedText(cascade.gate));
}

Result<ExitVerdict> JudgeLittle(const TensorView& output, const ModelCard& little,
                                const ModelCard& big, double temperature) {
  std::vector<float> room;
  auto values = AsFloats(output, room);
  if (output.shape.rank() > 1)
    values = values.first(values.size() / static_cast<size_t>(little.batch));
  constexpr float kSmallest = 1e-12F;  // of a probability
  const bool probabilities = little.kind == ModelCard::Kind::kProbabilities;
  std::vector<float> logits;
  for (const float value : values) {
    const float logit = probabilities ? std::log(std::max(value, kSmallest)) : value;
    logits.push_back(logit / static_cast<float>(temperature));
  }
  const TensorView row{DType::kF32, Shape{static_cast<int64_t>(logits.size())},
                       std::as_bytes(std::span(std::as_const(logits)))};
  return JudgeExit(row, big);
}

}  // namespace fogline
