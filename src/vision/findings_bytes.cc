#include "vision/findings_bytes.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <string_view>

#include "base/bytes.h"
#include "base/probability.h"
#include "vision/mask_runs.h"

namespace fogline {
namespace {

/// The kinds in bytes, for ever.
/// Masks and numbers with units came later: what the older kinds can say is said in them.
enum class Kind : uint8_t {
  kClass = 0,
  kBoxes = 1,
  kShares = 2,
  kNumbers = 3,
  kRaw = 4,
  kMask = 5,
  kManyNumbers = 6
};

constexpr float kPartUnits = 65535;
constexpr size_t kLongestRun = 256;

tl::unexpected<Error> Malformed(const char* what) {
  return Fail(ErrorCode::kInvalid, "findings", "{}", what);
}

class Writer {
 public:
  explicit Writer(std::vector<std::byte>& out) : bytes_(out) {}

  void operator()(const ClassFindings& found) {
    bytes_.Write(Kind::kClass);
    bytes_.Write(int32_t{found.label});
    bytes_.Write(found.score);
    List(found.top, [&](const LabelScore& one) {
      Text(one.label);
      bytes_.Write(one.score);
    });
  }
  void operator()(const BoxFindings& found) {
    bytes_.Write(Kind::kBoxes);
    bytes_.Write(found.cut_off);
    std::map<std::string_view, uint16_t> numbers;
    std::vector<std::string_view> labels;
    for (const FoundBox& box : found.boxes) {
      if (numbers.try_emplace(box.label, static_cast<uint16_t>(labels.size())).second) {
        labels.push_back(box.label);
      }
    }
    bytes_.Write(static_cast<uint16_t>(labels.size()));
    for (const std::string_view label : labels) Text(label);
    bytes_.Write(static_cast<uint16_t>(found.boxes.size()));
    for (const FoundBox& box : found.boxes) {
      bytes_.Write(numbers[box.label]);
      bytes_.Write(box.score);
      for (const float part : {box.x, box.y, box.w, box.h}) {
        bytes_.Write(static_cast<uint16_t>(std::lround(part * kPartUnits)));
      }
    }
  }
  void operator()(const MaskFindings& found) {
    bytes_.Write(found.mask.cells.empty() ? Kind::kShares : Kind::kMask);
    List(found.shares, [&](const LabelShare& one) {
      Text(one.label);
      bytes_.Write(one.share);
    });
    if (found.mask.cells.empty()) return;
    bytes_.Write(found.mask.width);
    bytes_.Write(found.mask.height);
    ForRuns(found.mask.cells, kLongestRun, [&](uint8_t cell, size_t length) {
      bytes_.Write(cell);
      bytes_.Write(static_cast<uint8_t>(length - 1));
    });
  }
  void operator()(const NumberFindings& found) {
    const bool plain =
        found.numbers.size() <= kMaxFound &&
        std::ranges::all_of(found.numbers, [](const NamedNumber& n) { return n.unit.empty(); });
    if (!plain) {
      bytes_.Write(Kind::kManyNumbers);
      bytes_.Write(static_cast<uint16_t>(found.numbers.size()));
      for (const NamedNumber& one : found.numbers) {
        Text(one.name);
        Text(one.unit);
        bytes_.Write(one.value);
      }
      return;
    }
    bytes_.Write(Kind::kNumbers);
    List(found.numbers, [&](const NamedNumber& one) {
      Text(one.name);
      bytes_.Write(one.value);
    });
  }
  void operator()(const RawFindings& found) {
    bytes_.Write(Kind::kRaw);
    List(found.tensors, [&](const RawTensor& one) {
      Text(one.name);
      bytes_.Write(static_cast<uint8_t>(one.shape.rank()));
      for (const int64_t d : one.shape) bytes_.Write(static_cast<uint32_t>(d));
    });
  }

 private:
  struct Bytes : ByteWriter {
    using ByteWriter::ByteWriter;
    using ByteWriter::Write;
    void Write(Kind kind) { Write(static_cast<uint8_t>(kind)); }
  };
  void Text(std::string_view text) {
    bytes_.Write(static_cast<uint8_t>(text.size()));
    bytes_.Append(text);
  }
  template <typename Entry, typename Each>
  void List(const std::vector<Entry>& list, Each each) {
    bytes_.Write(static_cast<uint8_t>(list.size()));
    for (const Entry& entry : list) each(entry);
  }

  Bytes bytes_;
};

class FindingsReader {
 public:
  explicit FindingsReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  Result<Findings> Read() {
    const auto kind = bytes_.Read<uint8_t>();
    if (!bytes_.ok()) return Malformed("are empty");
    switch (static_cast<Kind>(kind)) {
      case Kind::kClass:
        return End(ReadClass());
      case Kind::kBoxes:
        return End(ReadBoxes());
      case Kind::kShares:
        return End(ReadShares());
      case Kind::kNumbers:
        return End(ReadNumbers());
      case Kind::kRaw:
        return End(ReadRaw());
      case Kind::kMask:
        return End(ReadMask());
      case Kind::kManyNumbers:
        return End(ReadManyNumbers());
    }
    return Fail(ErrorCode::kUnsupported, "findings",
                "are of kind {}, which this build does not read", kind);
  }

 private:
  ClassFindings ReadClass() {
    ClassFindings found;
    found.label = bytes_.Read<int32_t>();
    found.score = Probability();
    List(found.top, [&](LabelScore& one) {
      one.label = Text();
      one.score = Probability();
    });
    return found;
  }
  BoxFindings ReadBoxes() {
    BoxFindings found;
    found.cut_off = bytes_.Read<uint32_t>();
    std::vector<std::string_view> labels(Count<uint16_t>(kMaxBoxes));
    for (std::string_view& label : labels) label = Text();
    found.boxes.resize(Count<uint16_t>(kMaxBoxes));
    for (FoundBox& box : found.boxes) {
      const auto label = bytes_.Read<uint16_t>();
      fine_ = fine_ && label < labels.size();
      if (fine_) box.label = labels[label];
      box.score = Probability();
      for (float* part : {&box.x, &box.y, &box.w, &box.h}) {
        *part = static_cast<float>(bytes_.Read<uint16_t>()) / kPartUnits;
      }
    }
    return found;
  }
  MaskFindings ReadShares() {
    MaskFindings found;
    List(found.shares, [&](LabelShare& one) {
      one.label = Text();
      one.share = Probability();
    });
    return found;
  }
  NumberFindings ReadNumbers() {
    NumberFindings found;
    List(found.numbers, [&](NamedNumber& one) {
      one.name = Text();
      one.value = bytes_.Read<double>();
    });
    return found;
  }
  MaskFindings ReadMask() {
    MaskFindings found = ReadShares();
    found.mask.width = bytes_.Read<uint8_t>();
    found.mask.height = bytes_.Read<uint8_t>();
    const size_t cells = size_t{found.mask.width} * found.mask.height;
    fine_ = fine_ && found.mask.width <= SmallMask::kMostSide &&
            found.mask.height <= SmallMask::kMostSide && cells > 0;
    while (fine_ && bytes_.ok() && found.mask.cells.size() < cells) {
      const auto cell = bytes_.Read<uint8_t>();
      found.mask.cells.insert(found.mask.cells.end(), size_t{1} + bytes_.Read<uint8_t>(), cell);
    }
    return found;
  }
  NumberFindings ReadManyNumbers() {
    NumberFindings found;
    const size_t count = Count<uint16_t>(kMaxNumbers);
    for (size_t i = 0; i < count && bytes_.ok(); ++i) {
      NamedNumber& one = found.numbers.emplace_back();
      one.name = Text();
      one.unit = Text();
      one.value = bytes_.Read<double>();
    }
    return found;
  }
  RawFindings ReadRaw() {
    RawFindings found;
    List(found.tensors, [&](RawTensor& one) {
      one.name = Text();
      std::array<int64_t, Shape::kMaxRank> dims{};
      const size_t rank = Count<uint8_t>(Shape::kMaxRank);
      for (size_t d = 0; d < rank; ++d) dims[d] = bytes_.Read<uint32_t>();
      one.shape = Shape(std::span<const int64_t>(dims.data(), rank));
    });
    return found;
  }

  /// How many follow; 0 where that is more than there may be, and then nothing is believed.
  template <typename T>
  size_t Count(size_t most) {
    const size_t count = bytes_.Read<T>();
    fine_ = fine_ && count <= most;
    return fine_ ? count : 0;
  }
  std::string_view Text() { return bytes_.TakeText(bytes_.Read<uint8_t>()); }
  float Probability() {
    const auto score = ToProbability(bytes_.Read<float>());
    fine_ = fine_ && score.has_value();
    return score.value_or(0);
  }
  template <typename Entry, typename Each>
  void List(std::vector<Entry>& list, Each each) {
    list.resize(Count<uint8_t>(kMaxFound));
    for (Entry& entry : list) each(entry);
  }
  Result<Findings> End(Findings found) {
    if (!fine_ || !bytes_.ok() || bytes_.remaining() != 0) return Malformed("are malformed");
    FOGLINE_CHECK(CheckFindings(found));
    return found;
  }

  ByteReader bytes_;
  bool fine_ = true;
};

}  // namespace

void WriteFindings(const Findings& findings, std::vector<std::byte>& out) {
  std::visit(Writer(out), findings);
}

Result<Findings> ParseFindings(std::span<const std::byte> bytes) {
  if (bytes.size() > kMaxFindingsBytes) return Malformed("are longer than any can be");
  return FindingsReader(bytes).Read();
}

}  // namespace fogline
