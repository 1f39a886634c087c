// An edge's figures for Prometheus.
#pragma once

#include <string>

#include "edge/edge.h"

namespace fogline::cli {

/// In the text format that node exporter's textfile collector reads, labelled by device.
std::string EdgeMetrics(const EdgeReport& report);

}  // namespace fogline::cli
