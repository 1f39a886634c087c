#include "engine/session.h"

#include <algorithm>

#include "base/file.h"
#include "base/log.h"
#include "engine/ort.h"
#include "engine/trial.h"
#include "engine/weight_pool.h"
#include "graph/slice.h"

namespace fogline {
namespace {

Port ToPort(std::string name, const Ort::TypeInfo& type) {
  Port port{std::move(name), DType::kUndefined, {}};
  if (type.GetONNXType() != ONNX_TYPE_TENSOR) return port;
  const auto info = type.GetTensorTypeAndShapeInfo();
  port.dtype = static_cast<DType>(info.GetElementType());
  const std::vector<int64_t> dims = info.GetShape();
  port.shape = Shape(dims);
  return port;
}

class OrtSession final : public Session {
 public:
  OrtSession(Ort::Session session, std::string where, Epitaph epitaph, PooledWeights pooled = {})
      : pooled_(std::move(pooled)),
        session_(std::move(session)),
        where_(std::move(where)),
        epitaph_(std::move(epitaph)),
        memory_(Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault)) {
    Ort::AllocatorWithDefaultOptions allocator;
    for (size_t i = 0; i < session_.GetInputCount(); ++i) {
      inputs_.push_back(
          ToPort(session_.GetInputNameAllocated(i, allocator).get(), session_.GetInputTypeInfo(i)));
    }
    for (size_t i = 0; i < session_.GetOutputCount(); ++i) {
      outputs_.push_back(ToPort(session_.GetOutputNameAllocated(i, allocator).get(),
                                session_.GetOutputTypeInfo(i)));
    }
    for (const Port& p : inputs_) input_names_.push_back(p.name.c_str());
    for (const Port& p : outputs_) output_names_.push_back(p.name.c_str());
  }

  const std::vector<Port>& inputs() const override { return inputs_; }
  const std::vector<Port>& outputs() const override { return outputs_; }

  size_t shared_bytes() const override { return pooled_.bytes; }

  Result<std::vector<Tensor>> Run(std::span<const TensorView> inputs) override {
    if (inputs.size() != inputs_.size()) {
      return Fail(ErrorCode::kInvalid, where_, "takes {} inputs, got {}", inputs_.size(),
                  inputs.size());
    }
    for (size_t i = 0; i < inputs.size(); ++i) FOGLINE_CHECK(Fits(inputs[i], inputs_[i]));
    try {
      std::vector<Ort::Value> in;
      in.reserve(inputs.size());
      for (const TensorView& input : inputs) {
        // The C API takes a mutable pointer but only reads inputs.
        in.push_back(Ort::Value::CreateTensor(memory_, const_cast<std::byte*>(input.data.data()),
                                              input.data.size(), input.shape.begin(),
                                              input.shape.rank(),
                                              static_cast<ONNXTensorElementDataType>(input.dtype)));
      }
      std::vector<Ort::Value> out = RunIn(in);
      std::vector<Tensor> tensors;
      tensors.reserve(out.size());
      for (size_t i = 0; i < out.size(); ++i) {
        FOGLINE_TRY(Tensor tensor, ToTensor(std::move(out[i]), outputs_[i]));
        tensors.push_back(std::move(tensor));
      }
      return tensors;
    } catch (const Ort::Exception& e) {
      return tl::unexpected<Error>(FromRun(e, where_));
    } catch (const std::exception& e) {
      return tl::unexpected<Error>(FromThrown(e, where_));
    }
  }

 private:
  std::vector<Ort::Value> RunIn(const std::vector<Ort::Value>& in) {
    const RunningNow running(epitaph_);
    return session_.Run(Ort::RunOptions{nullptr}, input_names_.data(), in.data(), in.size(),
                        output_names_.data(), output_names_.size());
  }

  Status Fits(const TensorView& given, const Port& wanted) const {
    bool fits = given.dtype == wanted.dtype && given.shape.rank() == wanted.shape.rank();
    for (size_t d = 0; fits && d < wanted.shape.rank(); ++d) {
      fits = given.shape[d] >= 0 && (wanted.shape[d] < 0 || wanted.shape[d] == given.shape[d]);
    }
    const auto bytes = Port{{}, given.dtype, given.shape}.Bytes();
    if (!fits || !bytes || static_cast<size_t>(*bytes) != given.data.size()) {
      return Fail(ErrorCode::kInvalid, where_, "input '{}' is {} {}, got {} {} of {} bytes",
                  wanted.name, DTypeName(wanted.dtype), wanted.shape.ToString(),
                  DTypeName(given.dtype), given.shape.ToString(), given.data.size());
    }
    return {};
  }

  Result<Tensor> ToTensor(Ort::Value value, const Port& port) const {
    if (!value.IsTensor()) {
      return Fail(ErrorCode::kUnsupported, where_, "output '{}' is not a tensor", port.name);
    }
    const auto info = value.GetTensorTypeAndShapeInfo();
    const auto dtype = static_cast<DType>(info.GetElementType());
    const std::vector<int64_t> dims = info.GetShape();
    const size_t bytes = info.GetElementCount() * ElementBytes(dtype);
    if (ElementBytes(dtype) == 0 || dims.size() > Shape::kMaxRank) {
      return Fail(ErrorCode::kUnsupported, where_, "output '{}' is {} of rank {}", port.name,
                  DTypeName(dtype), dims.size());
    }
    auto* data = static_cast<std::byte*>(value.GetTensorMutableRawData());
    auto owner = std::make_shared<Ort::Value>(std::move(value));
    return Tensor(dtype, Shape(dims), std::move(owner), {data, bytes});
  }

  const PooledWeights pooled_;
  Ort::Session session_;
  std::string where_;
  const Epitaph epitaph_;
  Ort::MemoryInfo memory_;
  std::vector<Port> inputs_, outputs_;
  std::vector<const char*> input_names_, output_names_;
};

Level Fastest(const SessionOptions& options) {
  return options.optimize ? Level::kAll : Level::kNone;
}

using Opened = Result<std::unique_ptr<Session>>;

/// What `open` gives, whatever it throws.
template <typename Open>
Opened Guarded(const std::string& where, Open open) {
  try {
    return open();
  } catch (const Ort::Exception& e) {
    return tl::unexpected<Error>(FromEngine(e, where));
  } catch (const std::exception& e) {
    return tl::unexpected<Error>(FromThrown(e, where));
  }
}

}  // namespace

Result<std::unique_ptr<Session>> OpenSession(std::span<const std::byte> model,
                                             const std::string& where,
                                             const SessionOptions& options) {
  if (model.empty()) return Fail(ErrorCode::kInvalid, where, "is empty, not an ONNX model");
  Survived tried{Fastest(options), {}};
  if (!options.untried) {
    FOGLINE_TRY(tried,
                SafeLevel({.path = {}, .bytes = model, .where = where, .run = true, .inputs = {}},
                          Fastest(options)));
  }
  if (options.shared != nullptr) {
    PooledWeights pooled{std::static_pointer_cast<WeightPool>(options.shared), {}, 0};
    try {
      Ort::Session session = OpenPooled(model, where, options, tried.level, pooled);
      return std::make_unique<OrtSession>(std::move(session), where, std::move(tried.epitaph),
                                          std::move(pooled));
    } catch (const std::bad_alloc& e) {
      return tl::unexpected<Error>(FromThrown(e, where));
    } catch (const std::exception& e) {
      LogDebug("{}: has its weights for itself: {}", where, e.what());
    }
  }
  return Guarded(where, [&]() -> Opened {
    Ort::Session session(Environment(), model.data(), model.size(), ToEngine(options, tried.level));
    return std::make_unique<OrtSession>(std::move(session), where, std::move(tried.epitaph));
  });
}

Result<std::unique_ptr<Session>> OpenSession(const std::filesystem::path& model,
                                             const SessionOptions& options) {
  FOGLINE_TRY(
      Survived tried,
      SafeLevel({.path = model, .bytes = {}, .where = model.string(), .run = true, .inputs = {}},
                Fastest(options)));
  return Guarded(model.string(), [&]() -> Opened {
    Ort::Session session(Environment(), model.c_str(), ToEngine(options, tried.level));
    return std::make_unique<OrtSession>(std::move(session), model.string(),
                                        std::move(tried.epitaph));
  });
}

Result<std::unique_ptr<Session>> OpenSession(const Model& model, const SessionOptions& options) {
  const bool in_memory = model.path().empty();
  if (model.rewritten() || (in_memory && model.has_external_weights())) {
    FOGLINE_TRY(const std::string whole, SliceWhole(model));
    return OpenSession(std::as_bytes(std::span(whole)), model.where(), options);
  }
  if (in_memory) return OpenSession(model.bytes(), model.where(), options);
  return OpenSession(model.path(), options);
}

Result<std::string> Rewritten(std::span<const std::byte> model, const std::string& where) {
  const TempDir folder;
  const auto file = folder.path() / "rewritten.onnx";
  try {
    Ort::SessionOptions options = ToEngine({}, Level::kExtended);
    options.SetOptimizedModelFilePath(file.c_str());
    const Ort::Session session(Environment(), model.data(), model.size(), options);
  } catch (const Ort::Exception& e) {
    return tl::unexpected<Error>(FromEngine(e, where));
  } catch (const std::exception& e) {
    return tl::unexpected<Error>(FromThrown(e, where));
  }
  return ReadTextFile(file);
}

std::string EngineName() { return "ONNX Runtime " + Ort::GetVersionString(); }

}  // namespace fogline
