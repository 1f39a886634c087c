#include "edge/steering.h"

namespace fogline {

Choice Steering::Choose(const Observed& seen) {
  const bool late = rules_.deadline > Nanos(0) && seen.age > rules_.deadline;
  if (rules_.latest && late) return {};
  const bool alone = rules_.local && seen.silence > rules_.fallback;
  const size_t route = alone ? *rules_.local : rules_.usual;
  const bool changed = route != last_;
  last_ = route;
  return {route, changed};
}

}  // namespace fogline
