#include "cloud/complaints.h"

#include "base/log.h"

namespace fogline {

bool Complaints::Say(const std::string& what) {
  const std::lock_guard lock(mutex_);
  const Nanos now = clock_.Steady();
  if (now - since_ >= kPeriod) {
    if (unsaid_ > 0) LogWarning("… and {} more like it", unsaid_);
    since_ = now;
    last_.clear();
    said_ = unsaid_ = 0;
  }
  if (what == last_ || said_ >= kMostInPeriod) {
    ++unsaid_;
    return false;
  }
  LogWarning("{}", what);
  last_ = what;
  ++said_;
  return true;
}

}  // namespace fogline
