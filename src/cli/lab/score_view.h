// A classifier's score as tables and JSON, for train and eval.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/progress.h"
#include "learn/score.h"
#include "report/table.h"

namespace fogline::cli {

/// One row a class: pictures, precision, recall, F1, then how many were taken for each class.
Table ClassTable(const std::vector<std::string>& labels, const Score& score);

/// The first `most` of `mistakes`: file, class, what it was taken for and how sure.
Table MistakeTable(const std::vector<std::string>& labels, const std::vector<Prediction>& mistakes,
                   size_t most);

Json ClassesToJson(const std::vector<std::string>& labels, const Score& score);
/// The wrong ones of `predictions`, worst first.
Json MistakesToJson(const std::vector<std::string>& labels,
                    const std::vector<Prediction>& predictions);

/// A progress line for each stage of a command, one after the other.
class StageProgress {
 public:
  /// One more of `total` is done; another name than before starts the next line.
  void Advance(std::string_view stage, size_t total);
  void Wipe() { line_.reset(); }

 private:
  std::string stage_;
  std::unique_ptr<Progress> line_;
};

}  // namespace fogline::cli
