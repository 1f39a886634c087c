// One source and the device that it is to the cloud.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/trace.h"
#include "edge/answers.h"
#include "edge/changes.h"
#include "edge/latest.h"
#include "edge/locator.h"
#include "edge/report.h"
#include "edge/route_pool.h"
#include "edge/sender.h"
#include "edge/source.h"
#include "edge/steering.h"
#include "edge/tally.h"
#include "edge/turns.h"
#include "edge/whereabouts.h"
#include "edge/workbench.h"

namespace fogline {

struct DeviceOptions {
  SourceOptions source;
  SenderOptions sender;       // and the device's name
  SteeringRules steering;     // by numbers of the pool
  ChangeRules changes;        // by which a picture shows something new
  std::string camera_offset;  // "+02:00", "auto" or empty, as CameraClock::Make takes it
  bool json = false;          // the paper's wire
  bool report_all = false;    // edge-only: send results of negative pictures too
  uint64_t count = 0;         // stop after so many pictures; 0: at the source's end
  double rate = 0;            // pictures a second at most; 0: as fast as they come
  int thumbnail = 0;          // longest side of a thumbnail sent along; 0: none
  int workers = 1;            // threads that work on pictures side by side
  Nanos drain = std::chrono::seconds(10);  // how long to wait for answers at the end
};

/// Takes the pictures of one source, lets steering choose their routes, and sends their frames in
/// the order in which the pictures came, however many threads work on them.
class Device {
 public:
  /// What devices share; it outlives them. Any may be null.
  struct Shared {
    Locator* locator = nullptr;
    TraceFile* trace = nullptr;
    Answers* answers = nullptr;
  };
  /// The pool is shared as well.
  Device(const DeviceOptions& options, const RoutePool& pool, const Shared& shared);

  /// Opens source and sender, runs until the source ends or a stop is asked for, then waits for the
  /// answers. Bad pictures are named in the log and counted; an error is what made a beginning
  /// impossible.
  Status Run();

  /// How things stand; from any thread.
  EdgeReport report() const;

 private:
  /// A picture on its way through a worker.
  struct Taken {
    Capture capture;
    Choice choice;
    size_t route = 0;  // the choice's
    Status status;     // why there is no picture, or what became of it
  };

  Status Start();
  void NoteChoice(const Choice& choice);
  void Work(Workbench& bench);
  bool Take(Taken& out);
  bool WaitForRoom();
  bool KeepRate();
  bool Steer(Taken& out);
  void HandOn(Workbench& bench, Taken& taken);
  void TellSteering(const Workbench& bench, const Taken& taken);
  void TellChanges(const Workbench& bench, uint64_t sequence, bool sent);
  bool Ends(const Taken& taken);
  void TellOwn(Workbench& bench, const Capture& capture, bool sent);
  void OnReceipt(const Receipt& receipt);

  const DeviceOptions options_;
  const RoutePool& pool_;
  const Shared shared_;
  Tally tally_;
  Turns turns_;
  // Of whoever takes:
  std::unique_ptr<Source> source_;
  LatestSource* latest_ = nullptr;  // the same, where only the newest picture counts: of a stream,
                                    // and by policy
  Nanos next_{0};
  uint64_t taken_ = 0;
  // Of whoever hands on:
  std::optional<Whereabouts> whereabouts_;

  std::optional<Changes> changes_;  // where unchanged pictures go no way
  std::atomic<bool> ended_{false};
  /// Never held while the sender is asked anything: deliveries are told under its lock.
  mutable std::mutex steering_mutex_;
  Steering steering_;  // under steering_mutex_, but for its rules
  mutable std::mutex mutex_;
  std::condition_variable moved_;
  uint64_t moves_ = 0;              // under mutex_: counts whatever may make room
  EdgeReport report_;               // under mutex_
  bool started_ = false;            // under mutex_: from then on there is a sender
  std::unique_ptr<Sender> sender_;  // goes first: it tells deliveries
};

}  // namespace fogline
