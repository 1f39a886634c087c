#include "frame/stages.h"

#include <cmath>

namespace fogline {

float StageTimes::Total() const {
  float sum = 0;
  for (const StageField& stage : kStages) {
    if (const float time = this->*stage.time_ms; !std::isnan(time)) sum += time;
  }
  return sum;
}

float StageTimes::WithoutWaits() const {
  float sum = Total();
  if (!std::isnan(window)) sum -= window;
  if (!std::isnan(queue)) sum -= queue;
  return sum;
}

}  // namespace fogline
