#include "edge/report.h"

#include <algorithm>

namespace fogline {

std::span<const EdgeCount> EdgeCounts() {
  static constexpr auto kCounts = std::to_array<EdgeCount>({
      {"images", &EdgeReport::images, nullptr},
      {"skipped", &EdgeReport::skipped, "skipped"},
      {"unplaced", &EdgeReport::unplaced, "without position"},
      {"unreported", &EdgeReport::unreported, "negative, not sent"},
      {"sent", &EdgeReport::sent, nullptr},
      {"stored", &EdgeReport::stored, nullptr},
      {"duplicates", &EdgeReport::duplicates, "stored before"},
      {"refused", &EdgeReport::refused, "refused"},
      {"dead_letters", &EdgeReport::dead, "in the dead-letter folder"},
      {"dead_letters_dropped", &EdgeReport::dead_dropped, "that it had no room for"},
      {"unanswered", &EdgeReport::unanswered, "unanswered"},
      {"recovered", &EdgeReport::recovered, "of earlier runs"},
      {"waiting", &EdgeReport::waiting, "that the cloud cannot take yet"},
      {"kept", &EdgeReport::kept, "kept for the next run"},
      {"dropped", &EdgeReport::dropped, "dropped"},
      {"unspooled", &EdgeReport::unspooled, "not on disk"},
      {"stale", &EdgeReport::stale, "past their deadline"},
      {"overtaken", &EdgeReport::overtaken, "overtaken"},
      {"stream_losses", &EdgeReport::losses, "times without the stream"},
      {"local", &EdgeReport::local, "run here altogether"},
      {"early", &EdgeReport::early, "left early"},
      {"audited", &EdgeReport::audited, "sure and sent on all the same"},
      {"unchanged", &EdgeReport::unchanged, "unchanged"},
      {"unchanged_audited", &EdgeReport::unchanged_audited, "unchanged and sent on all the same"},
      {"unchanged_differ", &EdgeReport::unchanged_differ, "of these of another class"},
      {"switches", &EdgeReport::switches, "changes of route"},
      {"probes", &EdgeReport::probes, "probes of another route"},
  });
  return kCounts;
}

EdgeReport Total(std::span<const EdgeReport> reports) {
  EdgeReport total;
  total.device = "all";
  total.connected = !reports.empty();
  double bytes = 0;
  for (const EdgeReport& r : reports) {
    for (const EdgeCount& c : EdgeCounts()) total.*c.count += r.*c.count;
    total.window += r.window;
    total.kept_bytes += r.kept_bytes;
    total.unsent_bytes += r.unsent_bytes;
    total.answer_bytes = r.answer_bytes;
    total.connected = total.connected && r.connected;
    bytes += r.bytes_mean * static_cast<double>(r.stored + r.duplicates);
  }
  const uint64_t answered = total.stored + total.duplicates;
  if (answered > 0) total.bytes_mean = bytes / static_cast<double>(answered);
  return total;
}

Status Outcome(const EdgeReport& r) {
  if (r.failed) return tl::unexpected<Error>(*r.failed);
  std::string what;
  for (const auto& [count, happened] :
       {std::pair{r.refused, "refused"}, {r.dropped, "dropped"}, {r.unanswered, "unanswered"}}) {
    if (count > 0) what += fmt::format("{}{} {}", what.empty() ? "" : ", ", count, happened);
  }
  if (!what.empty()) {
    return Fail(ErrorCode::kUnavailable, "edge " + r.device, "frames that are not stored: {}",
                what);
  }
  if (r.images == 0 && r.skipped > 0) {
    return Fail(ErrorCode::kInvalid, "edge " + r.device, "none of {} pictures could be read",
                r.skipped);
  }
  return {};
}

Status Outcome(std::span<const EdgeReport> reports) {
  if (reports.size() == 1) return Outcome(reports.front());
  std::string failed;
  std::optional<Error> first;
  for (const EdgeReport& r : reports) {
    Status outcome = Outcome(r);
    if (outcome) continue;
    if (first) failed += "; ";
    failed += r.failed ? fmt::format("{}: {}", r.device, r.failed->ToString())
                       : outcome.error().ToString();
    if (!first) first = std::move(outcome.error());
  }
  if (!first) return {};
  return Fail(first->code, "", "{}", failed);
}

}  // namespace fogline
