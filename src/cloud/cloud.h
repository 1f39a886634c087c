// The paper's subscriber: frames in, detections stored, and only then acknowledged.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "cloud/audit_watch.h"
#include "cloud/hard_keeper.h"
#include "cloud/raw_keeper.h"
#include "cloud/registry.h"
#include "cloud/stats.h"
#include "cloud/unstored.h"
#include "link/link.h"
#include "store/store.h"

namespace fogline {

struct CloudOptions {
  LinkOptions link;   // its name is filled in
  std::string group;  // workers of one share group divide the frames; empty: by ShareGroup
  Registry::Options models;
  std::string pace;    // a machine to be as slow as; empty: as fast as this one is
  int workers = 1;     // threads that run suffixes
  size_t queue = 256;  // frames waiting for a worker; beyond it the broker is held back
  size_t queue_bytes = size_t{64} << 20;  // and what they may take together
  size_t most_bytes = size_t{16} << 20;   // of one frame; larger ones are refused by their header
  std::filesystem::path trace;            // a time line of every frame; empty: none
  RawKeeper::Options raw;                 // where outputs that nobody reads are kept
  HardKeeper::Options hard;               // where pictures are kept that networks find hard
  int thumbnail = 0;       // longest side, in pixels, of small pictures that are kept; 0: none is
  double device_rate = 0;  // frames a second of one device at most (see DeviceGuard); 0: no limit
};

/// Receives on the link's thread and works on `workers` threads. One that has nothing else to do
/// stores and answers its own frame; where more is going on, or there is but one, a thread more
/// does, and commits whatever has piled up at once.
class Cloud {
 public:
  /// `stored` is called after each commit that brought something new, by one thread at a time.
  static Result<std::unique_ptr<Cloud>> Start(const CloudOptions& options, Store& store,
                                              std::function<void()> stored);
  virtual ~Cloud() = default;

  virtual const CloudStats& stats() const = 0;
  virtual CloudHeld held() const = 0;
  virtual CloudRemembers remembers() const = 0;
  /// To the broker.
  virtual bool connected() const = 0;
  /// What keeps raw outputs; null where none are kept.
  virtual const RawKeeper* raw() const = 0;
  /// What keeps hard pictures; null where none are kept.
  virtual const HardKeeper* hard() const = 0;
  /// How the pictures that devices are sure of agree with the whole network, by gate.
  virtual std::vector<AuditWatch::Standing> audits() const = 0;
  /// What was not stored, by device: of the thousand that had trouble last.
  virtual std::map<std::string, Unstored> unstored() const = 0;
  /// Takes no more frames (the broker gives them to the others of the group), finishes and answers
  /// those at hand, and disconnects. What the broker still held for this worker stays with its
  /// devices, which send it again.
  virtual void Stop() = 0;
};

}  // namespace fogline
