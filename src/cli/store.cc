// fogline store: what is done to a store as a whole.
#include "cli/command.h"
#include "cli/store_commands.h"

namespace fogline::cli {

void AddStore(CommandLine& line) {
  Command command = line.Add("store", "Does something to a store as a whole");
  AddStoreCopy(command);
  AddStoreDelete(command);
}

}  // namespace fogline::cli
