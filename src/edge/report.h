// What an edge did.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/stats.h"
#include "edge/source.h"
#include "frame/stages.h"

namespace fogline {

/// What one source's pictures became. Times in milliseconds over the last frames (at most
/// kSamples).
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
  uint64_t early = 0;                   // done with at an early exit
  uint64_t audited = 0;                 // sure there, and sent on all the same
  uint64_t unchanged = 0;               // like the last stored one: its result is said again
  uint64_t unchanged_audited = 0;       // as little changed, and sent all the same
  uint64_t unchanged_differ = 0;        // of these, that got another class
  uint64_t switches = 0;                // pictures that went another way than the one before
  uint64_t probes = 0;                  // of those, to learn what another way would cost
  uint64_t losses = 0;                  // times that a stream gave nothing more and was begun anew
  std::optional<SourceState> source;    // of a stream or video
  uint64_t window = 0, kept_bytes = 0;  // now
  uint64_t unsent_bytes = 0;            // now, that the broker has not taken
  uint64_t answer_bytes = 0;            // now, of lines that nobody has read, of all sources
  bool connected = false;
  /// Where steering chooses: pictures by the route that they went, as text, in the policy's order.
  std::vector<std::pair<std::string, uint64_t>> routes;
  double uplink_mbps = 0, cloud_stretch = 0;  // as steering believes them now; 0: nothing yet
  double bytes_mean = 0;                      // of a frame on the wire
  Summary total_ms;                           // from the start of reading to the stored answer
  Summary hypothetical_ms;                    // the paper's total: without waiting in queues
  Summary overhead_ms;  // total less read, resize, engine, codec and store: what the pipeline adds
  std::array<Summary, kStages.size()> stages_ms;
  std::optional<Error> failed;  // why its source gave nothing, while others went on
};

/// A count of the report as JSON and people name it; people are not told what is 0.
struct EdgeCount {
  const char* key;
  uint64_t EdgeReport::*count;
  const char* words;  // none where the report's own sentence says it
};
/// All of them, in the order of the JSON.
std::span<const EdgeCount> EdgeCounts();

/// The counts of several sources together. Times are each source's own.
EdgeReport Total(std::span<const EdgeReport> reports);

/// Why a run that came to its end has failed all the same: what was refused, dropped for want of
/// room or not answered is not stored, and a run that understood no picture did nothing. What
/// policy gives up (stale, overtaken) is no failure, nor is what the disk keeps for the next run.
Status Outcome(const EdgeReport& report);
/// The same of all sources: one that failed is enough.
Status Outcome(std::span<const EdgeReport> reports);

}  // namespace fogline
