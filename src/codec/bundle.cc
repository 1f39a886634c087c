#include "codec/bundle.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/file.h"
#include "base/json.h"
#include "codec/bundle_format.h"
#include "codec/quant_params.h"

namespace fogline {
namespace {

/// A number under `key`, or `otherwise` where there is none.
std::optional<double> Number(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

std::string Text(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() || !found->is_string() ? "" : found->get<std::string>();
}

Result<std::vector<CalibratedPair>> ReadPairs(const Json& info, const std::string& where) {
  std::vector<CalibratedPair> pairs;
  const auto list = info.find("pairs");
  if (list == info.end() || !list->is_array()) return pairs;
  for (const Json& row : *list) {
    if (!row.is_object()) return Fail(ErrorCode::kInvalid, where, "has a pair that is no object");
    CalibratedPair pair;
    pair.cut = static_cast<int>(std::clamp(Number(row, "cut").value_or(-1), -1.0, 1e6));
    const std::string id = Text(row, "cut_id");
    pair.cut_id = std::strtoull(id.c_str(), nullptr, 16);
    pair.cut_name = Text(row, "tensors");
    pair.codec = Text(row, "codec");
    pair.bytes_mean = Number(row, "bytes_mean").value_or(0);
    pair.bytes_p95 = Number(row, "bytes_p95").value_or(0);
    pair.top1_agreement = Number(row, "top1_agreement");
    pair.agreement = Number(row, "agreement");
    if (!pair.agreement) pair.agreement = pair.top1_agreement;
    pair.top1_accuracy = Number(row, "top1_accuracy");
    pair.relative_error = Number(row, "relative_error").value_or(0);
    pair.user_metric = Number(row, "metric");
    pairs.push_back(std::move(pair));
  }
  return pairs;
}

}  // namespace

Result<Bundle> Bundle::Load(const std::filesystem::path& path) {
  FOGLINE_TRY(const MappedFile file, MappedFile::Open(path));
  return Parse(file.bytes(), path.string());
}

Result<Bundle> Bundle::Parse(std::span<const std::byte> bytes, const std::string& where) {
  Bundle bundle;
  if (bytes.size() < kBundleHeaderBytes + sizeof(Sha256)) {
    return Fail(ErrorCode::kInvalid, where, "is too short for a Fogline bundle");
  }
  const auto body = bytes.first(bytes.size() - sizeof(Sha256));
  ByteReader reader(body);
  if (reader.TakeText(4) != kBundleMagic) {
    return Fail(ErrorCode::kInvalid, where, "is not a Fogline bundle");
  }
  if (const auto version = reader.Read<uint16_t>(); version != kBundleVersion) {
    return Fail(ErrorCode::kInvalid, where,
                "is a bundle of version {}; this build reads version {}", version, kBundleVersion);
  }
  reader.Read<uint16_t>();  // reserved
  std::ranges::transform(reader.Take(sizeof(Sha256)), bundle.model_hash_.begin(),
                         [](std::byte b) { return static_cast<uint8_t>(b); });
  bundle.hash_ = HashSha256(body);
  if (std::memcmp(bundle.hash_.data(), bytes.data() + body.size(), sizeof(Sha256)) != 0) {
    return Fail(ErrorCode::kInvalid, where, "is damaged: its hash does not fit; calibrate again");
  }
  while (reader.remaining() > 0) {
    const auto type = reader.Read<uint32_t>();
    const auto length = reader.Read<uint32_t>();
    const std::string_view text = reader.TakeText(length);
    if (!reader.ok()) break;
    if (type == static_cast<uint32_t>(BundleSection::kInfo)) {
      const Json info = ParseJson(text, where).value_or(Json());
      if (!info.is_object()) return Fail(ErrorCode::kInvalid, where, "has an unreadable table");
      bundle.images_ = static_cast<int>(std::clamp(Number(info, "images").value_or(0), 0.0, 1e9));
      FOGLINE_TRY(bundle.pairs_, ReadPairs(info, where));
    } else if (type == static_cast<uint32_t>(BundleSection::kTensor)) {
      auto params = ReadQuantParams(std::as_bytes(std::span(text.data(), text.size())));
      if (!params) {
        return Fail(ErrorCode::kInvalid, where, "{}", params.error().ToString());
      }
      bundle.tensors_.push_back(std::make_shared<const QuantParams>(*std::move(params)));
    }
  }
  if (!reader.ok()) return Fail(ErrorCode::kInvalid, where, "ends inside a section");
  return bundle;
}

const QuantParams* Bundle::Find(uint64_t cut_id, std::string_view tensor) const {
  for (const auto& params : tensors_) {
    if (params->cut_id == cut_id && params->tensor.name == tensor) return params.get();
  }
  return nullptr;
}

}  // namespace fogline
