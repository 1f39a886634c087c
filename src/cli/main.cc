// fogline: plans, edges, clouds, maps and the demo. What makes and measures networks is in
// fogline-lab (elsewhere.h).
#include <cstdio>

#include "cli/command.h"
#include "cli/elsewhere.h"
#include "cli/program.h"

namespace fogline::cli {
namespace {

// One line a command, in the order of --help.
// clang-format off
constexpr AddCommand kCommands[] = {
    AddInspect,
    AddSplit,
    AddRun,
    AddCalibrate,
    AddProfile,
    AddPlan,
    AddMachines,
    AddLinks,
    AddCost,
    AddDemo,
    AddEdge,
    AddCloud,
    AddMap,
    AddStore,
    AddKeys,
    AddHealth,
    AddElsewhere,
    AddVersion,
};
// clang-format on

constexpr const char* kWelcome =
    R"(Fogline draws the line between edge and cloud through a CNN, and runs it on both sides.

  fogline demo                  all of it on this machine: devices, broker, cloud and a map
  fogline inspect MODEL         every place where a network can be cut, and what crosses there
  fogline plan MODEL --edge raspberry-pi-4 --cloud t2.micro --link 4g
                                where its layers should run, proved, and what that costs
  fogline edge --model MODEL --source rtsp://camera/stream --cut split13
                                the device: pictures in, frames out
  fogline cloud --models DIR --store sqlite:fogline.db --http 127.0.0.1:8080
                                the cloud: frames in, detections on a map

MODEL is an ONNX file; models/litter.onnx comes with Fogline. All commands: fogline --help.
Flags and examples of one: fogline COMMAND --help.
)";

}  // namespace
}  // namespace fogline::cli

int main(int argc, char** argv) {
  if (argc > 1 && fogline::cli::IsElsewhere(argv[1])) {
    std::fprintf(stderr, "fogline: %s\n", fogline::cli::BecomeElsewhere(argv).ToString().c_str());
    return 1;
  }
  return fogline::cli::RunProgram(argc, argv, fogline::cli::kCommands, fogline::cli::kWelcome);
}
