#include "pace/pace.h"

#include <chrono>
#include <cmath>
#include <thread>

#include "base/clock.h"
#include "plan/payload.h"
#include "profile/timing.h"

namespace fogline {

StepTimes PaceOf(const Machine& machine, const Network& network, const Cut& cut,
                 const std::string& codec, const Bundle* bundle) {
  const Timing timing = PredictTiming(network.model, machine);
  StepTimes pace;
  for (size_t n = 0; n < cut.edge.size(); ++n) {
    (cut.edge[n] ? pace.prefix : pace.suffix) += timing.layers[n];
  }
  const auto codecs = ParseCodecs(codec);
  if (codecs && codecs->size() > 1 && codecs->size() == cut.tensors.size()) {
    for (size_t i = 0; i < codecs->size(); ++i) {
      const CodingTime time = TimeOf((*codecs)[i], cut.tensors[i]);
      pace.encode += time.encode / timing.relative_speed;
      pace.decode += time.decode / timing.relative_speed;
    }
    return pace;
  }
  const PayloadBook book(network.model, network.contract, bundle, {codec});
  for (const PayloadOption& payload : book.At(cut)) {
    if (payload.codec != codec) continue;
    pace.encode = payload.encode / timing.relative_speed;
    pace.decode = payload.decode / timing.relative_speed;
  }
  return pace;
}

uint32_t HoldTo(Milliseconds step, uint32_t done_us) {
  const double owed_us = step.value() * 1000 - done_us;
  if (owed_us <= 0) return done_us;
  const Nanos start = Clock::Real().Steady();
  std::this_thread::sleep_for(Nanos(static_cast<int64_t>(owed_us * 1000)));
  return done_us + static_cast<uint32_t>((Clock::Real().Steady() - start).count() / 1000);
}

}  // namespace fogline
