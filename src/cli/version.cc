#include <fmt/format.h>

#include <cstdio>

#include "base/json.h"
#include "cli/command.h"
#include "engine/session.h"

namespace fogline::cli {

void AddVersion(CommandLine& line) {
  Command command = line.Add("version", "Says what this build is made of");
  auto common = std::make_shared<Common>();
  AddCommon(command, *common);
  command.Example("fogline version --json", "version, engine and compiler, for scripts");
  SetAction(command, common, [common]() -> Status {
    if (common->json) {
      fmt::print("{}\n", Dump(Json{{"engine", EngineName()}, {"fogline", FOGLINE_VERSION}}));
    } else {
      fmt::print("fogline {} on {}\n", FOGLINE_VERSION, EngineName());
    }
    return {};
  });
}

}  // namespace fogline::cli
