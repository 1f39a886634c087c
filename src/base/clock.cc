#include "base/clock.h"

namespace fogline {
namespace {

class RealClock final : public Clock {
 public:
  Nanos Steady() const override { return std::chrono::steady_clock::now().time_since_epoch(); }
  int64_t WallMicros() const override {
    return std::chrono::duration_cast<std::chrono::microseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
  }
};

}  // namespace

const Clock& Clock::Real() {
  static const RealClock clock;
  return clock;
}

}  // namespace fogline
