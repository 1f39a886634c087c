// Numbers that nobody can guess, from the kernel.
#pragma once

#include <cstdint>

namespace fogline {

/// 64 random bits, good enough for names that must neither be guessed nor given twice. Waits for
/// the kernel to have some, right after a machine's start.
uint64_t RandomBits();

}  // namespace fogline
