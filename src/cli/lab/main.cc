// fogline-lab: the commands that make and measure networks. Called by fogline (cli/elsewhere.h).
#include "cli/command.h"
#include "cli/program.h"

int main(int argc, char** argv) {
  constexpr fogline::cli::AddCommand kCommands[] = {
      fogline::cli::AddLab,  fogline::cli::AddQuantize, fogline::cli::AddTrain,
      fogline::cli::AddEval, fogline::cli::AddCascade,  fogline::cli::AddChanges,
  };
  return fogline::cli::RunProgram(argc, argv, kCommands);
}
