#include "store/detection.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "vision/findings_bytes.h"

namespace fogline {
namespace {

Status CheckText(const char* field, const std::string& text, size_t most) {
  if (text.size() > most) {
    return Fail(ErrorCode::kInvalid, field, "{} bytes; at most {} are stored", text.size(), most);
  }
  if (!IsUtf8(text)) return Fail(ErrorCode::kInvalid, field, "is not UTF-8");
  return {};
}

}  // namespace

float StoredScore(float score) { return std::clamp(score, 0.0F, 1.0F); }

Result<std::optional<Findings>> StoredFindings(std::span<const std::byte> bytes) {
  auto found = ParseFindings(bytes);
  if (found) return std::optional(*std::move(found));
  if (found.error().code == ErrorCode::kUnsupported) return std::nullopt;
  return Forward(std::move(found));
}

Status Check(const Detection& detection) {
  if (detection.device.empty()) return Fail(ErrorCode::kInvalid, "device", "is empty");
  FOGLINE_CHECK(CheckText("device", detection.device, kMaxDeviceBytes));
  FOGLINE_CHECK(CheckText("model", detection.model, kMaxTextBytes));
  FOGLINE_CHECK(CheckText("label", detection.label, kMaxTextBytes));
  FOGLINE_CHECK(CheckText("mechanism", detection.mechanism, kMaxTextBytes));
  FOGLINE_CHECK(CheckText("cut", detection.cut, kMaxTextBytes));
  FOGLINE_CHECK(CheckText("codec", detection.codec, kMaxTextBytes));
  if (detection.thumbnail.size() > kMaxThumbnailBytes) {
    return Fail(ErrorCode::kInvalid, "thumbnail", "{} bytes; at most {} are stored",
                detection.thumbnail.size(), kMaxThumbnailBytes);
  }
  if (detection.findings) FOGLINE_CHECK(CheckFindings(*detection.findings));
  // Written so that NaN fails.
  if (!(detection.score >= -kScoreSlack && detection.score <= 1 + kScoreSlack)) {
    return Fail(ErrorCode::kInvalid, "score", "{} is not within 0..1", detection.score);
  }
  if (detection.has_position &&
      !(std::abs(detection.lat) <= 90 && std::abs(detection.lon) <= 180)) {
    return Fail(ErrorCode::kInvalid, "position", "{}, {} is not on the globe", detection.lat,
                detection.lon);
  }
  return {};
}

Status CheckBatch(std::span<const Detection> batch, std::string_view where) {
  for (size_t i = 0; i < batch.size(); ++i) {
    if (const Status fits = Check(batch[i]); !fits) {
      return Fail(fits.error().code, where, "detection {} of the batch: {}", i,
                  fits.error().ToString());
    }
  }
  return {};
}

}  // namespace fogline
