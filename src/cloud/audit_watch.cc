#include "cloud/audit_watch.h"

#include <algorithm>

#include "base/log.h"
#include "base/text.h"

namespace fogline {
namespace {

constexpr std::array<double, 2> kWorse{2, 4};  // times what was promised

}  // namespace

void AuditWatch::Count(const Audited& one) {
  const std::lock_guard lock(mutex_);
  const std::pair name(one.model, one.gate);
  if (gates_.size() >= kMostGates && !gates_.contains(name)) return;
  Gate& gate = gates_[name];
  Standing& now = gate.standing;
  now.model = one.model;
  now.gate = one.gate;
  now.promised = one.promised;
  ++now.audited;
  now.differ += one.agrees ? 0 : 1;
  if (!(one.promised > 0 && one.promised < 1)) return;
  ++now.lately;
  now.lately_differ += one.agrees ? 0 : 1;
  const double p = one.promised;
  double mean = 0;
  bool nothing = true;
  for (size_t i = 0; i < kWorse.size(); ++i) {
    const double q = std::min(kWorse[i] * p, (1 + p) / 2);
    const double ratio = one.agrees ? (1 - q) / (1 - p) : q / p;
    // Capped, since what was seen long ago shall not keep an alarm up for ever.
    gate.evidence[i] = std::min(std::max(gate.evidence[i], 1.0) * ratio, 10 * kAlarm);
    mean += gate.evidence[i] / static_cast<double>(kWorse.size());
    nothing = nothing && gate.evidence[i] <= 1;
  }
  const std::string where = Printable(now.model) + " at " + Printable(now.gate);
  if (!now.alarm && mean >= kAlarm) {
    now.alarm = true;
    LogWarning(
        "{}: the promise does not hold any more: of the last {} sure pictures that were audited {} "
        "got another class, and at most {:.2g} % may; measure it anew with pictures like these",
        where, now.lately, now.lately_differ, 100 * p);
  } else if (now.alarm && nothing) {
    now.alarm = false;
    LogWarning("{}: nothing speaks against the promise any more", where);
  }
  if (nothing) now.lately = now.lately_differ = 0;
}

std::vector<AuditWatch::Standing> AuditWatch::standings() const {
  const std::lock_guard lock(mutex_);
  std::vector<Standing> all;
  for (const auto& [name, gate] : gates_) all.push_back(gate.standing);
  return all;
}

}  // namespace fogline
