#include "lab/bench_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "base/file.h"
#include "base/paths.h"
#include "base/process.h"
#include "codec/bundle.h"
#include "lab/cpu_limit.h"
#include "lab/forecast.h"
#include "lab/run_log.h"
#include "vision/network.h"

namespace fogline {
namespace {

/// Levels of a calibration made here, and pictures at most: enough for bytes within a few percent.
constexpr const char* kLevels[] = {"4", "6", "8"};
constexpr const char* kPicturesToTime = "40";

/// Runs a command to its end; `what` names it in errors.
Status RunToEnd(const std::string& what, std::vector<std::string> command,
                const std::filesystem::path& log) {
  FOGLINE_TRY(Process process,
              Process::Start({.command = command, .capture_stdout = false, .stderr_to = log}));
  while (process.Running() && !WaitForStop(std::chrono::milliseconds(20))) {
  }
  if (StopRequested()) {
    process.Stop();
    return Fail(ErrorCode::kCancelled, what, "stopped");
  }
  if (const int status = process.Wait(); status != 0) {
    return Fail(ErrorCode::kInternal, what, "ended with status {}: {}", status, LastComplaint(log));
  }
  return {};
}

/// Whether a calibration is this model's and holds all of these cuts.
bool Covers(const std::filesystem::path& file, const Network& network,
            const std::vector<std::string>& cuts) {
  const auto bundle = Bundle::Load(file);
  if (!bundle || bundle->model_hash() != network.model.hash()) return false;
  return std::ranges::all_of(cuts, [&](const std::string& cut) {
    const auto found = FindCut(network.model, cut);
    const auto same = [&](const CalibratedPair& pair) { return pair.cut_id == found->id; };
    // What is wrong with a cut's name is said where it is used.
    return !found || found->is_edge_only() || std::ranges::any_of(bundle->pairs(), same);
  });
}

/// The card with another input size; a minimal one where there is none.
std::string CardOfSize(const std::string& card, int side) {
  std::string out;
  bool set = false;
  for (size_t at = 0; at < card.size();) {
    const size_t end = std::min(card.find('\n', at), card.size());
    const std::string_view line(card.data() + at, end - at);
    at = end + 1;
    if (!set && line.starts_with("size ")) {
      out += fmt::format("size = {}\n", side);
      set = true;
    } else {
      out.append(line).append("\n");
    }
  }
  if (!set) out += fmt::format("[input]\nsize = {}\n", side);
  return out;
}

}  // namespace

Result<std::filesystem::path> PrepareModel(const Suite& suite, const SuiteModel& model,
                                           const std::vector<std::string>& cuts,
                                           const std::filesystem::path& folder,
                                           const std::filesystem::path& log) {
  FOGLINE_TRY(const Network as_is, LoadNetwork(model.file));
  const bool own_size = model.side > 0 && model.side != as_is.card.width;
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  const auto file = folder / model.file.filename();
  FOGLINE_TRY(const auto bytes, ReadFile(model.file));
  FOGLINE_CHECK(WriteFile(file, bytes));
  auto beside = model.file, card = file, bundle = file;
  card.replace_extension(".toml");
  bundle.replace_extension(".bundle");
  std::string text;
  if (Exists(beside.replace_extension(".toml"))) {
    FOGLINE_TRY(text, ReadTextFile(beside));
  }
  if (own_size) text = CardOfSize(text, model.side);
  if (!text.empty()) FOGLINE_CHECK(WriteFile(card, text));
  beside.replace_extension(".bundle");
  if (!own_size && Covers(beside, as_is, cuts)) {
    FOGLINE_TRY(const auto calibration, ReadFile(beside));
    FOGLINE_CHECK(WriteFile(bundle, calibration));
    return file;
  }
  // One from an earlier run, or it is made anew.
  if (Covers(bundle, as_is, cuts)) return file;
  std::filesystem::remove(bundle, error);
  std::vector<std::string> command{
      FoglinePath().string(),  "calibrate", file.string(),   "--images",
      suite.pictures.string(), "--out",     bundle.string(), "--max-images",
      kPicturesToTime,         "--bits"};
  command.insert(command.end(), std::begin(kLevels), std::end(kLevels));
  command.emplace_back("--cuts");
  for (const std::string& cut : cuts) {
    if (KindOf(cut) != MechanismKind::kEdgeOnly) command.push_back(cut);
  }
  FOGLINE_CHECK(RunToEnd("calibrate", std::move(command), log));
  return file;
}

Result<std::filesystem::path> ProfileMachine(const SuiteMachine& machine,
                                             const std::filesystem::path& model,
                                             const std::filesystem::path& file, double budget_s,
                                             const std::filesystem::path& log) {
  if (Exists(file)) return file;
  std::unique_ptr<CpuLimit> limit;
  std::vector<std::string> command;
  if (machine.evidence == Evidence::kLimited) {
    FOGLINE_TRY(limit, CpuLimit::Make(machine.cores));
    command = limit->enter();
  }
  command.insert(command.end(), {FoglinePath().string(), "profile", model.string(), "--out",
                                 file.string(), "--budget", fmt::format("{:g}", budget_s)});
  FOGLINE_CHECK(RunToEnd("profile", std::move(command), log));
  return file;
}

}  // namespace fogline
