#include "vision/findings.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"

namespace fogline {
namespace {

Status Bad(const char* what) { return Fail(ErrorCode::kInvalid, "findings", "{}", what); }

/// Written so that NaN is none.
bool IsPart(float value) { return value >= 0 && value <= 1; }

bool IsText(const std::string& text) { return text.size() <= kMaxFoundText && IsUtf8(text); }

/// Every entry of a list has a text of its own.
template <typename Entry>
Status CheckList(const std::vector<Entry>& list, std::string Entry::*text, size_t most) {
  if (list.size() > most) return Bad("hold more entries than there is room for");
  if (!std::ranges::all_of(list, [&](const Entry& entry) { return IsText(entry.*text); })) {
    return Bad("have a text that is too long or not UTF-8");
  }
  return {};
}

Status CheckKind(const ClassFindings& found) {
  FOGLINE_CHECK(CheckList(found.top, &LabelScore::label, kMaxFound));
  const bool fine = IsPart(found.score) && std::ranges::all_of(found.top, [](const LabelScore& s) {
                      return IsPart(s.score);
                    });
  return fine ? Status() : Bad("have a score outside 0..1");
}

Status CheckKind(const BoxFindings& found) {
  FOGLINE_CHECK(CheckList(found.boxes, &FoundBox::label, kMaxBoxes));
  const bool fine = std::ranges::all_of(found.boxes, [](const FoundBox& b) {
    return IsPart(b.score) && IsPart(b.x) && IsPart(b.y) && IsPart(b.w) && IsPart(b.h);
  });
  return fine ? Status() : Bad("have a box with a number outside 0..1");
}

Status CheckKind(const MaskFindings& found) {
  FOGLINE_CHECK(CheckList(found.shares, &LabelShare::label, kMaxFound));
  const bool fine =
      std::ranges::all_of(found.shares, [](const LabelShare& s) { return IsPart(s.share); });
  if (!fine) return Bad("have a share outside 0..1");
  const SmallMask& mask = found.mask;
  if (mask.width > SmallMask::kMostSide || mask.height > SmallMask::kMostSide ||
      (mask.width == 0) != (mask.height == 0) ||
      mask.cells.size() != size_t{mask.width} * mask.height) {
    return Bad("have a mask of another size than it says");
  }
  const bool known = std::ranges::all_of(mask.cells, [&](uint8_t cell) {
    return cell < found.shares.size() || cell == SmallMask::kUnseen;
  });
  return known ? Status() : Bad("have a mask with a class that has no share");
}

Status CheckKind(const NumberFindings& found) {
  FOGLINE_CHECK(CheckList(found.numbers, &NamedNumber::name, kMaxNumbers));
  FOGLINE_CHECK(CheckList(found.numbers, &NamedNumber::unit, kMaxNumbers));
  size_t texts = 0;
  for (const NamedNumber& n : found.numbers) texts += n.name.size() + n.unit.size();
  if (texts > kMaxNumberTexts) return Bad("have longer names and units than there is room for");
  const bool fine = std::ranges::all_of(
      found.numbers, [](const NamedNumber& n) { return std::isfinite(n.value); });
  return fine ? Status() : Bad("have a number that is none");
}

Status CheckKind(const RawFindings& found) {
  FOGLINE_CHECK(CheckList(found.tensors, &RawTensor::name, kMaxFound));
  const bool fine = std::ranges::all_of(found.tensors, [](const RawTensor& tensor) {
    return tensor.shape.rank() <= Shape::kMaxRank && tensor.shape.Elements().has_value();
  });
  return fine ? Status() : Bad("have a tensor of no size");
}

}  // namespace

std::string FoundText(std::string_view text) {
  std::string found = Printable(text);
  if (found.size() <= kMaxFoundText) return found;
  found.resize(kMaxFoundText);
  while (!IsUtf8(found)) found.pop_back();
  return found;
}

BoxFindings SurestOf(std::vector<FoundBox> boxes) {
  std::ranges::stable_sort(boxes, std::greater<>(), &FoundBox::score);
  BoxFindings found;
  if (boxes.size() > kMaxBoxes) {
    found.cut_off = static_cast<uint32_t>(boxes.size() - kMaxBoxes);
    boxes.resize(kMaxBoxes);
  }
  found.boxes = std::move(boxes);
  return found;
}

bool SaysMore(const Findings& findings) {
  const auto* one = std::get_if<ClassFindings>(&findings);
  return one == nullptr || !one->top.empty();
}

Status CheckFindings(const Findings& findings) {
  return std::visit([](const auto& found) { return CheckKind(found); }, findings);
}

}  // namespace fogline
