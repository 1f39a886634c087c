// Whether a picture shows anything new: what a fixed camera saw last, and what became of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>

#include "frame/frame.h"
#include "vision/glance.h"

namespace fogline {

struct ChangeRules {
  /// A picture nearer than this to the last one that was stored, by DistanceOf, is unchanged. 0:
  /// none is.
  double threshold = 0;
  /// One in so many unchanged pictures, drawn by chance, goes its way all the same; 0: none.
  uint32_t audit = 0;
};

struct ChangeCounts {
  uint64_t unchanged = 0;  // pictures
  uint64_t audited = 0;    // other ones, that were as little changed and went their way
  uint64_t differ = 0;     // of these, that got another class than the picture that they are like
};

/// Compares each picture with the last one of which the outcome is settled: stored by the cloud, or
/// found not worth a report by the device. Never with another unchanged one, so that slow changes
/// add up until they count. Thread-safe.
class Changes {
 public:
  explicit Changes(const ChangeRules& rules) : rules_(rules) {}

  /// A picture that others are compared with.
  struct Known {
    uint64_t place = 0;                // in the order in which pictures were handed on
    std::optional<uint64_t> sequence;  // of its frame; none: it was not worth one
    Glance glance;
    ResultPayload result;
  };
  /// What became of a comparison.
  struct Seen {
    Glance glance;
    std::shared_ptr<const Known> like;  // null: something is new, or nothing is known yet
    bool audited = false;               // like it, and goes its way all the same
  };
  /// Looks at a picture.
  Seen Look(const Glance& glance);

  // What became of a picture; by one thread at a time, in their order.
  /// Its frame has this sequence. `own`: what the device itself found in it, if it did.
  void Sent(uint64_t sequence, const Seen& seen, std::optional<ResultPayload> own);
  /// The device found this, which is not worth a frame.
  void Unreported(const Seen& seen, const ResultPayload& own);

  /// What was answered to the frame of this sequence: whether it is stored, and what the cloud
  /// found in it, if it says so. It may be told before Sent is.
  void Answered(uint64_t sequence, bool stored, const ResultPayload* result);

  ChangeCounts counts() const;

 private:
  /// A frame that is sent and not answered yet, or whose answer came before Sent.
  struct Waiting {
    bool sent = false, answered = false, stored = false;
    std::shared_ptr<Known> picture;  // null: of an unchanged one
    std::shared_ptr<const Known> audits;
    std::optional<ResultPayload> own, said;
  };
  /// Frames under way beyond these are not remembered: after an outage it is the newest that count.
  static constexpr size_t kMostWaiting = 64;

  void Settle(uint64_t sequence);
  void Learn(std::shared_ptr<Known> picture, const std::shared_ptr<const Known>& audits);

  const ChangeRules rules_;
  mutable std::mutex mutex_;
  // Under mutex_:
  std::mt19937 random_{std::random_device{}()};
  std::shared_ptr<const Known> known_;
  std::map<uint64_t, Waiting> waiting_;  // by sequence
  uint64_t handed_on_ = 0;
  ChangeCounts counts_;
};

}  // namespace fogline
