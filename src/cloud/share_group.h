// The share group that workers join unless told otherwise.
#pragma once

#include <string>

#include "base/result.h"
#include "link/link.h"

namespace fogline {

/// A broker need not ask who may subscribe, only who may read (mosquitto's access lists do not
/// ask), and it hands each frame to one member of the group, where it is lost if that one may not
/// read it: a device that knew the group's name could take frames away from the workers. With a key
/// the name is therefore one that only holders of the key can tell, "cloud-" and 32 hex digits of
/// its hash; without one, "cloud".
Result<std::string> ShareGroup(const LinkOptions& link);

}  // namespace fogline
