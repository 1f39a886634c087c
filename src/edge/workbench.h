// From one picture to one frame.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/result.h"
#include "edge/changes.h"
#include "edge/route_pool.h"
#include "edge/source.h"
#include "frame/frame.h"
#include "vision/exif.h"
#include "vision/image.h"

namespace fogline {

/// What one thread needs to make frames: its own of every route, and every buffer that a frame
/// needs, so that a steady state allocates little. Not thread-safe.
class Workbench {
 public:
  /// `thumbnail`: the longest side of a small picture to send along, in pixels; 0: none.
  static Result<std::unique_ptr<Workbench>> Make(const RoutePool& pool, size_t usual,
                                                 int thumbnail);

  /// Decodes a picture, whose reading began at capture.began, and lets it go a route as far as the
  /// device. `all`: what the device itself finds is sent even when it is not worth a report. Where
  /// there are `changes`, a picture that shows nothing new goes no way: what is known of the one
  /// that it is like is said again.
  Status Work(const Capture& capture, size_t route, bool all, Changes* changes = nullptr);

  /// Whether the last picture is to be sent.
  bool sends() const { return sends_; }
  /// Whether it left at its route's gate; whether it was sure there and goes on all the same.
  bool left() const { return prepared_.left; }
  bool audited() const { return prepared_.audited; }
  /// What its changes were; whether there were none, so that it went no way.
  const Changes::Seen& seen() const { return seen_; }
  bool unchanged() const { return seen_.like != nullptr && !seen_.audited; }
  /// What prefix and coding took of it.
  double edge_ms() const { return Millis(prepared_.prefix_us) + Millis(prepared_.encode_us); }
  /// The last picture's frame, complete but for when and where; until the next Work.
  Frame& frame() { return frame_; }
  const Exif& exif() const { return exif_; }
  /// What the device itself found in the last picture; nothing where it runs no whole network.
  std::optional<ResultPayload> Found() const;

 private:
  Workbench(const RoutePool& pool, int thumbnail);
  Result<Mechanism*> Of(size_t route);
  void Repeat(const Mechanism& mechanism);
  Status AddThumbnail(const Image& image);

  const RoutePool& pool_;
  const int thumbnail_side_;
  const int at_least_;
  std::vector<std::unique_ptr<Mechanism>> mechanisms_;  // by route; null: not used here yet
  bool sends_ = false;
  Frame frame_;
  Exif exif_;
  Changes::Seen seen_;
  Prepared prepared_;
  Image small_;
  std::vector<std::byte> thumbnail_;
};

}  // namespace fogline
