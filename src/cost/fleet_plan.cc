#include "cost/fleet_plan.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "cost/queueing.h"

namespace fogline {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kQuantile = 0.95;

/// Squared coefficient of variation of one option's service: half a 90 % interval is 1.645 σ.
double ServiceScv(const FleetOption& option) { return std::pow(option.time_spread / 1.645, 2); }

/// Time that a message may wait, in seconds.
double WaitBudget(const FleetGroup& group, const FleetOption& option) {
  if (group.target_ms <= 0) return kInfinity;
  return (group.target_ms - ServiceLatencyMs(group, option)) / 1000;
}

bool Feasible(const FleetGroup& group, const FleetOption& option) {
  return SustainedRate(group, option) >= group.images_per_second && WaitBudget(group, option) >= 0;
}

/// Messages of all chosen groups, as one stream.
struct Mix {
  double per_second = 0, cores = 0, second_moment = 0;
  double wait_s = kInfinity;

  void Add(const FleetGroup& group, const FleetOption& option) {
    const double rate = group.devices * group.images_per_second * option.sent_share;
    const double mean = option.cloud_ms / 1000;
    if (rate <= 0 || mean <= 0) return;
    per_second += rate;
    cores += rate * mean;
    second_moment += rate * mean * mean * (1 + ServiceScv(option));
    wait_s = std::min(wait_s, WaitBudget(group, option));
  }
  QueueLoad PerInstance(double instances) const {
    const double mean = cores / per_second;
    const double scv = std::max(0.0, second_moment / per_second / (mean * mean) - 1);
    return {per_second / instances, mean, scv};
  }
};

PoolUse UsePoolFor(const FleetPool& pool, const Mix& mix) {
  PoolUse use;
  use.cores = mix.cores;
  if (mix.cores <= 0) return use;
  const int servers = pool.rent.vcpus;
  const bool burstable = !pool.ignore_credits && pool.rent.baseline < pool.cap;
  const QueueLoad one = mix.PerInstance(1);
  const double share =
      MaxUtilisation(one.mean_s, one.scv, servers, kQuantile, mix.wait_s, pool.cap);
  if (share <= 0) {
    use.feasible = false;
    return use;
  }
  // A hair below, so that a load of exactly n instances is not n + 1.
  const auto at = [&](double busy) { return std::ceil(mix.cores / (servers * busy) - 1e-9); };
  const auto price = [&](double n) {
    double euro = n * pool.rent.price.value();
    if (burstable) {
      euro +=
          pool.rent.surplus.value() * std::max(0.0, mix.cores - n * servers * pool.rent.baseline);
    }
    return euro * kHoursPerMonth;
  };
  double best = at(share);
  if (burstable) {
    const double within = std::max(best, at(pool.rent.baseline));
    if (pool.rent.surplus <= EuroPerHour(0)) {
      best = within;
    } else {
      // The price is convex in n, with its corner where the credits suffice.
      for (const double n : {within - 1, within}) {
        if (n >= best && price(n) < price(best)) best = n;
      }
    }
  }
  use.instances = best;
  use.euro_month = price(best);
  use.surplus_euro = use.euro_month - best * pool.rent.price.value() * kHoursPerMonth;
  use.wait_p95_ms = WaitQuantile(mix.PerInstance(best), servers, kQuantile) * 1000;
  return use;
}

/// One group's way to run, as the search sees it.
struct Branch {
  size_t option;
  double bound;         // euro a month: private + the cloud at its cheapest per core
  double private_euro;  // of all its devices
};

class Search {
 public:
  Search(const Fleet& fleet, int64_t most) : fleet_(fleet), most_(most) {
    const Rent& rent = fleet.pool.rent;
    const double core =
        PriceOfBusyVcpu(rent, fleet.pool.cap, fleet.pool.ignore_credits).value() * kHoursPerMonth;
    for (const FleetGroup& g : fleet.groups) {
      std::vector<Branch> list;
      for (size_t i = 0; i < g.options.size(); ++i) {
        if (!Feasible(g, g.options[i])) continue;
        const double own = PrivateBill(fleet, g, g.options[i]).total() * g.devices;
        list.push_back({i, own + CoresOf(g, g.options[i]) * g.devices * core, own});
      }
      std::sort(list.begin(), list.end(),
                [](const Branch& a, const Branch& b) { return a.bound < b.bound; });
      branches_.push_back(std::move(list));
    }
    rest_.assign(branches_.size() + 1, 0);
    for (size_t g = branches_.size(); g-- > 0;) {
      rest_[g] = rest_[g + 1] + branches_[g].front().bound;
    }
    choice_.resize(branches_.size());
  }

  void Run() { Descend(0, 0, 0, Mix{}); }

  double root_bound() const { return rest_[0]; }
  bool finished() const { return nodes_ < most_; }
  int64_t nodes() const { return nodes_; }
  double best() const { return best_; }
  const std::vector<size_t>& best_choice() const { return best_choice_; }

 private:
  void Descend(size_t g, double bound, double own, const Mix& mix) {
    if (++nodes_ >= most_) return;
    if (g == branches_.size()) {
      const PoolUse use = UsePoolFor(fleet_.pool, mix);
      if (use.feasible && own + use.euro_month < best_) {
        best_ = own + use.euro_month;
        best_choice_ = choice_;
      }
      return;
    }
    for (const Branch& b : branches_[g]) {
      if (bound + b.bound + rest_[g + 1] >= best_) break;  // the others of this group are dearer
      choice_[g] = b.option;
      Mix with = mix;
      with.Add(fleet_.groups[g], fleet_.groups[g].options[b.option]);
      Descend(g + 1, bound + b.bound, own + b.private_euro, with);
    }
  }

  const Fleet& fleet_;
  int64_t most_, nodes_ = 0;
  std::vector<std::vector<Branch>> branches_;
  std::vector<double> rest_;  // least bound of groups g, g+1, …
  std::vector<size_t> choice_, best_choice_;
  double best_ = kInfinity;
};

/// What stands in the way of a group without any feasible option, and what would do.
Status CheckGroup(const Fleet& fleet, const FleetGroup& g) {
  const FleetOption *fastest = nullptr, *strongest = nullptr;
  for (const FleetOption& o : g.options) {
    if (Feasible(g, o)) return {};
    if (strongest == nullptr || SustainedRate(g, o) > SustainedRate(g, *strongest)) strongest = &o;
    if (SustainedRate(g, o) < g.images_per_second) continue;
    if (fastest == nullptr || ServiceLatencyMs(g, o) < ServiceLatencyMs(g, *fastest)) fastest = &o;
  }
  if (fastest == nullptr) {
    return Fail(ErrorCode::kConflict, fleet.where,
                "group '{}': no option sustains images_per_second = {:g}; '{}' on {} comes nearest "
                "with {:.3g}",
                g.name, g.images_per_second, strongest->name, strongest->edge.name,
                SustainedRate(g, *strongest));
  }
  return Fail(
      ErrorCode::kConflict, fleet.where,
      "group '{}': no option keeps to target_ms = {:g}; '{}' on {} would with {:.1f} or more",
      g.name, g.target_ms, fastest->name, fastest->edge.name,
      std::ceil(ServiceLatencyMs(g, *fastest) * 10 + 1e-9) / 10);
}

double PriceOf(const Fleet& fleet, const std::vector<size_t>& choice) {
  const PoolUse use = UsePool(fleet, choice);
  double sum = use.feasible ? use.euro_month : kInfinity;
  for (size_t g = 0; g < choice.size(); ++g) {
    const FleetGroup& group = fleet.groups[g];
    sum += PrivateBill(fleet, group, group.options[choice[g]]).total() * group.devices;
  }
  return sum;
}

/// Best plan in which every group runs options of one name; the device may differ.
void BestUniform(const Fleet& fleet, FleetPlan& plan) {
  std::set<std::string> names;
  for (const FleetOption& o : fleet.groups.front().options) names.insert(o.name);
  for (const std::string& name : names) {
    std::vector<size_t> choice;
    for (const FleetGroup& g : fleet.groups) {
      double best = kInfinity;
      size_t at = 0;
      for (size_t i = 0; i < g.options.size(); ++i) {
        if (g.options[i].name != name || !Feasible(g, g.options[i])) continue;
        const double euro = PrivateBill(fleet, g, g.options[i]).total();
        if (euro < best) best = euro, at = i;
      }
      if (best == kInfinity) break;
      choice.push_back(at);
    }
    if (choice.size() != fleet.groups.size()) continue;
    const double euro = PriceOf(fleet, choice);
    if (euro < plan.uniform_euro_month) {
      plan.uniform_euro_month = euro;
      plan.uniform = name;
    }
  }
}

}  // namespace

PoolUse UsePool(const Fleet& fleet, const std::vector<size_t>& choice) {
  Mix mix;
  for (size_t g = 0; g < choice.size(); ++g) {
    mix.Add(fleet.groups[g], fleet.groups[g].options[choice[g]]);
  }
  return UsePoolFor(fleet.pool, mix);
}

double UsersPerInstance(const Fleet& fleet, const FleetGroup& group, const FleetOption& option) {
  const FleetPool& pool = fleet.pool;
  const double cores = CoresOf(group, option);
  if (cores <= 0) return kInfinity;
  double share = MaxUtilisation(option.cloud_ms / 1000, ServiceScv(option), pool.rent.vcpus,
                                kQuantile, WaitBudget(group, option), pool.cap);
  // Without surplus to be had, credits bound the average.
  if (!pool.ignore_credits && pool.rent.surplus <= EuroPerHour(0)) {
    share = std::min(share, pool.rent.baseline);
  }
  return std::floor(share * pool.rent.vcpus / cores + 1e-9);
}

Result<FleetPlan> PlanFleet(const Fleet& fleet, int64_t most_nodes) {
  for (const FleetGroup& g : fleet.groups) FOGLINE_CHECK(CheckGroup(fleet, g));
  Search search(fleet, most_nodes);
  search.Run();
  FleetPlan plan;
  if (search.best_choice().empty()) {
    return Fail(ErrorCode::kConflict, fleet.where,
                "no plan found that keeps every target with waiting: raise target_ms");
  }
  plan.choice = search.best_choice();
  plan.pool = UsePool(fleet, plan.choice);
  plan.euro_month = search.best();
  plan.lower_bound = search.root_bound();
  plan.exact = search.finished();
  plan.searched = search.nodes();
  for (size_t g = 0; g < plan.choice.size(); ++g) {
    const FleetGroup& group = fleet.groups[g];
    const FleetOption& option = group.options[plan.choice[g]];
    plan.devices += group.devices;
    Bill bill = PrivateBill(fleet, group, option);
    // Each group pays for the cores it keeps busy.
    const double share = plan.pool.cores > 0 ? CoresOf(group, option) / plan.pool.cores : 0;
    AddCloud(option, plan.pool.euro_month * share, bill);
    plan.bills.push_back(bill);
  }
  BestUniform(fleet, plan);
  return plan;
}

}  // namespace fogline
