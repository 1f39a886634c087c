// The charts of a lab's report.
#pragma once

#include <string>
#include <vector>

#include "lab/lab.h"

namespace fogline {

/// Bars of one experiment and wire by stage, forecasts across, true totals around.
std::string StageChart(const std::vector<const Bar*>& bars, const std::string& label);
/// The paper's figure 4: bytes of each layer's output, with the cuts.
std::string LayerChart(const ModelFacts& facts);
/// Figure 5: multiply-accumulates on either side of each cut.
std::string WorkChart(const ModelFacts& facts);
/// Figure 6: the whole network on each machine of the suite.
std::string MachineChart(const LabResult& result);
/// Figure 10: euro a month over latency, of the experiments that redraw figure 7.
std::string MoneyChart(const LabResult& result);
/// Forecast over measurement, a dot a bar.
std::string ForecastChart(const LabResult& result);
/// p95 over devices, a line a mechanism.
std::string CapacityChart(const LabResult& result);

}  // namespace fogline
