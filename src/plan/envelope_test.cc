#include "plan/envelope.h"

#include <gtest/gtest.h>

#include <random>

namespace fogline {
namespace {

using Found = Result<std::pair<PriceLine, size_t>>;

struct Lines {
  std::vector<PriceLine> lines;
  mutable size_t calls = 0;

  size_t BestAt(double x) const {
    size_t best = 0;
    for (size_t i = 1; i < lines.size(); ++i) {
      if (lines[i].At(x) < lines[best].At(x)) best = i;
    }
    return best;
  }
  Found operator()(double x) const {
    ++calls;
    const size_t best = BestAt(x);
    return std::pair{lines[best], best};
  }
};

TEST(Envelope, FindsEveryPieceOfRandomLines) {
  std::mt19937 random(5);
  std::uniform_real_distribution<double> value(0, 100);
  for (int round = 0; round < 300; ++round) {
    Lines solver;
    for (int i = 0; i < 1 + round % 40; ++i) {
      solver.lines.push_back({Price(value(random)), Price(value(random))});
    }
    const auto pieces = LowerEnvelope<size_t>(0, 50, solver);
    ASSERT_TRUE(pieces);
    EXPECT_DOUBLE_EQ(pieces->front().from, 0);
    EXPECT_DOUBLE_EQ(pieces->back().to, 50);
    EXPECT_LE(solver.calls, 2 * pieces->size() + 1);
    for (size_t p = 0; p < pieces->size(); ++p) {
      const auto& piece = (*pieces)[p];
      if (p > 0) {
        EXPECT_DOUBLE_EQ(piece.from, (*pieces)[p - 1].to);
        // An exact break point: both sides cost the same there.
        EXPECT_NEAR(piece.line.At(piece.from).value(), (*pieces)[p - 1].line.At(piece.from).value(),
                    1e-9);
      }
      for (double t = 0; t <= 1; t += 0.25) {
        const double x = piece.from + t * (piece.to - piece.from);
        EXPECT_NEAR(piece.line.At(x).value(), solver.lines[solver.BestAt(x)].At(x).value(), 1e-9);
      }
    }
  }
}

TEST(Envelope, TiesAreOnePiece) {
  const Lines same{{{Price(3), Price(2)}, {Price(3), Price(2)}}};
  EXPECT_EQ(LowerEnvelope<size_t>(0, 10, same)->size(), 1U);
  const Lines touching{{{Price(0), Price(2)}, {Price(0), Price(5)}}};
  EXPECT_EQ(LowerEnvelope<size_t>(0, 10, touching)->size(), 1U);
}

TEST(Envelope, HandsOnTheSolversError) {
  const auto fails = [](double) -> Found { return Fail(ErrorCode::kUnsupported, "x", "never"); };
  EXPECT_EQ((LowerEnvelope<size_t>(0, 1, fails).error().message), "never");
}

}  // namespace
}  // namespace fogline
