// What each device does now: a short memory of its newest frames.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/json_writer.h"
#include "store/store.h"

namespace fogline {

/// Bounded in devices and in frames a device; when full, the device that has been silent longest
/// makes room. Not thread-safe.
class FleetMemory {
 public:
  explicit FleetMemory(const Clock& clock) : clock_(clock) {}

  /// `heard`: when it came to be known here, by the steady clock. What the workers' clocks say
  /// (stored_us) is shown, never reckoned with: they may be ahead or behind.
  void Add(const StoredDetection& stored, Nanos heard);

  /// Reads on in the store from where it last was, a few thousand rows at a time, up to the row
  /// that was the newest three seconds ago: by then an edge has told how long the network took
  /// (Store::Put's settlements), which comes after the frame itself. True when there is more to
  /// read at once.
  Result<bool> CatchUp(Store& store);
  /// Where CatchUp begins; the rows up to `last` were there before, and are waited for no longer.
  void Start(uint64_t after, uint64_t last) { cursor_ = after, before_start_ = last; }

  /// The devices as the API gives them, at most 200, the one heard last first: rates over the last
  /// minute, stage times and bytes over the frames remembered. Worked out at most once a second,
  /// however many ask.
  const std::string& Json() const;

  /// That are remembered.
  size_t devices() const { return devices_.size(); }

  /// How a device runs: what a plan can predict.
  struct Way {
    std::string device, model, cut, codec;
  };
  /// Of the same devices.
  std::vector<Way> Ways() const;

 private:
  struct Frame {
    Nanos heard{0};
    uint32_t bytes = 0;
    bool positive = false;
    bool went = true;  // its way; false: nothing was new in it
    StageTimes stages;
  };
  struct Device {
    std::deque<Frame> frames;  // oldest first
    uint64_t run = 0;
    uint64_t first_sequence = 0;  // of this run, as far as seen
    uint64_t last_sequence = 0;
    uint64_t seen = 0;  // frames of this run
    std::string mechanism, cut, codec, model, label;
    std::optional<DeviceCounts> counts;  // as it last told them in this run
    int64_t captured_us = 0;
    int64_t stored_us = 0;
    Nanos heard{0};
  };
  /// The newest id at a time.
  struct Mark {
    Nanos at{0};
    uint64_t last_id = 0;
  };

  std::string Work() const;
  void Put(JsonWriter& json, const std::string& name, const Device& device) const;
  std::vector<const std::pair<const std::string, Device>*> Listed() const;

  const Clock& clock_;
  uint64_t cursor_ = 0;        // the last row that was added
  uint64_t before_start_ = 0;  // rows up to here are older than this process
  std::deque<Mark> marks_;     // ascending; those of the last seconds, and one that is older
  std::map<std::string, Device> devices_;
  mutable std::string json_;
  mutable Nanos json_at_{0};
};

}  // namespace fogline
