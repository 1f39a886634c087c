#include "vision/findings_json.h"

#include <fmt/ranges.h>

#include <iterator>

#include "base/text.h"

namespace fogline {
namespace {

class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  void operator()(const ClassFindings& found) {
    if (found.top.empty()) return;
    List("classes", found.top, [&](const LabelScore& one) {
      Put("{{\"label\":{},\"score\":{}}}", JsonQuote(one.label), one.score);
    });
  }
  void operator()(const BoxFindings& found) {
    List("boxes", found.boxes, [&](const FoundBox& b) {
      Put("{{\"label\":{},\"score\":{},\"x\":{},\"y\":{},\"w\":{},\"h\":{}}}", JsonQuote(b.label),
          b.score, b.x, b.y, b.w, b.h);
    });
    if (found.cut_off > 0) Put(",\"boxes_cut_off\":{}", found.cut_off);
  }
  void operator()(const MaskFindings& found) {
    List("shares", found.shares, [&](const LabelShare& one) {
      Put("{{\"label\":{},\"share\":{}}}", JsonQuote(one.label), one.share);
    });
  }
  void operator()(const NumberFindings& found) {
    List("numbers", found.numbers, [&](const NamedNumber& one) {
      Put("{{\"name\":{},\"value\":{}}}", JsonQuote(one.name), one.value);
    });
  }
  void operator()(const RawFindings& found) {
    List("raw", found.tensors, [&](const RawTensor& one) {
      Put("{{\"name\":{},\"shape\":[{}]}}", JsonQuote(one.name),
          fmt::join(one.shape.begin(), one.shape.end(), ","));
    });
  }

 private:
  template <typename... Args>
  void Put(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
  }
  template <typename Entry, typename Each>
  void List(const char* name, const std::vector<Entry>& list, Each each) {
    Put("\"{}\":[", name);
    for (const Entry& entry : list) {
      if (&entry != list.data()) out_ += ',';
      each(entry);
    }
    out_ += ']';
  }

  std::string& out_;
};

}  // namespace

void AppendFindingsJson(std::string& out, const Findings& findings) {
  std::visit(JsonWriter(out), findings);
}

}  // namespace fogline
