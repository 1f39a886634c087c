// Columns as bytes and back. A piece is, little-endian:
//   rows, words, names, boxes              u32 each
//   of each word and name that rows use    its number u32, length u32, text
//   ids u64, captured i64, latitudes, longitudes, Mercator's y f64, scores f32, positive u8,
//   devices, labels, mechanisms, boxes of each row u32      a column after the other
//   of each box                            number of its name u32, score f32
#include <algorithm>
#include <array>
#include <utility>

#include "base/bytes.h"
#include "store/columns.h"

namespace fogline {
namespace {

using Texts = std::unordered_map<uint32_t, std::string>;

/// Writes the texts of the numbers that are used; number `first` is that of texts[0].
uint32_t WriteTexts(std::vector<uint32_t> used, const std::vector<std::string>& texts,
                    uint32_t first, ByteWriter& out) {
  std::ranges::sort(used);
  used.erase(std::unique(used.begin(), used.end()), used.end());
  uint32_t written = 0;
  for (const uint32_t number : used) {
    if (number < first || number - first >= texts.size()) continue;
    const std::string& text = texts[number - first];
    out.Write(number);
    out.Write(static_cast<uint32_t>(text.size()));
    out.Append(text);
    ++written;
  }
  return written;
}

Texts ReadTexts(ByteReader& in, uint32_t count) {
  Texts texts;
  for (uint32_t i = 0; i < count && in.ok(); ++i) {
    const auto number = in.Read<uint32_t>();
    const auto length = in.Read<uint32_t>();
    texts.emplace(number, in.TakeText(length));
  }
  return texts;
}

/// `rows` values as they are, behind those of a column.
template <typename T>
std::span<const std::byte> TakeColumn(ByteReader& in, size_t rows) {
  return in.Take(rows * sizeof(T));
}

template <typename T>
void Extend(std::vector<T>& column, std::span<const std::byte> bytes) {
  const size_t before = column.size();
  column.resize(before + bytes.size() / sizeof(T));
  if (!bytes.empty()) std::memcpy(column.data() + before, bytes.data(), bytes.size());
}

template <typename T>
T At(std::span<const std::byte> column, size_t i) {
  T value;
  std::memcpy(&value, column.data() + i * sizeof(T), sizeof(T));
  return value;
}

}  // namespace

uint64_t Columns::Pack(uint64_t after_id, size_t most, std::vector<std::byte>& out) const {
  const auto first =
      std::upper_bound(ids_.begin() + static_cast<ptrdiff_t>(gone_), ids_.end(), after_id);
  std::vector<size_t> rows;
  for (auto i = static_cast<size_t>(first - ids_.begin()); i < ids_.size() && rows.size() < most;
       ++i) {
    if (erased_rows_[i] == 0) rows.push_back(i);
  }
  if (rows.empty()) return after_id;

  std::vector<uint32_t> words, counts, names;
  std::vector<FoundAt> boxes;
  for (const size_t row : rows) {
    words.insert(words.end(), {devices_[row], labels_[row], mechanisms_[row]});
    const auto found = FoundIn(row);
    counts.push_back(static_cast<uint32_t>(found.size()));
    boxes.insert(boxes.end(), found.begin(), found.end());
  }
  for (const FoundAt& box : boxes) names.push_back(box.label);

  ByteWriter writer(out);
  const size_t head = writer.size();
  for (int i = 0; i < 4; ++i) writer.Write(uint32_t{0});
  writer.Patch(head, static_cast<uint32_t>(rows.size()));
  writer.Patch(head + 4, WriteTexts(std::move(words), words_, 1, writer));
  writer.Patch(head + 8, WriteTexts(std::move(names), found_names_, 0, writer));
  writer.Patch(head + 12, static_cast<uint32_t>(boxes.size()));
  const auto write = [&](const auto&... columns) {
    const auto one = [&](const auto& column) {
      for (const size_t row : rows) writer.Write(column[row]);
    };
    (one(columns), ...);
  };
  write(ids_, captured_us_, lats_, lons_, mercator_ys_, scores_, positives_, devices_, labels_,
        mechanisms_);
  writer.Append(std::as_bytes(std::span(counts)));
  writer.Append(std::as_bytes(std::span(boxes)));
  return ids_[rows.back()];
}

bool Columns::Unpack(std::span<const std::byte> packed) {
  ByteReader in(packed);
  const auto rows = in.Read<uint32_t>();
  const auto word_count = in.Read<uint32_t>();
  const auto name_count = in.Read<uint32_t>();
  const auto box_count = in.Read<uint32_t>();
  const Texts words = ReadTexts(in, word_count);
  const Texts names = ReadTexts(in, name_count);
  const auto ids = TakeColumn<uint64_t>(in, rows);
  const auto captured = TakeColumn<int64_t>(in, rows);
  const auto lats = TakeColumn<double>(in, rows);
  const auto lons = TakeColumn<double>(in, rows);
  const auto ys = TakeColumn<double>(in, rows);
  const auto scores = TakeColumn<float>(in, rows);
  const auto positives = TakeColumn<uint8_t>(in, rows);
  std::array<std::span<const std::byte>, 3> numbers;
  for (auto& column : numbers) column = TakeColumn<uint32_t>(in, rows);
  const auto counts = TakeColumn<uint32_t>(in, rows);
  const auto boxes = TakeColumn<FoundAt>(in, box_count);
  if (!in.ok() || in.remaining() > 0 || rows == 0) return false;

  uint64_t last = last_id_, found = 0;
  for (size_t i = 0; i < rows; ++i) {
    const auto id = At<uint64_t>(ids, i);
    if (id <= last || At<uint8_t>(positives, i) > 1) return false;
    last = id;
    found += At<uint32_t>(counts, i);
  }
  if (found != box_count) return false;
  for (size_t i = 0; i < box_count; ++i) {
    if (!names.contains(At<FoundAt>(boxes, i).label)) return false;
  }

  Extend(ids_, ids);
  Extend(captured_us_, captured);
  Extend(lats_, lats);
  Extend(lons_, lons);
  Extend(mercator_ys_, ys);
  Extend(scores_, scores);
  Extend(positives_, positives);
  erased_rows_.resize(ids_.size(), 0);
  const std::array columns{&devices_, &labels_, &mechanisms_};
  std::unordered_map<uint32_t, uint32_t> renumbered;  // where this run numbers texts itself
  for (const auto& [number, text] : words) renumbered[number] = Number(text);
  for (size_t c = 0; c < columns.size(); ++c) {
    const size_t before = columns[c]->size();
    Extend(*columns[c], numbers[c]);
    if (words.empty()) continue;  // the store's own numbers
    for (size_t i = before; i < columns[c]->size(); ++i) {
      const auto at = renumbered.find((*columns[c])[i]);
      (*columns[c])[i] = at == renumbered.end() ? 0 : at->second;
    }
  }
  renumbered.clear();
  for (const auto& [number, text] : names) renumbered[number] = FoundNumber(text);
  for (size_t i = 0; i < box_count; ++i) {
    const auto box = At<FoundAt>(boxes, i);
    found_.push_back({renumbered.at(box.label), box.score});
  }
  uint64_t end = found_gone_ + found_.size() - box_count;
  for (size_t i = 0; i < rows; ++i) {
    found_ends_.push_back(end += At<uint32_t>(counts, i));
  }
  last_id_ = last;
  return true;
}

void Columns::Reserve(size_t rows) {
  const auto each = [rows](auto&... columns) { (columns.reserve(columns.size() + rows), ...); };
  each(ids_, captured_us_, lats_, lons_, mercator_ys_, scores_, positives_, erased_rows_, devices_,
       labels_, mechanisms_, found_ends_);
}

}  // namespace fogline
