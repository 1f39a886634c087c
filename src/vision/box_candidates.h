// Boxes as decoders find them: many, unsorted, overlapping, in parts of the network's input.
#pragma once

#include <cstddef>
#include <vector>

namespace fogline {

struct BoxCandidate {
  float left = 0, top = 0, right = 0, bottom = 0;
  float score = 0;
  int label = 0;
  bool operator==(const BoxCandidate&) const = default;
};

/// The surest of any number of candidates: never more than four times kMost are held.
class BoxCandidates {
 public:
  static constexpr size_t kMost = 4096;

  explicit BoxCandidates(double least_score) : least_(static_cast<float>(least_score)) {}

  /// What a candidate's score must reach to be of any use; grows when there are many.
  float least() const { return least_; }
  /// Leaves out what is less sure, has no size, or holds NaN or infinite numbers.
  void Add(const BoxCandidate& candidate);
  /// By centre and size.
  void AddCentred(float x, float y, float width, float height, float score, int label) {
    Add({x - width / 2, y - height / 2, x + width / 2, y + height / 2, score, label});
  }
  /// The surest first, kMost at most; of equals the one that came first.
  std::vector<BoxCandidate> Take();
  /// The largest score seen; above 1 where the layout is not what the network has.
  float largest_score() const { return largest_; }

 private:
  void Shrink();

  float least_;
  float largest_ = 0;
  std::vector<BoxCandidate> found_;
};

}  // namespace fogline
