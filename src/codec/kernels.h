// The arithmetic over one tile of kLanes channels: gathered from the tensor, transformed, quantised
// and back. Plain loops over lanes that the compiler vectorises; every result is defined by IEEE
// single precision, operation by operation, so that each machine computes the same bits.
#pragma once

#include <cstdint>
#include <vector>

#include "codec/layout.h"

// One clone for AVX2 beside the portable code, picked when the program starts. Sanitizers run
// before the resolvers of such functions may, so they get the portable code only.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define FOGLINE_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define FOGLINE_CLONES
#endif

namespace fogline {

/// The orthonormal DCT-II of `size` points, by rows: row f is frequency f. Correctly rounded from
/// a computation that is exact to far more digits, so the same on every machine.
std::vector<float> DctBasis(int size);

/// Transforms of one layout's tiles. Holds scratch memory: one thread at a time.
/// A tile is [row][column][lane], coefficients [frequency in coding order][lane].
class TileTransform {
 public:
  explicit TileTransform(const Layout& layout);

  /// Reads tile `tile` of channel group `group` and leaves its coefficients in `coefficients`;
  /// idle lanes are 0. False when an element is NaN or infinite.
  bool Forward(const float* tensor, int64_t tile, int group, float* coefficients);
  /// The inverse: writes the tile into the tensor.
  void Inverse(const float* coefficients, int64_t tile, int group, float* tensor);

 private:
  const Layout& layout_;
  std::vector<float> rows_, columns_, rows_transposed_, columns_transposed_;
  std::vector<float> tile_, half_;
};

/// What one group of channels needs to quantise, by [band][lane], means by [k][lane].
struct GroupSteps {
  const float* mean;  // for the first `means` frequencies in coding order
  int means;
  const float* inverse;    // 1 / step
  const float* threshold;  // magnitudes below it, in steps, become 0
  const float* rounding;   // others become floor(magnitude + rounding)
};

/// coefficients → symbols in ±32767, both [k][lane]; `count` frequencies with bands `band`.
void Quantise(const float* coefficients, const int* band, int count, const GroupSteps& steps,
              int16_t* symbols);

/// values (in steps) → coefficients in place: times step [band][lane], plus mean.
void Dequantise(float* values, const int* band, int count, const float* step, const float* mean,
                int means);

}  // namespace fogline
