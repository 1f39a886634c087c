#include "vision/heif_claims.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace fogline {
namespace {

using Bytes = std::span<const std::byte>;

/// Takes a big-endian number of so many bytes off the front; 0 and nothing left where there are
/// fewer.
uint64_t Take(Bytes& bytes, size_t size) {
  if (size > bytes.size() || size > 8) {
    bytes = {};
    return 0;
  }
  uint64_t value = 0;
  for (size_t i = 0; i < size; ++i) value = value << 8 | std::to_integer<uint64_t>(bytes[i]);
  bytes = bytes.subspan(size);
  return value;
}
Bytes TakeBytes(Bytes& bytes, uint64_t size) {
  const Bytes taken = bytes.first(static_cast<size_t>(std::min<uint64_t>(size, bytes.size())));
  bytes = bytes.subspan(taken.size());
  return taken;
}
std::string_view TakeName(Bytes& bytes) {
  const Bytes name = TakeBytes(bytes, 4);
  return {reinterpret_cast<const char*>(name.data()), name.size()};
}

struct IsoBox {
  std::string_view kind;
  Bytes body;
};
/// Takes the first box off the front (ISO 14496-12, 4.2).
std::optional<IsoBox> TakeBox(Bytes& bytes) {
  if (bytes.size() < 8) return std::nullopt;
  IsoBox box;
  uint64_t size = Take(bytes, 4), head = 8;
  box.kind = TakeName(bytes);
  if (size == 1) {
    size = Take(bytes, 8);
    head = 16;
  }
  if (size == 0) size = head + bytes.size();  // to the end
  if (size < head) return std::nullopt;
  box.body = TakeBytes(bytes, size - head);
  return box;
}

/// What of a file's boxes leads to coded pictures.
class Container {
 public:
  explicit Container(Bytes file) : file_(file) {
    while (const auto box = TakeBox(file)) {
      if (box->kind == "meta" && box->body.size() >= 4) ReadMeta(box->body.subspan(4));
    }
    for (const Place& place : places_) Gather(place);
  }
  /// The largest that any coded picture claims.
  const CodedSize& largest() const { return largest_; }

 private:
  struct Place {
    uint64_t item = 0, method = 0;
    std::vector<std::pair<uint64_t, uint64_t>> extents;  // offset, length
  };

  void Note(std::optional<CodedSize> size) {
    if (size && size->width * size->height > largest_.width * largest_.height) largest_ = *size;
  }

  void ReadMeta(Bytes bytes) {
    while (const auto box = TakeBox(bytes)) {
      if (box->kind == "iprp") ReadProperties(box->body);
      if (box->kind == "iinf") ReadItems(box->body);
      if (box->kind == "iloc") ReadPlaces(box->body);
      if (box->kind == "idat") idat_ = box->body;
    }
  }

  void ReadProperties(Bytes bytes) {
    while (const auto outer = TakeBox(bytes)) {
      if (outer->kind != "ipco") continue;
      Bytes inner = outer->body;
      while (auto box = TakeBox(inner)) {
        if (box->kind == "hvcC") ReadHevcConfiguration(box->body);
        if (box->kind == "av1C")
          Note(LargestInObus(TakeBytes(box->body, 4).empty() ? Bytes() : box->body));
      }
    }
  }

  /// ISO 14496-15, 8.3.3.1.
  void ReadHevcConfiguration(Bytes bytes) {
    TakeBytes(bytes, 22);
    for (uint64_t arrays = Take(bytes, 1); arrays > 0; --arrays) {
      Take(bytes, 1);
      for (uint64_t units = Take(bytes, 2); units > 0 && !bytes.empty(); --units) {
        Note(SizeInNal(TakeBytes(bytes, Take(bytes, 2))));
      }
    }
  }

  void ReadItems(Bytes bytes) {
    const uint64_t version = Take(bytes, 4) >> 24;
    Take(bytes, version == 0 ? 2 : 4);
    while (auto box = TakeBox(bytes)) {
      if (box->kind != "infe") continue;
      const uint64_t entry = Take(box->body, 4) >> 24;
      if (entry < 2) continue;  // has no kind
      const uint64_t item = Take(box->body, entry == 2 ? 2 : 4);
      Take(box->body, 2);
      kinds_.emplace(item, TakeName(box->body));
    }
  }

  /// ISO 14496-12, 8.11.3.
  void ReadPlaces(Bytes bytes) {
    const uint64_t version = Take(bytes, 4) >> 24, sizes = Take(bytes, 2);
    const auto size = [&](int nibble) { return static_cast<size_t>(sizes >> (4 * nibble) & 15); };
    uint64_t items = Take(bytes, version < 2 ? 2 : 4);
    for (; items > 0 && !bytes.empty(); --items) {
      Place place;
      place.item = Take(bytes, version < 2 ? 2 : 4);
      if (version > 0) place.method = Take(bytes, 2) & 15;
      Take(bytes, 2);
      const uint64_t base = Take(bytes, size(1));
      uint64_t extents = Take(bytes, 2);
      for (; extents > 0 && !bytes.empty(); --extents) {
        if (version > 0) Take(bytes, size(0));
        const uint64_t offset = base + Take(bytes, size(3));
        place.extents.emplace_back(offset, Take(bytes, size(2)));
      }
      places_.push_back(std::move(place));
    }
  }

  /// An item's bytes may lie in pieces. Pieces that lie over one another do not become more than
  /// the file has.
  void Gather(const Place& place) {
    const auto kind = kinds_.equal_range(place.item);
    if (kind.first == kind.second || place.method > 1) return;
    const Bytes from = place.method == 1 ? idat_ : file_;
    std::vector<std::byte> joined;
    for (const auto& [offset, length] : place.extents) {
      if (offset >= from.size()) continue;
      Bytes rest = from.subspan(static_cast<size_t>(offset));
      const Bytes piece = TakeBytes(rest, length);
      if (joined.size() + piece.size() > file_.size()) break;
      joined.insert(joined.end(), piece.begin(), piece.end());
    }
    for (auto it = kind.first; it != kind.second; ++it) {
      if (it->second == "hvc1") Note(LargestInNals(joined));
      if (it->second == "av01") Note(LargestInObus(joined));
    }
  }

  const Bytes file_;
  Bytes idat_;
  std::multimap<uint64_t, std::string_view> kinds_;
  std::vector<Place> places_;
  CodedSize largest_;
};

}  // namespace

CodedSize LargestHeifClaim(std::span<const std::byte> file) { return Container(file).largest(); }

}  // namespace fogline
