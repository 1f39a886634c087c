// The cloud's counters as the web server wants them.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "cloud/cloud.h"
#include "web/metrics.h"
#include "web/readiness.h"

namespace fogline {

/// The server starts before the cloud and asks from a thread of its own.
class CloudMetrics {
  struct Place {
    std::mutex mutex;
    const Cloud* cloud = nullptr;
  };

 public:
  CloudMetrics() : place_(std::make_shared<Place>()) {}

  /// The counters are the cloud's for as long as this lives.
  class Shown {
   public:
    Shown(std::shared_ptr<Place> place, const Cloud* cloud) : place_(std::move(place)) {
      Set(cloud);
    }
    ~Shown() { Set(nullptr); }
    Shown(const Shown&) = delete;
    Shown& operator=(const Shown&) = delete;

   private:
    void Set(const Cloud* cloud) {
      const std::lock_guard lock(place_->mutex);
      place_->cloud = cloud;
    }
    std::shared_ptr<Place> place_;
  };
  [[nodiscard]] Shown Show(const Cloud& cloud) { return Shown(place_, &cloud); }

  /// For WebOptions::metrics: nothing while no cloud is shown.
  std::function<std::vector<Metric>()> Ask() const;
  /// For WebOptions::cloud: one that does not run while no cloud is shown.
  std::function<CloudState()> AskState() const;

 private:
  std::shared_ptr<Place> place_;
};

}  // namespace fogline
