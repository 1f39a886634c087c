#include "cost/queueing.h"

#include <cmath>
#include <limits>

namespace fogline {

double ErlangC(int servers, double load) {
  if (load >= servers) return 1;
  if (load <= 0) return 0;
  // Erlang B by its stable recursion, then C from B.
  double b = 1;
  for (int k = 1; k <= servers; ++k) b = load * b / (k + load * b);
  return servers * b / (servers - load * (1 - b));
}

double MeanWait(const QueueLoad& load, int servers) {
  const double a = load.cores();
  if (a <= 0) return 0;
  if (a >= servers) return std::numeric_limits<double>::infinity();
  return ErlangC(servers, a) * load.mean_s / (servers - a) * (1 + load.scv) / 2;
}

double WaitQuantile(const QueueLoad& load, int servers, double p) {
  const double a = load.cores();
  if (a <= 0) return 0;
  if (a >= servers) return std::numeric_limits<double>::infinity();
  const double busy = ErlangC(servers, a);
  if (busy <= 1 - p) return 0;
  return MeanWait(load, servers) / busy * std::log(busy / (1 - p));
}

double MaxUtilisation(double mean_s, double scv, int servers, double p, double wait_s, double cap) {
  if (wait_s < 0) return 0;
  const auto keeps = [&](double share) {
    return WaitQuantile({share * servers / mean_s, mean_s, scv}, servers, p) <= wait_s;
  };
  if (mean_s <= 0 || keeps(cap)) return cap;
  double low = 0, high = cap;  // the wait grows with the share
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (keeps(middle) ? low : high) = middle;
  }
  return low;
}

}  // namespace fogline
