#include "vision/webp.h"

#include <webp/decode.h>
#include <webp/demux.h>

#include <memory>

#include "base/bytes.h"
#include "vision/pixels.h"
#include "vision/shrink.h"

namespace fogline {
namespace {

const unsigned char* Raw(std::span<const std::byte> data) {
  return reinterpret_cast<const unsigned char*>(data.data());
}

tl::unexpected<Error> Damaged(const std::string& where) {
  return Fail(ErrorCode::kInvalid, where, "is a damaged WebP");
}

}  // namespace

bool IsWebp(std::span<const std::byte> file) {
  return StartsWith(file, "RIFF") && StartsWith(file, "WEBP", 8);
}

Result<Image> DecodeWebpInSteps(std::span<const std::byte> file, const std::string& where,
                                int step) {
  WebPDecoderConfig config;
  if (WebPInitDecoderConfig(&config) == 0 ||
      WebPGetFeatures(Raw(file), file.size(), &config.input) != VP8_STATUS_OK) {
    return Damaged(where);
  }
  Image image{(config.input.width - 1) / step + 1, (config.input.height - 1) / step + 1, {}};
  image.rgb.resize(static_cast<size_t>(image.width) * static_cast<size_t>(image.height) * 3);
  config.options.use_scaling = step > 1 ? 1 : 0;
  config.options.scaled_width = image.width;
  config.options.scaled_height = image.height;
  config.output.colorspace = MODE_RGB;
  config.output.is_external_memory = 1;
  config.output.u.RGBA = {image.rgb.data(), image.width * 3, image.rgb.size()};
  const VP8StatusCode status = WebPDecode(Raw(file), file.size(), &config);
  WebPFreeDecBuffer(&config.output);
  if (status != VP8_STATUS_OK) return Damaged(where);
  return image;
}

Result<Image> DecodeWebp(std::span<const std::byte> file, const std::string& where, int at_least) {
  WebPBitstreamFeatures features{};
  if (WebPGetFeatures(Raw(file), file.size(), &features) != VP8_STATUS_OK) return Damaged(where);
  if (features.has_animation != 0) {
    const WebPData data{Raw(file), file.size()};
    const std::unique_ptr<WebPDemuxer, decltype(&WebPDemuxDelete)> demuxer(WebPDemux(&data),
                                                                           WebPDemuxDelete);
    WebPIterator frame{};
    if (demuxer == nullptr || WebPDemuxGetFrame(demuxer.get(), 1, &frame) == 0) {
      return Damaged(where);
    }
    // Views into the file.
    const std::span still(reinterpret_cast<const std::byte*>(frame.fragment.bytes),
                          frame.fragment.size);
    WebPDemuxReleaseIterator(&frame);
    if (WebPGetFeatures(Raw(still), still.size(), &features) != VP8_STATUS_OK ||
        features.has_animation != 0) {
      return Damaged(where);
    }
    return DecodeWebp(still, where, at_least);
  }
  constexpr int kLossy = 1;  // of features.format
  const char* const whole = features.has_alpha != 0     ? "a WebP with transparency"
                            : features.format != kLossy ? "a lossless WebP"
                                                        : "";
  FOGLINE_CHECK(CheckPixels(features.width, features.height, where, whole));
  return DecodeWebpInSteps(file, where, StepOf(features.width, features.height, at_least));
}

Status DecodeWebpExactly(std::span<const std::byte> file, const std::string& where, int width,
                         int height, Image& out) {
  int given_width = 0, given_height = 0;
  if (!IsWebp(file) || WebPGetInfo(Raw(file), file.size(), &given_width, &given_height) == 0) {
    return Fail(ErrorCode::kInvalid, where, "is no JPEG or WebP picture");
  }
  if (given_width == width && given_height == height) {
    FOGLINE_TRY(out, DecodeWebp(file, where, 0));
    given_width = out.width;  // of a moving picture's first frame, another than the whole's
    given_height = out.height;
  }
  if (given_width != width || given_height != height) {
    return Fail(ErrorCode::kInvalid, where, "is {}x{} pixels where {}x{} are due", given_width,
                given_height, width, height);
  }
  return {};
}

}  // namespace fogline
