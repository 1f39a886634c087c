// Any bytes as a piece of a mirror's copy: refused whole, or rows that can be counted, packed and
// read again.
#include <cstdlib>

#include "store/columns.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fogline;
  Columns columns;
  if (!columns.Unpack(std::as_bytes(std::span(data, size)))) {
    if (columns.size() != 0 || columns.last_id() != 0) std::abort();
    return 0;
  }
  Filter found;
  found.found.least = 1;
  (void)columns.Hexagons({}, {}, 7);
  (void)columns.Timeline({}, {}, 0, 1'000'000, 10);
  (void)columns.Found(found, {});
  std::vector<std::byte> packed;
  const uint64_t last = columns.Pack(0, columns.size(), packed);
  Columns again;
  if (last != columns.last_id() || !again.Unpack(packed)) std::abort();
  if (again.Ids({}, {}, Order::kOldestFirst, 100) !=
      columns.Ids({}, {}, Order::kOldestFirst, 100)) {
    std::abort();
  }
  return 0;
}
