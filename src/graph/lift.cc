#include "graph/lift.h"

namespace fogline {
namespace {

bool IsTensorData(uint32_t field) {
  // float_data, int32_data, string_data, int64_data, raw_data, double_data, uint64_data
  return (field >= 4 && field <= 7) || (field >= 9 && field <= 11);
}

struct Record {
  uint32_t field = 0;
  uint32_t wire = 0;
  std::string_view whole;    // tag, length and payload
  std::string_view payload;  // of a length-delimited record; the value's bytes otherwise
};

/// Walks the records of one message.
class Records {
 public:
  explicit Records(std::string_view message) : rest_(message) {}

  /// False at the end or at the first malformed record; then ok() tells which.
  bool Next(Record& record) {
    if (rest_.empty()) return false;
    const std::string_view start = rest_;
    uint64_t tag = 0;
    if (!Varint(tag) || (tag >> 3) == 0 || (tag >> 3) > 0x1FFFFFFF) return Bad();
    record.field = static_cast<uint32_t>(tag >> 3);
    record.wire = static_cast<uint32_t>(tag & 7);
    uint64_t length = 0;
    const std::string_view value = rest_;
    switch (record.wire) {
      case 0:
        if (!Varint(length)) return Bad();
        record.payload = value.substr(0, value.size() - rest_.size());
        record.whole = start.substr(0, start.size() - rest_.size());
        return true;
      case 1:
        length = 8;
        break;
      case 2:
        if (!Varint(length)) return Bad();
        break;
      case 5:
        length = 4;
        break;
      default:  // groups, which ONNX has none of
        return Bad();
    }
    if (length > rest_.size()) return Bad();
    record.payload = rest_.substr(0, length);
    rest_.remove_prefix(length);
    record.whole = start.substr(0, start.size() - rest_.size());
    return true;
  }
  bool ok() const { return ok_; }

 private:
  bool Varint(uint64_t& value) {
    value = 0;
    for (int shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<uint8_t>(rest_.front());
      rest_.remove_prefix(1);
      value |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return true;
    }
    return false;
  }
  bool Bad() {
    ok_ = false;
    return false;
  }

  std::string_view rest_;
  bool ok_ = true;
};

void AppendVarint(uint64_t value, std::string& out) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

bool LiftTensor(std::string_view tensor, std::string& skeleton, LiftedWeight& weight) {
  Records records(tensor);
  for (Record record; records.Next(record);) {
    if (!IsTensorData(record.field)) {
      skeleton += record.whole;
      continue;
    }
    (record.field == kTensorRawData ? weight.raw_bytes : weight.typed_bytes) +=
        record.payload.size();
    // Unpacked numbers are one short record each: keep neighbours as one piece.
    if (!weight.records.empty() &&
        weight.records.back().data() + weight.records.back().size() == record.whole.data()) {
      weight.records.back() = {weight.records.back().data(),
                               weight.records.back().size() + record.whole.size()};
    } else {
      weight.records.push_back(record.whole);
    }
  }
  return records.ok();
}

bool LiftGraph(std::string_view graph, std::string& skeleton, std::vector<LiftedWeight>& weights) {
  Records records(graph);
  for (Record record; records.Next(record);) {
    if (record.field != kGraphInitializer || record.wire != 2) {
      skeleton += record.whole;
      continue;
    }
    weights.emplace_back();
    if (record.payload.size() < kLiftedFrom) {
      skeleton += record.whole;
      continue;
    }
    std::string tensor;
    if (!LiftTensor(record.payload, tensor, weights.back())) return false;
    if (weights.back().size() < kLiftedFrom) {  // a long name or many dimensions: keep it whole
      weights.back() = {};
      skeleton += record.whole;
      continue;
    }
    skeleton += RecordHeader(kGraphInitializer, tensor.size());
    skeleton += tensor;
  }
  return records.ok();
}

}  // namespace

size_t LiftedWeight::size() const {
  size_t sum = 0;
  for (const std::string_view record : records) sum += record.size();
  return sum;
}

std::string RecordHeader(uint32_t number, size_t bytes) {
  std::string header;
  AppendVarint(number << 3 | 2U, header);
  AppendVarint(bytes, header);
  return header;
}

Result<LiftedModel> LiftWeights(std::string_view model, const std::string& where) {
  LiftedModel lifted;
  Records records(model);
  for (Record record; records.Next(record);) {
    if (record.field != kModelGraph || record.wire != 2) {
      lifted.skeleton += record.whole;
      continue;
    }
    std::string graph;
    if (!LiftGraph(record.payload, graph, lifted.weights)) {
      return Fail(ErrorCode::kInvalid, where, "is no ONNX model, or a damaged one");
    }
    lifted.skeleton += RecordHeader(kModelGraph, graph.size());
    lifted.skeleton += graph;
  }
  if (!records.ok()) {
    return Fail(ErrorCode::kInvalid, where, "is no ONNX model, or is cut off before its end");
  }
  return lifted;
}

}  // namespace fogline
