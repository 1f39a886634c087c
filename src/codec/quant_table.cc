#include "codec/quant_table.h"

#include <cmath>

namespace fogline {
namespace {

std::array<float, 6> ShiftInSteps(const QuantTable& table) {
  std::array<float, 6> shift;
  for (size_t i = 0; i < 6; ++i) shift[i] = static_cast<float>(table.shift[i]) / 128.0F;
  return shift;
}

}  // namespace

float QuantTable::ValueOf(int q) const { return QuantValue(q, ShiftInSteps(*this)); }

double QuantTable::BitsOf(int q) const {
  const bool inside = q >= low && q <= high();
  const uint16_t frequency =
      inside ? frequencies[static_cast<size_t>(q - low)] : frequencies.back();
  return kRansBits - std::log2(frequency) + (inside ? 0 : 16);
}

Status Check(const QuantTable& table) {
  uint32_t sum = 0;
  bool fine = table.frequencies.size() >= 2 && table.frequencies.size() <= 256 &&
              table.low >= -128 && table.high() <= 127;
  for (const uint16_t f : table.frequencies) {
    fine = fine && f > 0;
    sum += f;
  }
  // The negated comparisons refuse NaN too.
  fine = fine && sum == kRansTotal && table.threshold >= 0 && table.threshold <= 4 &&
         table.rounding >= 0 && table.rounding <= 1;
  if (!fine) return Fail(ErrorCode::kInvalid, "", "holds a broken probability table");
  return {};
}

void Unroll(const QuantTable& table, PushTable& push) {
  push.of.fill({});
  uint32_t start = 0;
  for (size_t s = 0; s < table.frequencies.size(); ++s) {
    const RansPush made = MakePush(start, table.frequencies[s]);
    if (s + 1 == table.frequencies.size()) {
      push.escape = made;
    } else {
      push.of[static_cast<size_t>(table.low + 128) + s] = made;
    }
    start += table.frequencies[s];
  }
}

void Unroll(const QuantTable& table, PopTable& pop) {
  pop.symbols.fill({});
  pop.shift = ShiftInSteps(table);
  pop.escape = static_cast<uint8_t>(table.frequencies.size() - 1);
  uint32_t start = 0;
  for (size_t s = 0; s < table.frequencies.size(); ++s) {
    const uint16_t frequency = table.frequencies[s];
    pop.symbols[s] = {static_cast<uint16_t>(start), frequency,
                      QuantValue(table.low + static_cast<int>(s), pop.shift)};
    for (uint32_t i = 0; i < frequency; ++i) pop.at[start + i] = static_cast<uint8_t>(s);
    start += frequency;
  }
}

}  // namespace fogline
