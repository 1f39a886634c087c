#include "edge/workbench.h"

#include <algorithm>

#include "base/clock.h"
#include "vision/folder.h"
#include "vision/placement.h"
#include "vision/preprocess.h"

namespace fogline {
namespace {

constexpr int kThumbnailQuality = 70;

}  // namespace

Workbench::Workbench(const RoutePool& pool, int thumbnail)
    : pool_(pool), thumbnail_side_(thumbnail), at_least_(DecodeAtLeast(pool.network().card)) {}

Result<std::unique_ptr<Workbench>> Workbench::Make(const RoutePool& pool, size_t usual,
                                                   int thumbnail) {
  auto bench = std::unique_ptr<Workbench>(new Workbench(pool, thumbnail));
  FOGLINE_CHECK(bench->Of(usual).map([](Mechanism*) {}));
  return bench;
}

Result<Mechanism*> Workbench::Of(size_t route) {
  if (route >= mechanisms_.size()) mechanisms_.resize(route + 1);
  if (mechanisms_[route] == nullptr) {
    FOGLINE_TRY(mechanisms_[route], pool_.ForAThread(route));
  }
  return mechanisms_[route].get();
}

Status Workbench::Work(const Capture& capture, size_t route, bool all, Changes* changes) {
  Picture decoded;
  if (capture.image.empty()) {
    FOGLINE_TRY(decoded, DecodePicture(capture.file, capture.where, at_least_));
  }
  const Image& image = capture.image.empty() ? decoded.image : capture.image;
  exif_ = std::move(decoded.exif);
  frame_.Reset();
  frame_.stages.read = Micros(Clock::Real().Steady() - capture.began);
  FOGLINE_TRY(Mechanism* const mechanism, Of(route));
  prepared_.positive.reset();
  prepared_.left = prepared_.audited = false;
  if (changes != nullptr) {
    Nanos start = Clock::Real().Steady();
    seen_ = changes->Look(GlanceAt(image));
    frame_.stages.resize = LapMicros(start);
    if (unchanged()) {
      Repeat(*mechanism);
      return {};
    }
  }
  FOGLINE_CHECK(mechanism->Process(image, prepared_));
  sends_ = prepared_.positive.value_or(true) || all;
  mechanism->Stamp(frame_);
  if (frame_.gate) frame_.gate->left = prepared_.left;
  frame_.payloads = prepared_.payloads;
  if (!sends_) return {};
  frame_.stages.resize += prepared_.resize_us;
  frame_.stages.prefix = prepared_.prefix_us;
  frame_.stages.encode = prepared_.encode_us;
  if (!mechanism->cut().is_edge_only() && NeedsPictureSize(pool_.network().card)) {
    frame_.picture = PictureSize::Of(image.width, image.height);
  }
  if (thumbnail_side_ > 0) FOGLINE_CHECK(AddThumbnail(image));
  return {};
}

/// Of the picture before, what was found in it; of this one, that nothing is new.
void Workbench::Repeat(const Mechanism& mechanism) {
  const Changes::Known& known = *seen_.like;
  mechanism.Stamp(frame_);
  frame_.bundle = 0;
  frame_.gate.reset();
  frame_.unchanged_since = known.sequence;
  sends_ = known.sequence.has_value();
  prepared_.data.clear();
  WriteResult(known.result, prepared_.data);
  prepared_.prefix_us = prepared_.encode_us = 0;
  prepared_.payloads.assign(1, {Role::kResult, static_cast<uint8_t>(CodecKind::kJson), 0,
                                DType::kUndefined, Shape(), prepared_.data});
  frame_.payloads = prepared_.payloads;
}

std::optional<ResultPayload> Workbench::Found() const {
  const auto& sent = prepared_.payloads;
  if (sent.empty() || sent[0].role != Role::kResult) return std::nullopt;
  auto result = ParseResult(sent[0].bytes);
  return result ? std::optional(*std::move(result)) : std::nullopt;
}

Status Workbench::AddThumbnail(const Image& image) {
  const Nanos start = Clock::Real().Steady();
  const double scale =
      std::min(1.0, static_cast<double>(thumbnail_side_) / std::max(image.width, image.height));
  const int width = std::max(1, static_cast<int>(image.width * scale));
  const int height = std::max(1, static_cast<int>(image.height * scale));
  ResizePart(image, {0, 0, image.width, image.height}, width, height, small_);
  FOGLINE_CHECK(EncodeJpeg(small_, kThumbnailQuality, thumbnail_));
  frame_.payloads.push_back({Role::kThumbnail, static_cast<uint8_t>(CodecKind::kJpeg),
                             kThumbnailQuality, DType::kU8, Shape{height, width, 3}, thumbnail_});
  frame_.stages.encode += Micros(Clock::Real().Steady() - start);
  return {};
}

}  // namespace fogline
