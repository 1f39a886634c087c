// An edge's figures for Prometheus.
#pragma once

#include <span>
#include <string>

#include "edge/report.h"

namespace fogline::cli {

/// In the text format that node exporter's textfile collector reads, labelled by device. Sums over
/// devices are the reader's.
std::string EdgeMetrics(std::span<const EdgeReport> reports);

}  // namespace fogline::cli
