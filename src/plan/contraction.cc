#include "plan/contraction.h"

#include <algorithm>
#include <boost/container/small_vector.hpp>
#include <numeric>

namespace fogline {
namespace {

/// Wires of a group. Nearly all have a few: two vectors on the heap for each task would take most
/// of the time.
using WireList = boost::container::small_vector<uint32_t, 4>;

template <typename List, typename Condition>
void EraseIf(List& list, Condition condition) {
  list.erase(std::remove_if(list.begin(), list.end(), condition), list.end());
}

class Contractor {
 public:
  explicit Contractor(const PartitionProblem& problem)
      : problem_(problem),
        parent_(problem.tasks.size()),
        tasks_(problem.tasks),
        in_(problem.tasks.size()),
        out_(problem.tasks.size()),
        alive_(problem.wires.size(), true),
        queued_(problem.wires.size(), true),
        queue_(problem.wires.size()) {
    std::iota(parent_.begin(), parent_.end(), 0U);
    std::iota(queue_.begin(), queue_.end(), 0U);
    for (uint32_t w = 0; w < problem.wires.size(); ++w) {
      out_[problem.wires[w].producer].push_back(w);
      for (const uint32_t r : problem.wires[w].readers) AddUnique(in_[r], w);
    }
  }

  Contraction Run() {
    while (!queue_.empty()) {
      const uint32_t w = queue_.back();
      queue_.pop_back();
      queued_[w] = false;
      if (alive_[w]) Try(w);
    }
    return Collect();
  }

 private:
  template <typename List>
  static void AddUnique(List& list, uint32_t w) {
    if (std::find(list.begin(), list.end(), w) == list.end()) list.push_back(w);
  }

  uint32_t Find(uint32_t task) {
    while (parent_[task] != task) task = parent_[task] = parent_[parent_[task]];
    return task;
  }

  Price SumUp(const WireList& wires) const {
    Price sum;
    for (const uint32_t w : wires) sum += problem_.wires[w].up;
    return sum;
  }

  void Try(uint32_t w) {
    const Wire& wire = problem_.wires[w];
    if (wire.down.IsFinite()) return;
    const uint32_t v = Find(wire.producer);
    const uint32_t r = Find(wire.readers.front());
    for (const uint32_t reader : wire.readers) {
      if (Find(reader) != r) return;
    }
    const bool together = !wire.up.IsFinite();
    // Strict, so that of two equal plans the one with more on the edge survives.
    const bool before =
        out_[v].size() == 1 && SumUp(in_[v]) + tasks_[v].cloud < wire.up + tasks_[v].edge;
    const bool after =
        in_[r].size() == 1 && SumUp(out_[r]) + tasks_[r].edge <= wire.up + tasks_[r].cloud;
    if (together || before || after) Merge(v, r);
  }

  void Merge(uint32_t v, uint32_t r) {
    parent_[r] = v;
    tasks_[v].edge += tasks_[r].edge;
    tasks_[v].cloud += tasks_[r].cloud;
    for (const uint32_t w : in_[r]) AddUnique(in_[v], w);
    out_[v].insert(out_[v].end(), out_[r].begin(), out_[r].end());
    in_[r].clear();
    out_[r].clear();
    // What both writes and is read only inside no longer exists.
    EraseIf(out_[v], [&](uint32_t w) {
      const auto& readers = problem_.wires[w].readers;
      const bool inside =
          std::all_of(readers.begin(), readers.end(), [&](uint32_t t) { return Find(t) == v; });
      if (inside) alive_[w] = false;
      return inside;
    });
    EraseIf(in_[v], [&](uint32_t w) { return !alive_[w]; });
    for (const auto* list : {&in_[v], &out_[v]}) {
      for (const uint32_t w : *list) {
        if (!queued_[w]) {
          queued_[w] = true;
          queue_.push_back(w);
        }
      }
    }
  }

  Contraction Collect() {
    Contraction result;
    result.group.resize(parent_.size());
    result.problem.crossing = problem_.crossing;
    std::vector<uint32_t> number(parent_.size());
    for (uint32_t t = 0; t < parent_.size(); ++t) {
      if (Find(t) != t) continue;
      number[t] = static_cast<uint32_t>(result.problem.tasks.size());
      result.problem.tasks.push_back(tasks_[t]);
    }
    for (uint32_t t = 0; t < parent_.size(); ++t) result.group[t] = number[Find(t)];
    for (uint32_t w = 0; w < alive_.size(); ++w) {
      if (!alive_[w]) continue;
      const Wire& wire = problem_.wires[w];
      Wire small{result.group[wire.producer], {}, wire.up, wire.down};
      for (const uint32_t r : wire.readers) {
        if (result.group[r] != small.producer) AddUnique(small.readers, result.group[r]);
      }
      result.problem.wires.push_back(std::move(small));
    }
    return result;
  }

  const PartitionProblem& problem_;
  std::vector<uint32_t> parent_;
  std::vector<Task> tasks_;    // summed over each group
  std::vector<WireList> in_;   // wires each group reads
  std::vector<WireList> out_;  // wires each group writes
  std::vector<bool> alive_, queued_;
  std::vector<uint32_t> queue_;
};

}  // namespace

Contraction Contract(const PartitionProblem& problem) { return Contractor(problem).Run(); }

}  // namespace fogline
