// The few fields that maps and time lines count by, column by column in memory: half a million rows
// are counted in about ten milliseconds, where reading them from a database takes hundreds.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "store/filter.h"
#include "store/hexgrid.h"
#include "store/store.h"

namespace fogline {

/// Numbers that a filter's texts stand for; an empty set lets everything pass.
struct WordFilter {
  std::unordered_set<uint32_t> labels, devices, mechanisms;
};

/// About 60 bytes a row and 8 a box; rows are added at one end and forgotten at the other. Not
/// thread-safe.
class Columns {
 public:
  /// What stands for the time of a row that has none.
  static constexpr int64_t kNoTime = std::numeric_limits<int64_t>::min();

  struct Row {
    uint64_t id = 0;          // ascending
    int64_t captured_us = 0;  // or kNoTime
    bool has_position = false;
    double lat = 0;
    double lon = 0;
    float score = 0;
    bool positive = false;
    uint32_t device = 0;
    uint32_t label = 0;
    uint32_t mechanism = 0;
    std::span<const FoundBox> boxes = {};
  };
  /// More boxes than so many a row on average are too many to be kept here.
  static constexpr size_t kBoxesARow = 8;
  /// Nor more than so many in all: 128 MB.
  static constexpr size_t kMostBoxes = size_t{16} << 20;
  /// What the labels of boxes may take together, bytes: they come from the network.
  static constexpr size_t kMostNames = size_t{32} << 20;

  void Add(const Row& row);
  /// Lets go of the rows up to an id. Their memory goes when it is a good part of the whole.
  void Forget(uint64_t up_to_id);
  /// The same for single rows, by their ids.
  void Erase(std::span<const uint64_t> ids);
  size_t size() const { return ids_.size() - gone_ - erased_; }
  size_t boxes() const { return found_.size(); }
  /// There were more labels than there is room for: what is counted here counts for nothing.
  bool overfull() const { return name_bytes_ > kMostNames; }
  /// A number for a text of these rows, where their store has none of its own: from 1 on, the same
  /// for the same text; 0 once there are too many.
  uint32_t Number(const std::string& text);
  /// 0: no row has it.
  uint32_t NumberOf(const std::string& text) const;
  /// How many rows come after an id, some that were erased among them.
  size_t After(uint64_t id) const;
  /// Whether the newest rows of both say the same, but for numbers.
  bool SameAsLastOf(const Columns& other) const;
  /// What rows, boxes and names take, about.
  size_t bytes() const {
    constexpr size_t kRow = 60;
    return ids_.size() * kRow + found_.size() * sizeof(FoundAt) + name_bytes_;
  }
  /// Of the newest row that was ever added; 0: none was.
  uint64_t last_id() const { return last_id_; }

  std::vector<HexCount> Hexagons(const Filter& filter, const WordFilter& words, int level) const;
  /// `bins` equal parts of [from_us, to_us).
  TimeCounts Timeline(const Filter& filter, const WordFilter& words, int64_t from_us, int64_t to_us,
                      size_t bins) const;
  /// See Store::Found.
  std::vector<FoundTally> Found(const Filter& filter, const WordFilter& words) const;
  /// The ids of the rows that pass, at most `limit`.
  std::vector<uint64_t> Ids(const Filter& filter, const WordFilter& words, Order order,
                            size_t limit) const;

  /// Appends the rows after an id to `out`, at most `most` of them, with what their numbers mean: a
  /// piece of a file that Unpack reads. The id of the last one; `after_id` where there is none.
  uint64_t Pack(uint64_t after_id, size_t most, std::vector<std::byte>& out) const;
  /// Adds the rows of such a piece behind those that are here. False, and nothing was added, for
  /// bytes that Pack does not write.
  bool Unpack(std::span<const std::byte> packed);
  /// Room for so many more rows.
  void Reserve(size_t rows);

 private:
  /// Calls `each(index)` for every row that passes.
  template <typename Each>
  void Scan(const Filter& filter, const WordFilter& words, bool positioned, Each each) const;

  /// A box: its label's place in `found_names_`, and how sure it is.
  struct FoundAt {
    uint32_t label;
    float score;
  };
  std::span<const FoundAt> FoundIn(size_t row) const;
  uint32_t FoundNumber(const std::string& label);
  /// For each label whether a filter asks for it.
  std::vector<uint8_t> Wanted(const FoundFilter& filter) const;
  bool HoldsFound(size_t row, const FoundFilter& filter, const std::vector<uint8_t>& wanted) const;

  /// Closes the gaps that erased rows left.
  void Compact();

  size_t gone_ = 0;    // rows in front that were forgotten
  size_t erased_ = 0;  // others that are not there any more, and marked so in erased_rows_
  uint64_t last_id_ = 0;
  std::vector<uint64_t> ids_;
  std::vector<int64_t> captured_us_;
  std::vector<double> lats_;  // NaN: no position
  std::vector<double> lons_;
  std::vector<double> mercator_ys_;
  std::vector<float> scores_;
  std::vector<uint8_t> positives_;
  std::vector<uint8_t> erased_rows_;
  std::vector<uint32_t> devices_;
  std::vector<uint32_t> labels_;
  std::vector<uint32_t> mechanisms_;
  std::vector<FoundAt> found_;        // of all rows, one after the other
  std::vector<uint64_t> found_ends_;  // of each row, counted from the first box ever added
  uint64_t found_gone_ = 0;           // boxes whose memory went
  std::vector<std::string> found_names_;
  std::unordered_map<std::string, uint32_t> found_numbers_;
  std::vector<std::string> words_;  // of number 1 and on
  std::unordered_map<std::string, uint32_t> numbers_;
  size_t name_bytes_ = 0;
};

}  // namespace fogline
