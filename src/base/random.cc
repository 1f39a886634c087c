#include "base/random.h"

#include <sys/random.h>

namespace fogline {

uint64_t RandomBits() {
  uint64_t bits = 0;
  while (getrandom(&bits, sizeof(bits), 0) != sizeof(bits)) {
  }
  return bits;
}

}  // namespace fogline
