// When and where each picture was taken.
#pragma once

#include <cstddef>
#include <string>

#include "edge/camera_clock.h"
#include "edge/locator.h"
#include "edge/source.h"
#include "frame/frame.h"

namespace fogline {

/// Puts time and place into frames, from whatever knows best: the picture's EXIF, its source, the
/// locator. What nobody knows is left out, and counted, so that it is said once rather than for
/// each picture.
class Whereabouts {
 public:
  /// `locator` answers for pictures whose EXIF has no position; null for none.
  Whereabouts(CameraClock clock, Locator* locator) : clock_(std::move(clock)), locator_(locator) {}

  /// When a picture was taken, uncounted.
  Captured When(const Exif& exif, const Capture& capture) const {
    return clock_.When(exif, {capture.captured_us, capture.captured_from});
  }
  /// Into a new frame.
  void Stamp(const Exif& exif, const Capture& capture, Frame& frame);

  size_t unplaced() const { return unplaced_; }
  /// A line in the log for all that could not be read or was not there. `source` names the folder
  /// or camera.
  void Say(const std::string& source) const;

 private:
  const CameraClock clock_;
  Locator* const locator_;
  size_t unplaced_ = 0, assumed_ = 0, by_file_ = 0, undated_ = 0, odd_times_ = 0, odd_places_ = 0;
};

}  // namespace fogline
