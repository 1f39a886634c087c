#include "edge/route_chooser.h"

#include <algorithm>
#include <cmath>

namespace fogline {
namespace {

/// Another route must be cheaper by such a share of what a picture takes; a short memory, which
/// sees much noise, asks for more.
constexpr double kMargin = 0.015, kMarginOfShort = 0.12;
constexpr double kFades = 0.99;  // an adviser's record, from frame to frame
constexpr double kTrustMargin = 0;
/// A frame that is on the line for longer than its turn holds up those after it: as many as there
/// are places.
constexpr double kHoldsUp = 4, kTurn = 0.9;
constexpr double kPeriodGain = 0.1, kLongGap = 4, kShortPeriodMs = 100;
constexpr size_t kJam = 5;  // frames without an answer, from which on only the smallest go
constexpr size_t kMostPending = 256;
constexpr uint64_t kOvertaken = 32;  // pictures; one that was overtaken by so many is not heard of

/// What probes may cost on average, as a share of all that pictures take; what may be saved up for
/// them, owed for one after a change, and is there to begin with, in pictures.
constexpr double kProbeShare = 0.005, kMostPurse = 3, kMostDebt = 3, kFirstPurse = 2;
/// Of one probe, in pictures: a stall is not the probe's fault.
constexpr double kMostCharge = 3, kMostOwed = 10;
constexpr size_t kCalmBy = 2;
constexpr double kCalm = 1.2;  // none into a line that is slower than usual by so much
constexpr double kStep = 4;    // nor one so much larger than what went of late
constexpr double kRecent = 0.9;
constexpr size_t kProbedBy = 1;  // the memory that doubts

constexpr double kEdgeGain = 0.02, kEdgePrior = 4, kEdgeMost = 50;
constexpr double kLeastCloudMs = 0.3;  // less says nothing about a load

}  // namespace

RouteChooser::RouteChooser(std::vector<PricedRoute> routes)
    : routes_(std::move(routes)), edge_mean_(routes_.size(), 0), edge_count_(routes_.size(), 0) {
  for (Adviser& adviser : advisers_) {
    // A result, or nearly that, fits every line.
    adviser.route = Smallest();
    adviser.congested.assign(routes_.size(), 0);
  }
}

// Prices.

size_t RouteChooser::Smallest() const {
  return static_cast<size_t>(std::ranges::min_element(routes_, {}, &PricedRoute::bytes) -
                             routes_.begin());
}

double RouteChooser::EdgeMs(size_t route) const {
  const double planned = routes_[route].edge_ms * edge_ratio_;
  const double count = edge_count_[route];
  return (kEdgePrior * planned + count * edge_mean_[route]) / (kEdgePrior + count);
}

double RouteChooser::Cost(size_t route, const Weather& weather) const {
  return EdgeMs(route) + weather.ms_per_byte * routes_[route].bytes +
         weather.stretch * routes_[route].cloud_ms;
}

double RouteChooser::Congestion(size_t route, double ms_per_byte) const {
  if (!period_ms_) return 0;
  return kHoldsUp * std::max(0.0, ms_per_byte * routes_[route].bytes - kTurn * *period_ms_);
}

bool RouteChooser::Within(size_t route, const Weather& weather) const {
  return weather.ms_per_byte <= routes_[route].most_ms_per_byte &&
         weather.stretch <= routes_[route].most_stretch;
}

/// `keep`, unless another is cheaper by the margin. What breaks a limit is taken only where all do.
size_t RouteChooser::Cheapest(const Weather& weather, size_t keep, double margin,
                              const std::vector<double>* congested) const {
  const auto cost = [&](size_t r) {
    return Cost(r, weather) + (congested != nullptr ? (*congested)[r] : 0);
  };
  const double kept = cost(keep);
  const bool lawful = Within(keep, weather);
  size_t best = keep;
  double least = kept - margin * (kept + std::max(0.0, weather.delay_ms));
  bool best_lawful = lawful;
  for (size_t r = 0; r < routes_.size(); ++r) {
    const bool within = Within(r, weather);
    if (within < best_lawful) continue;
    if (within == best_lawful && cost(r) >= least) continue;
    best = r;
    least = cost(r);
    best_lawful = within;
  }
  return best;
}

// The next picture.

double RouteChooser::Now(double now_ms) {
  if (std::isfinite(now_ms)) now_ms_ = std::max(now_ms_, now_ms);
  return now_ms_;
}

void RouteChooser::LearnPeriod(double now_ms) {
  if (last_pick_ms_) {
    double gap = now_ms - *last_pick_ms_;
    // An outage is no pace.
    if (period_ms_) gap = std::min(gap, kLongGap * std::max(*period_ms_, kShortPeriodMs));
    period_ms_ = period_ms_ ? *period_ms_ + kPeriodGain * (gap - *period_ms_) : gap;
  }
  last_pick_ms_ = now_ms;
}

/// One before the last that was heard of was put on a disk, where its ticket is lost, or is about
/// to be heard of.
bool RouteChooser::UnderWay(const Pending& pending) const {
  return pending.sent_ms && pending.ticket > last_heard_;
}

size_t RouteChooser::InFlight() const {
  return static_cast<size_t>(
      std::ranges::count_if(pending_, [this](const Pending& p) { return UnderWay(p); }));
}

/// What a byte costs at least, for no answer has come yet.
double RouteChooser::Implied(double now_ms) const {
  for (const Pending& p : pending_) {
    if (!UnderWay(p)) continue;
    const double waited = now_ms - std::max(*p.sent_ms, last_answer_ms_.value_or(*p.sent_ms));
    return std::max(0.0, (waited - line_.least_ms()) / routes_[p.route].bytes);
  }
  return 0;
}

RouteChooser::Weather RouteChooser::WeatherOf(size_t memory, double implied) const {
  const LineFit& fit = line_.fit(memory);
  return {std::max(fit.ms_per_byte(), implied), line_.stretch(memory), fit.delay_ms()};
}

RouteChooser::Pick RouteChooser::Next(double now_ms) {
  const double now = Now(now_ms);
  LearnPeriod(now);
  Pending next{next_ticket_++, advisers_[0].route, false, {}, std::nullopt, false};
  if (line_.known()) {
    const double implied = Implied(now);
    for (size_t m = 0; m < LineSense::kCount; ++m) {
      Adviser& adviser = advisers_[m];
      const double margin = kMargin + kMarginOfShort / LineSense::kMemories[m];
      adviser.route = Cheapest(WeatherOf(m, implied), adviser.route, margin, &adviser.congested);
    }
    next.route = advisers_[trusted_].route;
    const bool jam = InFlight() >= kJam;
    if (jam) next.route = Smallest();
    for (size_t m = 0; m < LineSense::kCount; ++m) {
      next.advice[m] = jam ? next.route : advisers_[m].route;
    }
    if (const auto probe = jam ? std::nullopt : Probe(next.route, implied)) {
      next.route = *probe;
      next.probe = probe_away_ = true;
      ++probes_;
    }
  } else {
    next.advice.fill(next.route);
  }
  pending_.push_back(next);
  if (pending_.size() > kMostPending) Forget(pending_.begin());
  return {next.route, next.ticket, next.probe};
}

/// A route that may be better for all that is known, if it is time to find out.
std::optional<size_t> RouteChooser::Probe(size_t usual, double implied) {
  const Weather weather = WeatherOf(trusted_, implied);
  const double base = Cost(usual, weather);
  const double whole = base + std::max(0.0, weather.delay_ms);
  purse_ms_ = std::min(purse_ms_ + kProbeShare * whole, kMostPurse * whole);
  const bool may = purse_ms_ >= 0 || (line_.alarmed() && purse_ms_ > -kMostDebt * whole);
  const double bytes = routes_[usual].bytes;
  const bool calm = line_.fit(0).At(bytes) <= kCalm * line_.fit(kCalmBy).At(bytes) + 2;
  if (!may || !calm || probe_away_ || implied > 1.5 * weather.ms_per_byte) return std::nullopt;

  // What it could be at best.
  const LineFit& fit = line_.fit(kProbedBy);
  const double doubt = std::sqrt(fit.slope_variance());
  Weather hoped = weather;
  hoped.ms_per_byte = std::max(0.0, fit.ms_per_byte() - 2 * doubt);
  const double frames = line_.stretch_frames(kProbedBy);
  hoped.stretch = std::max(1.0, line_.stretch(kProbedBy) * (1 - 1 / std::sqrt(frames + 0.01)));
  const size_t best = Cheapest(hoped, usual, kMargin, nullptr);
  if (best == usual) return std::nullopt;
  probe_base_ms_ = whole;
  const bool of_load = routes_[best].cloud_ms > routes_[usual].cloud_ms &&
                       hoped.stretch < 0.8 * line_.stretch(kProbedBy) &&
                       Cost(best, {weather.ms_per_byte, hoped.stretch, 0}) < base;
  if (of_load) return best;
  return Larger(usual, best, line_.jitter_ms() / std::max(doubt, 1e-12));
}

/// A route with so many bytes more than usual that what they cost will stand out: the largest step
/// towards `best` that is no leap from what went of late; a leap only where much is saved up.
std::optional<size_t> RouteChooser::Larger(size_t usual, size_t best, double more_bytes) const {
  std::optional<size_t> most, least;
  for (size_t r = 0; r < routes_.size(); ++r) {
    const double bytes = routes_[r].bytes;
    if (bytes <= routes_[usual].bytes + more_bytes || bytes > routes_[best].bytes) continue;
    if (!least || bytes < routes_[*least].bytes) least = r;
    if (bytes <= kStep * largest_ && (!most || bytes > routes_[*most].bytes)) most = r;
  }
  if (most) return most;
  return purse_ms_ >= probe_base_ms_ ? least : std::nullopt;
}

// What became of it.

std::deque<RouteChooser::Pending>::iterator RouteChooser::Find(uint64_t ticket) {
  const auto at = std::ranges::lower_bound(pending_, ticket, {}, &Pending::ticket);
  return at != pending_.end() && at->ticket == ticket ? at : pending_.end();
}

void RouteChooser::Forget(const std::deque<Pending>::iterator& pending) {
  if (pending->probe) probe_away_ = false;
  pending_.erase(pending);
}

/// Forgets a picture that was heard of, and those that it has long overtaken.
void RouteChooser::Settle(uint64_t ticket) {
  Forget(Find(ticket));
  while (!pending_.empty() && pending_.front().ticket + kOvertaken < last_heard_) {
    Forget(pending_.begin());
  }
}

void RouteChooser::Worked(size_t route, double edge_ms) {
  if (!std::isfinite(edge_ms) || edge_ms < 0) return;
  ++worked_;
  const double planned = std::max(routes_[route].edge_ms, 0.01);
  const double ratio = std::clamp(edge_ms / planned, 0.1, 10.0);
  edge_ratio_ += std::max(kEdgeGain, 1 / (kEdgePrior + worked_)) * (ratio - edge_ratio_);
  double& count = edge_count_[route];
  count = std::min(count + 1, kEdgeMost);
  edge_mean_[route] += (edge_ms - edge_mean_[route]) / count;
}

void RouteChooser::Sent(uint64_t ticket, double now_ms, bool left) {
  const auto at = Find(ticket);
  if (at == pending_.end()) return;
  at->sent_ms = Now(now_ms);
  at->left = left;
}

void RouteChooser::Lost(uint64_t ticket) {
  if (const auto at = Find(ticket); at != pending_.end()) Forget(at);
}

/// What the frame itself was on the line for: one that was sent before the last answer came waited
/// for the frames before it, and from that answer on it had the line for itself.
double RouteChooser::OwnTime(const Answer& answer) const {
  const double ms = *answer.network_ms;
  if (!last_answer_ms_ || *last_answer_ms_ <= answer.sent_ms) return ms;
  const double delay = line_.known() ? line_.fit(LineSense::kCount - 1).delay_ms() : ms / 2;
  const double gap = answer.answered_ms - *last_answer_ms_ - answer.cloud_ms;
  return std::max(0.0, std::min(ms, gap + delay));
}

void RouteChooser::Charge(const Pending& probe, const Answer& answer, double network_ms) {
  const double took = network_ms + answer.cloud_ms;
  const double turn = period_ms_.value_or(took);
  const double held_up = took > turn && turn > 0 ? took * took / (2 * turn) : 0;
  const double more = EdgeMs(probe.route) + took - probe_base_ms_ + held_up;
  const double most = kMostCharge * probe_base_ms_;
  purse_ms_ = std::max(purse_ms_ - std::clamp(more, -most, most), -kMostOwed * probe_base_ms_);
}

/// What each adviser's choice would have cost under what this frame met.
void RouteChooser::Judge(const Choices& advice, const LineSense::Lesson& lesson) {
  for (size_t m = 0; m < LineSense::kCount; ++m) {
    Adviser& adviser = advisers_[m];
    const Weather met{lesson.ms_per_byte, lesson.stretch.value_or(line_.stretch(m)), 0};
    const double loss = Cost(advice[m], met) + Congestion(advice[m], lesson.ms_per_byte);
    adviser.loss = kFades * adviser.loss + lesson.weight * loss;
    for (size_t r = 0; r < routes_.size(); ++r) {
      double& mean = adviser.congested[r];
      mean += lesson.weight / LineSense::kMemories[m] * (Congestion(r, lesson.ms_per_byte) - mean);
    }
  }
  size_t best = trusted_;
  for (size_t m = 0; m < LineSense::kCount; ++m) {
    if (advisers_[m].loss < advisers_[best].loss - kTrustMargin * advisers_[trusted_].loss) {
      best = m;
    }
  }
  trusted_ = best;
}

void RouteChooser::Heard(const Answer& answer) {
  const double now = Now(answer.answered_ms);
  const double answered = std::isfinite(answer.answered_ms) ? answer.answered_ms : now;
  const auto at = Find(answer.ticket);
  if (at == pending_.end()) return;
  const Pending pending = *at;
  last_heard_ = std::max(last_heard_, answer.ticket);
  const bool sane = answer.network_ms && std::isfinite(*answer.network_ms) &&
                    *answer.network_ms >= 0 && answer.cloud_ms >= 0 && answer.bytes > 0;
  if (!sane) {
    last_answer_ms_ = answered;
    Settle(answer.ticket);
    return;
  }
  const PricedRoute& route = routes_[pending.route];
  LineSense::Met met{answer.bytes, OwnTime(answer), std::nullopt, 0};
  // Of the pictures that go on.
  const double work = route.cloud_ms / (1 - std::min(route.sure_share, 0.999));
  if (!pending.left && work > kLeastCloudMs) {
    if (answer.cloud_ms > 0) {
      met.stretch = answer.cloud_ms / work;
      met.cloud_ms = work;
    } else {
      // The network's time then holds the cloud's.
      met.network_ms = std::max(0.0, met.network_ms - work);
    }
  }
  const bool first = !line_.known();
  const LineSense::Lesson lesson = line_.Hear(met);
  largest_ = std::max(answer.bytes, kRecent * largest_);
  last_answer_ms_ = answered;
  if (pending.probe) Charge(pending, answer, lesson.network_ms);
  if (first) {
    purse_ms_ = kFirstPurse * (EdgeMs(pending.route) + lesson.network_ms + answer.cloud_ms);
  }
  Judge(pending.advice, lesson);
  Settle(answer.ticket);
}

}  // namespace fogline
