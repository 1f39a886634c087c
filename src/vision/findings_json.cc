#include "vision/findings_json.h"

#include "base/json_writer.h"
#include "vision/mask_runs.h"

namespace fogline {
namespace {

class FindingsWriter {
 public:
  explicit FindingsWriter(std::string& out) : json_(out) {}

  void operator()(const ClassFindings& found) {
    if (found.top.empty()) return;
    List("classes", found.top, [&](const LabelScore& one) {
      json_.Put("label", one.label);
      json_.Put("score", one.score);
    });
  }
  void operator()(const BoxFindings& found) {
    List("boxes", found.boxes, [&](const FoundBox& b) {
      json_.Put("label", b.label);
      json_.Put("score", b.score);
      json_.Put("x", b.x);
      json_.Put("y", b.y);
      json_.Put("w", b.w);
      json_.Put("h", b.h);
    });
    if (found.cut_off > 0) json_.Put("boxes_cut_off", found.cut_off);
  }
  void operator()(const MaskFindings& found) {
    List("shares", found.shares, [&](const LabelShare& one) {
      json_.Put("label", one.label);
      json_.Put("share", one.share);
    });
    if (found.mask.cells.empty()) return;
    json_.Object("mask", [&] {
      json_.Put("width", int{found.mask.width});
      json_.Put("height", int{found.mask.height});
      json_.Array("runs", [&] {
        ForRuns(found.mask.cells, found.mask.cells.size(), [&](uint8_t cell, size_t length) {
          json_.Put(int{cell});
          json_.Put(static_cast<int>(length));
        });
      });
    });
  }
  void operator()(const NumberFindings& found) {
    List("numbers", found.numbers, [&](const NamedNumber& one) {
      json_.Put("name", one.name);
      json_.Put("value", one.value);
      if (!one.unit.empty()) json_.Put("unit", one.unit);
    });
  }
  void operator()(const RawFindings& found) {
    List("raw", found.tensors, [&](const RawTensor& one) {
      json_.Put("name", one.name);
      json_.List("shape", one.shape, [&](int64_t d) { json_.Put(d); });
    });
  }

 private:
  /// An object an entry.
  template <typename Entry, typename Members>
  void List(std::string_view name, const std::vector<Entry>& list, Members members) {
    json_.List(name, list, [&](const Entry& entry) { json_.Object([&] { members(entry); }); });
  }

  JsonWriter json_;
};

}  // namespace

void AppendFindingsJson(std::string& out, const Findings& findings) {
  std::visit(FindingsWriter(out), findings);
}

}  // namespace fogline
