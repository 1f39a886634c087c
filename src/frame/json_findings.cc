#include "frame/json_findings.h"

#include <utility>

#include "base/json.h"
#include "base/sorted_json.h"
#include "vision/findings_bytes.h"

namespace fogline {
namespace {

/// JSON takes more room than bytes: digits, and names of members.
constexpr size_t kMostText = 4 * kMaxFindingsBytes;

tl::unexpected<Error> Bad() {
  return Fail(ErrorCode::kInvalid, "JSON frame", "has malformed findings");
}

/// Reads members of the entries of a list, and remembers whether any was not as it must be.
class Entries {
 public:
  explicit Entries(const SortedJson& list) : list_(list) {}

  template <typename Entry, typename Each>
  std::vector<Entry> Read(size_t most, Each each) {
    std::vector<Entry> entries;
    ok = ok && list_.is_array() && list_.size() <= most;
    if (!ok) return entries;
    for (const SortedJson& item : list_) {
      ok = ok && item.is_object();
      if (!ok) return entries;
      each(item, entries.emplace_back());
    }
    return entries;
  }
  std::string Text(const SortedJson& item, const char* key) {
    const auto it = item.find(key);
    const bool fine = it != item.end() && it->is_string();
    ok = ok && fine;
    return fine ? it->get<std::string>() : std::string();
  }
  double Number(const SortedJson& item, const char* key) {
    const auto it = item.find(key);
    const bool fine = it != item.end() && it->is_number();
    ok = ok && fine;
    return fine ? it->get<double>() : 0;
  }
  /// A number that CheckFindings looks at again: beyond a float's range there is no part of 1.
  float Part(const SortedJson& item, const char* key) {
    const double value = Number(item, key);
    ok = ok && value >= 0 && value <= 1;
    return ok ? static_cast<float>(value) : 0;
  }
  Shape Dimensions(const SortedJson& item, const char* key) {
    const auto it = item.find(key);
    const bool fine = it != item.end() && it->is_array() && it->size() <= Shape::kMaxRank;
    ok = ok && fine;
    std::vector<int64_t> dims;
    if (!fine) return Shape();
    for (const SortedJson& d : *it) {
      const bool fits = d.is_number_unsigned() && std::in_range<uint32_t>(d.get<uint64_t>());
      ok = ok && fits;
      dims.push_back(fits ? d.get<int64_t>() : 0);
    }
    return Shape(dims);
  }

  bool ok = true;

 private:
  const SortedJson& list_;
};

BoxFindings ReadBoxes(const SortedJson& object, Entries& entries) {
  BoxFindings found;
  found.boxes = entries.Read<FoundBox>(kMaxBoxes, [&](const SortedJson& item, FoundBox& box) {
    box = {entries.Text(item, "label"), entries.Part(item, "score"), entries.Part(item, "x"),
           entries.Part(item, "y"),     entries.Part(item, "w"),     entries.Part(item, "h")};
  });
  if (const auto cut = object.find("boxes_cut_off"); cut != object.end()) {
    const bool fits = cut->is_number_unsigned() && std::in_range<uint32_t>(cut->get<uint64_t>());
    entries.ok = entries.ok && fits;
    if (fits) found.cut_off = cut->get<uint32_t>();
  }
  return found;
}

/// A cell and how many of it follow one another, again and again.
SmallMask ReadMask(const SortedJson& mask, Entries& entries) {
  SmallMask read;
  const double width = entries.Number(mask, "width"), height = entries.Number(mask, "height");
  const auto runs = mask.find("runs");
  entries.ok = entries.ok && width >= 1 && width <= SmallMask::kMostSide && height >= 1 &&
               height <= SmallMask::kMostSide && runs != mask.end() && runs->is_array() &&
               runs->size() % 2 == 0;
  if (!entries.ok) return {};
  read.width = static_cast<uint8_t>(width);
  read.height = static_cast<uint8_t>(height);
  const size_t cells = size_t{read.width} * read.height;
  for (size_t i = 0; i < runs->size() && entries.ok; i += 2) {
    const SortedJson &cell = (*runs)[i], &length = (*runs)[i + 1];
    entries.ok = cell.is_number_unsigned() && cell.get<uint64_t>() <= SmallMask::kUnseen &&
                 length.is_number_unsigned() && length.get<uint64_t>() <= cells - read.cells.size();
    if (!entries.ok) break;
    read.cells.insert(read.cells.end(), length.get<size_t>(), cell.get<uint8_t>());
  }
  return read;
}

MaskFindings ReadShares(const SortedJson& object, Entries& entries) {
  MaskFindings found;
  found.shares = entries.Read<LabelShare>(kMaxFound, [&](const SortedJson& item, LabelShare& one) {
    one = {entries.Text(item, "label"), entries.Part(item, "share")};
  });
  if (const auto mask = object.find("mask"); mask != object.end()) {
    entries.ok = entries.ok && mask->is_object();
    if (entries.ok) found.mask = ReadMask(*mask, entries);
  }
  return found;
}

Findings ReadMember(const SortedJson& object, const char* name, Entries& entries) {
  const std::string_view kind = name;
  if (kind == "classes") {
    return ClassFindings{-1, 0, entries.Read<LabelScore>(kMaxFound, [&](auto& item, auto& one) {
                           one = {entries.Text(item, "label"), entries.Part(item, "score")};
                         })};
  }
  if (kind == "boxes") return ReadBoxes(object, entries);
  if (kind == "shares") return ReadShares(object, entries);
  if (kind == "numbers") {
    return NumberFindings{entries.Read<NamedNumber>(kMaxNumbers, [&](auto& item, auto& one) {
      one = {entries.Text(item, "name"), entries.Number(item, "value"),
             item.contains("unit") ? entries.Text(item, "unit") : std::string()};
    })};
  }
  return RawFindings{entries.Read<RawTensor>(kMaxFound, [&](auto& item, auto& one) {
    one = {entries.Text(item, "name"), entries.Dimensions(item, "shape")};
  })};
}

}  // namespace

Result<Findings> ParseFindingsJson(std::string_view text) {
  if (text.size() > kMostText) return Bad();
  const SortedJson object = ParseSortedJson(text, "findings").value_or(SortedJson());
  if (!object.is_object()) return Bad();
  for (const char* name : {"classes", "boxes", "shares", "numbers", "raw"}) {
    const auto list = object.find(name);
    if (list == object.end()) continue;
    Entries entries(*list);
    Findings found = ReadMember(object, name, entries);
    if (!entries.ok) return Bad();
    FOGLINE_CHECK(CheckFindings(found));
    return found;
  }
  return Fail(ErrorCode::kUnsupported, "JSON frame", "has findings of an unknown kind");
}

}  // namespace fogline
