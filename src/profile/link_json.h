// A link as programs read it: of `fogline links --json` and of the planner's list.
#pragma once

#include "base/json.h"
#include "profile/link.h"

namespace fogline {

Json LinkJson(const LinkProfile& link);

}  // namespace fogline
