#include "lab/task.h"

#include <fmt/format.h>

#include <cmath>

#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"

namespace fogline {

std::string Fingerprint(const Suite& suite, const Bar& bar, const Model& model, int repeats,
                        int pictures) {
  const SuiteExperiment& e = suite.experiments[bar.experiment];
  const SuiteMachine& device = suite.devices[e.device];
  const SuiteMachine& cloud = suite.clouds[e.cloud];
  const SuiteLink& link = suite.links[e.link];
  const auto side = [](const SuiteMachine& m, double ms) {
    return fmt::format("{} {} {} {:.4f}", NameOf(m.evidence), m.machine, m.cores,
                       m.evidence == Evidence::kPaced ? ms : 0);
  };
  return fmt::format(
      "1|{}|{}|{}|{}|{}|{}|{}|{}x{} of {}|up {} down {} rtt {} loss {} jitter {} {} medium {} "
      "rate {}",
      ToHex(model.hash()), suite.models[e.model].side, NameOf(bar.wire), bar.cut, bar.codec,
      side(device, bar.forecast.edge), side(cloud, bar.forecast.cloud), repeats, pictures,
      suite.pictures.string(), link.profile.up.value(), link.profile.down.value(),
      link.profile.rtt.value(), link.profile.loss, link.jitter_ms,
      link.profile.trace ? link.profile.name : "", static_cast<int>(link.medium), suite.rate);
}

bool ReadTask(LabTask& task, bool quick) {
  const auto text = ReadTextFile(task.file);
  if (!text) return false;
  const Json run = ParseJson(*text, task.file.string()).value_or(Json());
  if (!run.is_object() || run.value("fingerprint", "") != task.fingerprint) return false;
  if (!ReadReport(Dump(run.value("report", Json::object())), task.bar)) return false;
  // It was not a fair figure; perhaps the machine has its peace now.
  if (task.bar.spread > kFairSpread && !quick) return false;
  task.bar.medium = run.value("medium", "");
  for (const Json& row : run.value("frames", Json::array())) {
    StageTimes times;
    for (size_t i = 0; i < kStages.size() && i < row.size(); ++i) {
      if (row[i].is_number()) times.*kStages[i].time_ms = row[i];
    }
    task.bar.frames.push_back(times);
  }
  return true;
}

Status WriteTask(const LabTask& task, const std::string& report) {
  Json frames = Json::array();
  for (const StageTimes& times : task.bar.frames) {
    Json row = Json::array();
    for (const StageField& field : kStages) {
      const float ms = times.*field.time_ms;
      row.push_back(std::isnan(ms) ? Json() : Json(std::round(ms * 1000) / 1000));
    }
    frames.push_back(std::move(row));
  }
  FOGLINE_TRY(Json reported, ParseJson(report, "edge report"));
  const Json run{{"fingerprint", task.fingerprint},
                 {"medium", task.bar.medium},
                 {"report", std::move(reported)},
                 {"frames", std::move(frames)}};
  return WriteFile(task.file, Dump(run) + "\n");
}

}  // namespace fogline
