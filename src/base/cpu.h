// This machine's processor.
#pragma once

#include <string>

namespace fogline {

/// What the kernel calls it ("AMD EPYC 7543", "Raspberry Pi 3 Model B Plus Rev 1.3"); empty where
/// it does not say.
std::string CpuName();

}  // namespace fogline
