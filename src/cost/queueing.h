// How long a picture waits for a core of an instance, and how many devices an instance can serve.
//
// The model: devices send at fixed rates with phases of their own, so that the arrivals of many are
// nearly Poisson; an instance's cores serve one queue, first come first served; service times have
// a mean and a spread: M/G/c. The mean wait is Allen and Cunneen's approximation (Allen,
// Probability, Statistics, and Queueing Theory, 2nd ed. 1990, section 5.3.5), exact for M/M/c and
// M/G/1:
//     W = C(c, a) · E[S] / (c − a) · (1 + Cs²) / 2,   a = λ E[S] the load in cores,
// with C the Erlang C formula; the wait of those who wait is taken to be exponential, which gives
// the percentile. queueing_test.cc holds both against a simulation.
#pragma once

namespace fogline {

/// What one queue is asked for.
struct QueueLoad {
  double per_second = 0;  // arrivals
  double mean_s = 0;      // service time on one core
  double scv = 0;         // squared coefficient of variation of service; 0: all equal
  double cores() const { return per_second * mean_s; }
};

/// Probability that an arrival finds all `servers` busy; 1 when the load is not below them.
double ErlangC(int servers, double load);

/// Mean time in the queue, in seconds; infinite when overloaded.
double MeanWait(const QueueLoad& load, int servers);

/// The p-quantile (0 < p < 1) of time in the queue, in seconds; infinite when overloaded.
double WaitQuantile(const QueueLoad& load, int servers, double p);

/// The greatest share of `servers` that may be busy, at most `cap`, with the p-quantile of waiting
/// within `wait_s`. 0 when not even an idle queue keeps to it.
double MaxUtilisation(double mean_s, double scv, int servers, double p, double wait_s, double cap);

}  // namespace fogline
