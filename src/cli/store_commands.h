// The commands below `fogline store`, one a file.
#pragma once

#include "cli/command_line.h"

namespace fogline::cli {

void AddStoreCopy(Command& store);
void AddStoreDelete(Command& store);

}  // namespace fogline::cli
