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

}  // namespace
}  // namespace fogline::cli

int main(int argc, char** argv) {
  if (argc > 1 && fogline::cli::IsElsewhere(argv[1])) {
    std::fprintf(stderr, "fogline: %s\n", fogline::cli::BecomeElsewhere(argv).ToString().c_str());
    return 1;
  }
  return fogline::cli::RunProgram(argc, argv, fogline::cli::kCommands);
}
