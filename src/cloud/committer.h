// The cloud's answering side: what is worked through is stored, and only then answered.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/trace.h"
#include "cloud/audit_watch.h"
#include "cloud/batch.h"
#include "cloud/complaints.h"
#include "cloud/group_commit.h"
#include "cloud/stats.h"
#include "cloud/unstored.h"
#include "link/link.h"
#include "store/store.h"

namespace fogline {

/// A group commit and its batches (which decide everything) between workers, store and link.
/// Thread-safe.
class Committer {
 public:
  /// What it works with, for as long as it lives.
  struct Parts {
    Store* store;
    Link* link;
    CloudStats* stats;
    UnstoredByDevice* unstored;
    Complaints* complaints;
    AuditWatch* audits;
    TraceFile* trace;              // null: none
    std::function<void()> stored;  // called after each commit, by one thread at a time
  };

  Committer(const GroupCommit::Limits& limits, Parts parts);
  ~Committer() { Stop(); }

  /// Takes a frame over, and waits where there is no room for it. The calling worker may find
  /// itself committing it. Dropped without an answer after Stop.
  void Hand(Finished frame);

  /// Of what waits for a commit.
  size_t bytes() const {
    const std::lock_guard lock(mutex_);
    return group_.bytes();
  }

  /// Commits and answers what is there, and ends.
  void Stop();

 private:
  void Loop();
  void Commit(std::unique_lock<std::mutex>& lock);
  void CommitBatch();
  void Answer(const Batch::Action& answer);
  void Trace(const Finished& frame);
  bool busy() const { return parts_.stats->waiting > 0; }

  const Parts parts_;
  mutable std::mutex mutex_;
  std::condition_variable room_, filled_;
  GroupCommit group_;              // under mutex_
  Batch batch_;                    // of whoever commits
  std::vector<std::byte> answer_;  // the same
  std::jthread thread_;
};

}  // namespace fogline
