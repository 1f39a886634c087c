// Every stored detection once more on MQTT, for whoever carries it on.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "link/link.h"
#include "store/store.h"
#include "web/detection_text.h"
#include "web/metrics.h"

namespace fogline {

struct PublisherOptions {
  LinkOptions link;
  std::string topic;
  Privacy privacy;
};

/// Publishes the rows of a store by id, each after its commit, on one topic with QoS 1. Of several
/// that share a store one does (Store::Hold), and another goes on within seconds of its end. What
/// the broker has acknowledged is marked in the store (Store::Mark, "publish:TOPIC"), and what it
/// has not is published again, after a restart too. So every row comes at least once, and for the
/// first time in the order of ids; the schema is in docs/wire_format.md. Two threads of its own,
/// one of them the link's.
class Publisher final : private LinkHandler {
 public:
  /// kUsage for what is no topic, or one below fogline/v1/, where devices speak. The store must
  /// outlive it.
  static Result<std::unique_ptr<Publisher>> Start(const PublisherOptions& options, Store& store);
  /// What is under way is marked as far as it was acknowledged.
  ~Publisher() override;

  /// New rows are in the store. Cheap, from any thread. Rows of other processes are found within a
  /// second.
  void Notify();

  std::vector<Metric> Metrics() const;

 private:
  Publisher(const PublisherOptions& options, Store& store);
  void OnConnected() override;
  void OnDisconnected() override;
  void OnMessage(const Message&) override {}
  void OnAnswered(bool taken) override;

  void Loop(const std::stop_token& stop);
  /// Publishes what may be under way; whether there may be more at once.
  Result<bool> Step();
  /// Whether it is this one that publishes.
  Result<bool> Lead();
  /// Goes on from the mark once nothing is under way any more; false: something is.
  Result<bool> Begin();
  Status SendRows(const std::vector<StoredDetection>& rows, uint64_t before);
  Status SetMark();
  std::string Text(const StoredDetection& row) const;
  void Wake();  // under mutex_
  void Wait(const std::stop_token& stop, std::chrono::milliseconds most);

  const PublisherOptions options_;
  const std::string mark_;
  const std::string holder_;
  Store& store_;
  std::atomic<uint64_t> published_{0}, too_large_{0}, missed_{0};
  // The publishing thread's own:
  uint64_t marked_ = 0;
  bool begun_ = false;  // it knows where it goes on
  Nanos asked_{0};      // when it last asked whether it leads; 0: never
  std::atomic<bool> leads_{false};
  bool failing_ = false;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  // Under mutex_:
  std::deque<uint64_t> under_way_;   // ids, in the order in which the broker will answer them
  uint64_t sent_ = 0;                // the id up to which rows were published
  std::atomic<uint64_t> taken_ = 0;  // the id up to which the broker has them
  bool connected_ = false;
  bool refused_ = false;  // the broker did not take one: it is tried again after a pause
  bool notified_ = false;
  std::unique_ptr<Link> link_;
  std::jthread thread_;
};

}  // namespace fogline
