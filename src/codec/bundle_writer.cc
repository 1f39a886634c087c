#include "codec/bundle_writer.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/json.h"
#include "codec/bundle_format.h"

namespace fogline {

std::string PairsJson(const std::string& model, int images,
                      const std::vector<CalibratedPair>& pairs) {
  const auto known = [](const std::optional<double>& value) {
    return value ? Json(*value) : Json(nullptr);
  };
  Json info{{"images", images}, {"model", model}};
  auto& rows = info["pairs"] = Json::array();
  for (const CalibratedPair& pair : pairs) {
    rows.push_back({{"cut", pair.cut},
                    {"cut_id", fmt::format("{:016x}", pair.cut_id)},
                    {"tensors", pair.cut_name},
                    {"codec", pair.codec},
                    {"bytes_mean", pair.bytes_mean},
                    {"bytes_p95", pair.bytes_p95},
                    {"agreement", known(pair.agreement)},
                    {"top1_agreement", known(pair.top1_agreement)},
                    {"top1_accuracy", known(pair.top1_accuracy)},
                    {"relative_error", pair.relative_error},
                    {"metric", known(pair.user_metric)}});
  }
  return Dump(info);
}

std::vector<std::byte> WriteBundle(const BundleContents& contents) {
  std::vector<std::byte> out, section;
  ByteWriter writer(out);
  writer.Append(kBundleMagic);
  writer.Write(kBundleVersion);
  writer.Write(uint16_t{0});
  writer.Append(std::as_bytes(std::span(contents.model_hash)));
  const auto add = [&](BundleSection type, std::span<const std::byte> bytes) {
    writer.Write(static_cast<uint32_t>(type));
    writer.Write(static_cast<uint32_t>(bytes.size()));
    writer.Append(bytes);
  };
  const std::string info = PairsJson(contents.model, contents.images, contents.pairs);
  add(BundleSection::kInfo, std::as_bytes(std::span(info.data(), info.size())));
  for (const QuantParams& params : contents.tensors) {
    section.clear();
    Write(params, section);
    add(BundleSection::kTensor, section);
  }
  const Sha256 hash = HashSha256(out);
  writer.Append(std::as_bytes(std::span(hash)));
  return out;
}

}  // namespace fogline
