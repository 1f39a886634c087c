#include "plan/scenario.h"

namespace fogline {

std::vector<std::string> Limits::Flags() const {
  std::vector<std::string> flags;
  const auto add = [&flags](bool set, const char* flag) {
    if (set) flags.emplace_back(flag);
  };
  add(latency && !latency_at_p95, "--max-latency");
  add(latency && latency_at_p95, "--max-latency-p95");
  add(agreement.has_value(), "--min-agreement");
  add(accuracy.has_value(), "--min-accuracy");
  add(metric.has_value(), "--min-metric");
  add(month.has_value(), "--max-cost");
  add(memory.has_value(), "--max-memory");
  add(uplink_month.has_value(), "--max-data");
  add(!keep_on_edge.empty(), "--not-before");
  add(never_send_input, "--never-send-input");
  return flags;
}

}  // namespace fogline
