// The paper's publisher: pictures in, frames out.
#pragma once

#include <array>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/stats.h"
#include "edge/locator.h"
#include "edge/mechanism.h"
#include "edge/sender.h"
#include "edge/source.h"

namespace fogline {

struct EdgeOptions {
  std::filesystem::path model;
  int side = 0;  // input size in pixels, 0: as the card says
  MechanismOptions mechanism;
  std::optional<Route> route;  // in place of side and of the mechanism's cut and codec
  std::string pace;  // a machine to be as slow as (edge/pace.h); empty: as fast as this one is
  SourceOptions source;
  SenderOptions sender;
  std::string at, gpx, gpsd;  // at most one: positions for pictures without their own
  std::string camera_offset;  // "+02:00", "auto" or empty, as CameraClock::Make takes it
  bool report_all = false;    // edge-only: send results of negative pictures too
  uint64_t count = 0;         // stop after so many pictures; 0: at the source's end
  double rate = 0;            // pictures a second at most; 0: as fast as they come
  int thumbnail = 0;          // longest side of a thumbnail sent along; 0: none
  Nanos drain = std::chrono::seconds(10);  // how long to wait for answers at the end
  /// Always the newest picture: what the camera gave while the line was busy is passed over, and
  /// what is not stored within sender.deadline is given up. Otherwise the camera waits.
  bool latest = false;
  /// Once the cloud was silent for so long, run the whole network here and keep the results, which
  /// are small, in the spool. 0: never.
  Nanos fallback{0};
  std::filesystem::path trace;  // a time line of every frame; empty: none
  /// Told how things stand every few seconds, on a thread of its own.
  std::function<void(const struct EdgeReport&)> watch;
};

/// What a run of the edge did. Times in milliseconds over the last frames (at most kSamples).
struct EdgeReport {
  static constexpr size_t kSamples = 10000;

  std::string device, mechanism, cut, codec;
  uint64_t images = 0;      // taken from the source and understood
  uint64_t skipped = 0;     // damaged or unreadable pictures
  uint64_t unplaced = 0;    // without a position
  uint64_t unreported = 0;  // edge-only: negative pictures, not sent
  uint64_t sent = 0;
  uint64_t stored = 0, duplicates = 0;
  uint64_t refused = 0;                 // for ever, by the cloud or the broker
  uint64_t dead = 0;                    // of those, and of earlier runs: in the spool's dead/ now
  uint64_t dead_dropped = 0;            // that dead/ had no room for
  uint64_t waiting = 0;                 // kept, since the cloud cannot take them yet
  uint64_t unanswered = 0;              // neither known to be stored nor kept on disk at the end
  uint64_t recovered = 0;               // frames of earlier runs, sent first
  uint64_t kept = 0;                    // on disk at the end, for the next run
  uint64_t dropped = 0;                 // given up, since the disk was full
  uint64_t unspooled = 0;               // sent from memory alone, since the disk was full
  uint64_t stale = 0;                   // given up, since they were past their deadline
  uint64_t overtaken = 0;               // pictures passed over for newer ones
  uint64_t local = 0;                   // run here altogether, since the cloud was silent
  uint64_t window = 0, kept_bytes = 0;  // now
  bool connected = false;
  double bytes_mean = 0;    // of a frame on the wire
  Summary total_ms;         // from the start of reading to the stored answer
  Summary hypothetical_ms;  // the paper's total: without waiting in queues
  Summary overhead_ms;  // total less read, resize, engine, codec and store: what the pipeline adds
  std::array<Summary, kStages.size()> stages_ms;
};

/// Why a run that came to its end has failed all the same: what was refused, dropped for want of
/// room or not answered is not stored, and a run that understood no picture did nothing. What
/// policy gives up (stale, overtaken) is no failure, nor is what the disk keeps for the next run.
Status Outcome(const EdgeReport& report);

/// Runs until the source ends or a stop is asked for, then waits for the answers. Bad pictures are
/// named in the log and counted; only what makes going on senseless (no model, no source, no such
/// cut) is an error.
Result<EdgeReport> RunEdge(const EdgeOptions& given);

}  // namespace fogline
