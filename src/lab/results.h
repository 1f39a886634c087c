// What a suite gave, as files: JSON and CSV for programs, a trace for Perfetto, a page for people.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"
#include "lab/lab.h"

namespace fogline {

/// One object: machine, bars with stages, forecasts and errors, choices with regret.
std::string ResultsJson(const LabResult& result);
/// "2.8 %", of a share of 0.028.
std::string Percent(double share);
/// A line a bar.
std::string ResultsCsv(const LabResult& result);
/// Every frame's stages in Chrome's trace format, which ui.perfetto.dev shows: a process a bar, a
/// row for device, uplink, cloud and downlink each.
std::string TraceJson(const LabResult& result);
/// One line: bars, median error, median and worst regret, and bars that the machine was too busy
/// for.
std::string SummaryLine(const LabResult& result);

struct RegretFigures {
  double median = 0, worst = 0;
};
RegretFigures RegretOf(const LabResult& result);
/// Bars whose spread says that the machine was busy.
size_t UnfairBars(const LabResult& result);

/// results.json, .csv and .md, trace.json and report.html in `folder`.
Status WriteResults(const LabResult& result, const std::filesystem::path& folder);

}  // namespace fogline
