#include "codec/rans.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <random>

namespace fogline {
namespace {

/// The textbook: one state without a bound, here in 128 bits, and no renormalisation.
class NaiveCoder {
 public:
  void Push(uint32_t start, uint32_t frequency) {
    state_ = (state_ / frequency << kRansBits) + state_ % frequency + start;
  }
  uint32_t Pop(const std::vector<uint16_t>& frequencies) {
    const auto slot = static_cast<uint32_t>(state_ % kRansTotal);
    uint32_t symbol = 0, start = 0;
    while (start + frequencies[symbol] <= slot) start += frequencies[symbol++];
    state_ = frequencies[symbol] * (state_ >> kRansBits) + slot - start;
    return symbol;
  }
  bool AtStart() const { return state_ == 1; }
  double Bits() const { return std::log2(static_cast<double>(state_)); }

 private:
  unsigned __int128 state_ = 1;
};

std::vector<uint32_t> Starts(const std::vector<uint16_t>& frequencies) {
  std::vector<uint32_t> starts(frequencies.size(), 0);
  std::partial_sum(frequencies.begin(), frequencies.end() - 1, starts.begin() + 1);
  return starts;
}

std::vector<uint16_t> Encode(const std::vector<int>& symbols,
                             const std::vector<uint16_t>& frequencies, uint32_t first) {
  const auto starts = Starts(frequencies);
  std::vector<uint16_t> words(symbols.size() + 2);
  uint16_t* to = words.data() + words.size();
  uint32_t state = first;
  for (size_t i = symbols.size(); i-- > 0;) {
    Push(MakePush(starts[symbols[i]], frequencies[symbols[i]]), state, to);
    EXPECT_GE(state, kRansLow);
  }
  *--to = static_cast<uint16_t>(state);
  *--to = static_cast<uint16_t>(state >> 16);
  return {to, words.data() + words.size()};
}

/// Decodes `count` symbols; true when that takes every word and ends in `first`.
bool Decode(const std::vector<uint16_t>& words, size_t count,
            const std::vector<uint16_t>& frequencies, uint32_t first, std::vector<int>& symbols) {
  const auto starts = Starts(frequencies);
  uint32_t state = static_cast<uint32_t>(words[0]) << 16 | words[1];
  size_t at = 2;
  for (size_t i = 0; i < count; ++i) {
    int symbol = 0;
    while (starts[symbol] + frequencies[symbol] <= Slot(state)) ++symbol;
    symbols.push_back(symbol);
    state = Pop(state, starts[symbol], frequencies[symbol]);
    if (state < kRansLow) {
      if (at == words.size()) return false;
      state = state << 16 | words[at++];
    }
  }
  return at == words.size() && state == first;
}

/// Calls `use` with every sequence of `length` symbols below `alphabet`.
template <typename Use>
void ForAllSequences(int alphabet, size_t length, const Use& use) {
  std::vector<int> symbols(length, 0);
  for (;;) {
    use(symbols);
    size_t i = 0;
    while (i < length && ++symbols[i] == alphabet) symbols[i++] = 0;
    if (i == length) return;
  }
}

TEST(Rans, AgreesWithTheTextbookOnAllShortSequences) {
  const std::vector<std::vector<uint16_t>> tables{
      {1, 4095}, {4095, 1}, {2048, 2048}, {1, 1, 4094}, {1365, 1365, 1366}, {1, 2897, 1, 1197}};
  for (const auto& frequencies : tables) {
    const auto starts = Starts(frequencies);
    const int alphabet = static_cast<int>(frequencies.size());
    for (size_t length = 0; length <= (alphabet == 2 ? 9U : 6U); ++length) {
      ForAllSequences(alphabet, length, [&](const std::vector<int>& symbols) {
        for (const uint32_t first : {kRansLow, 2 * kRansLow - 1}) {
          std::vector<int> back;
          const auto words = Encode(symbols, frequencies, first);
          ASSERT_TRUE(Decode(words, length, frequencies, first, back));
          ASSERT_EQ(back, symbols);
          if (first != kRansLow) continue;
          NaiveCoder naive;
          for (size_t i = length; i-- > 0;) {
            naive.Push(starts[symbols[i]], frequencies[symbols[i]]);
          }
          // Never longer than the textbook's state by more than the last word and the start.
          ASSERT_LE(static_cast<double>(words.size()) * 16, naive.Bits() + 16 + 16 + 1);
          for (size_t i = 0; i < length; ++i) {
            ASSERT_EQ(naive.Pop(frequencies), static_cast<uint32_t>(symbols[i]));
          }
          ASSERT_TRUE(naive.AtStart());
        }
      });
    }
  }
}

TEST(Rans, EveryFrequencyDividesExactly) {
  std::mt19937 random(7);
  for (uint32_t frequency = 1; frequency < kRansTotal; ++frequency) {
    const RansPush push = MakePush(0, frequency);
    // The worst states lie just below multiples of the frequency and just below the limit.
    for (int i = 0; i < 40; ++i) {
      uint32_t x = static_cast<uint32_t>(random() % push.limit);
      if (i == 0) x = push.limit - 1;
      if (i > 20) x = x / frequency * frequency + (frequency - 1);
      if (x >= push.limit) continue;
      ASSERT_EQ(static_cast<uint32_t>((x * push.reciprocal) >> 44), x / frequency)
          << x << " / " << frequency;
    }
  }
}

TEST(Rans, BitsPassThrough) {
  std::vector<uint16_t> words(100);
  uint16_t* to = words.data() + words.size();
  uint32_t state = kRansLow + 77;
  for (uint32_t i = 0; i < 100; ++i) PushBits(i * 37 % 256, 8, state, to);
  for (uint32_t i = 100; i-- > 0;) {
    ASSERT_EQ(state & 0xFFU, i * 37 % 256);
    state >>= 8;
    if (state < kRansLow) state = state << 16 | *to++;
  }
  EXPECT_EQ(state, kRansLow + 77);
  EXPECT_EQ(to, words.data() + words.size());
}

TEST(Rans, NormalisedCountsAddUpAndNoneIsLost) {
  std::mt19937 random(3);
  for (const size_t size : {1U, 2U, 3U, 17U, 256U, 4096U}) {
    for (int trial = 0; trial < 20; ++trial) {
      std::vector<double> counts(size);
      for (double& c : counts) c = trial == 0 ? 0 : std::exp2(random() % 24) * (random() % 3);
      const auto frequencies = NormaliseCounts(counts);
      uint32_t sum = 0;
      for (const uint16_t f : frequencies) {
        EXPECT_GE(f, 1);
        sum += f;
      }
      EXPECT_EQ(sum, kRansTotal);
    }
  }
}

}  // namespace
}  // namespace fogline
