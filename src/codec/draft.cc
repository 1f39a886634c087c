#include "codec/draft.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/file.h"
#include "codec/calibration.h"
#include "engine/session.h"

namespace fogline {
namespace {

// The file: magic, key, how many cuts are done, then a bundle of what they brought.
constexpr std::string_view kMagic = "FOGD";
/// Raised whenever the same calibration would find something else.
constexpr uint32_t kMethod = 2;

}  // namespace

Sha256 DraftKey(const Network& network, const CalibrationSet& set, const CalibrateOptions& options,
                const std::string& metric) {
  std::vector<std::byte> text;
  ByteWriter writer(text);
  const auto add = [&](std::string_view part) {
    writer.Write(static_cast<uint64_t>(part.size()));
    writer.Append(part);
  };
  writer.Write(kMethod);
  writer.Append(std::as_bytes(std::span(network.model.hash())));
  add(EngineName());
  add(metric);
  writer.Write(static_cast<uint32_t>(network.card.kind));
  writer.Write(static_cast<uint64_t>(network.card.output_index));
  for (const FixedInput& input : network.contract.fixed) {
    add(input.tensor);
    for (const double value : input.values) writer.Write(value);
  }
  writer.Write(static_cast<uint64_t>(options.cuts.size()));
  for (const Cut& cut : options.cuts) {
    writer.Write(cut.id);
    writer.Write(static_cast<int64_t>(cut.bytes));  // of two input sizes of one model
  }
  for (const auto* list : {&options.levels, &options.qualities, &set.labels}) {
    writer.Write(static_cast<uint64_t>(list->size()));
    for (const int number : *list) writer.Write(static_cast<int32_t>(number));
  }
  for (const Image& picture : set.pictures) {
    const Tensor input = InputTensor(picture, network.card);
    const Sha256 hash = HashSha256(input.bytes());
    writer.Append(std::as_bytes(std::span(hash)));
  }
  return HashSha256(text);
}

Status SaveDraft(const std::filesystem::path& path, const Sha256& key, size_t cuts,
                 const BundleContents& found) {
  std::vector<std::byte> out;
  ByteWriter writer(out);
  writer.Append(kMagic);
  writer.Append(std::as_bytes(std::span(key)));
  writer.Write(static_cast<uint32_t>(cuts));
  writer.Append(WriteBundle(found));
  return WriteFile(path, out);
}

Result<Draft> LoadDraft(const std::filesystem::path& path, const Sha256& key) {
  FOGLINE_TRY(const std::vector<std::byte> bytes, ReadFile(path));
  ByteReader reader(bytes);
  const bool draft = reader.TakeText(kMagic.size()) == kMagic;
  const auto its_key = reader.Take(sizeof(Sha256));
  Draft found;
  found.cuts = reader.Read<uint32_t>();
  if (!draft || !reader.ok()) {
    return Fail(ErrorCode::kInvalid, path.string(), "is no unfinished calibration");
  }
  if (!std::ranges::equal(its_key, std::as_bytes(std::span(key)))) {
    return Fail(ErrorCode::kConflict, path.string(),
                "is of another calibration: the model, the pictures or the options differ");
  }
  FOGLINE_TRY(const Bundle bundle, Bundle::Parse(reader.Take(reader.remaining()), path.string()));
  found.found.pairs = bundle.pairs();
  for (const auto& params : bundle.tensors()) found.found.tensors.push_back(*params);
  return found;
}

}  // namespace fogline
