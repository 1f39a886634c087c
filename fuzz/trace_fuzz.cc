// Any bytes as a recorded uplink: read with finite, orderly transfer times, or refused in one line.
#include <cmath>
#include <cstdlib>
#include <string_view>

#include "profile/trace.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fogline;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const TraceColumns& columns : {TraceColumns{}, TraceColumns{"b", "kbps"}}) {
    const auto trace = Trace::Parse(text, "fuzz", columns);
    if (!trace) {
      const std::string line = trace.error().ToString();
      if (line.empty() || line.find('\n') != line.npos) std::abort();
      continue;
    }
    if (trace->taken().find('\n') != std::string::npos) std::abort();
    if (!(trace->MeanRate().value() > 0) || !trace->MeanRate().IsFinite()) std::abort();
    double before = 0;
    for (const double bytes : {1.0, 1e3, 1e6}) {
      const double ms = trace->TransferTime(Bytes(bytes), Milliseconds(0)).value();
      if (!std::isfinite(ms) || ms < before) std::abort();
      before = ms;
    }
    const Bytes most = trace->MostWithin(Milliseconds(50));
    if (!most.IsFinite() || most < Bytes(0)) std::abort();
  }
  return 0;
}
