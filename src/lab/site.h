// A line stood up for measuring: broker, link, cloud, each its own process as in the field, and
// edges run through it one after the other.
#pragma once

#include <array>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "frame/stages.h"
#include "lab/suite.h"

namespace fogline {

/// What one run of the edge gave: its own report, and each frame's stages from the store.
struct SiteRun {
  std::string report;              // JSON, as `fogline edge --json` prints it
  std::vector<StageTimes> frames;  // in the order of the pictures; network unknown of the last few
};

struct EdgeRun {
  std::string device;  // its name
  std::string cut, codec;
  WireKind wire = WireKind::kFogline;
  int count = 0;
  double rate = 0;  // pictures a second; 0: the next one when the last one is stored
};

class LabSite {
 public:
  /// `model` is the ONNX file in a folder of its own; `log` gets what the processes say.
  static Result<std::unique_ptr<LabSite>> Open(const Suite& suite, const SuiteMachine& device,
                                               const SuiteMachine& cloud, const SuiteLink& link,
                                               const std::filesystem::path& model,
                                               const std::filesystem::path& log);
  virtual ~LabSite() = default;

  /// What carries the bytes: "kernel: tbf, netem", "kernel: tbf; delay in user space", "user
  /// space".
  virtual const std::string& medium() const = 0;
  /// Why the kernel does not, where it was asked first; empty otherwise.
  virtual const std::string& fallback() const = 0;
  virtual Result<SiteRun> Run(const EdgeRun& run) = 0;
};

}  // namespace fogline
