// Reading a model without its weights, and writing them back: a serialised ONNX model is scanned
// for the bulky fields of its initialisers, which stay where they are while the rest is parsed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace fogline {

/// The data fields of one initialiser that were left behind, as whole protobuf records: appended
/// to the rest of its TensorProto they make it complete again.
struct LiftedWeight {
  std::vector<std::string_view> records;
  size_t raw_bytes = 0;    // payload of raw_data
  size_t typed_bytes = 0;  // payload of the other data fields
  size_t size() const;
};

struct LiftedModel {
  std::string skeleton;               // the serialised model without the data below
  std::vector<LiftedWeight> weights;  // by index in graph.initializer; empty for those kept whole
};

/// Initialisers with less data than this stay in the skeleton: shapes and axes, whose values decide
/// the shapes of others.
inline constexpr size_t kLiftedFrom = 1024;

/// Views into `model` are kept. kInvalid when the bytes are no protobuf.
Result<LiftedModel> LiftWeights(std::string_view model, const std::string& where);

// Field numbers of onnx.proto3, which never change.
inline constexpr uint32_t kModelGraph = 7;
inline constexpr uint32_t kGraphInitializer = 5;
inline constexpr uint32_t kTensorRawData = 9;

/// One protobuf record: field `number` holding `bytes` bytes of payload that follow.
std::string RecordHeader(uint32_t number, size_t bytes);

}  // namespace fogline
