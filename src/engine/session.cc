#include "engine/session.h"

#include <algorithm>

#include "base/file.h"
#include "base/log.h"
#include "engine/ort.h"
#include "engine/shapes.h"
#include "engine/trial.h"
#include "engine/verify.h"
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
  OrtSession(Ort::Session session, std::string where, Epitaph epitaph, PooledWeights pooled = {},
             std::string provider = Provider{}.ToString())
      : pooled_(std::move(pooled)),
        session_(std::move(session)),
        where_(std::move(where)),
        provider_(std::move(provider)),
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

  std::string provider() const override { return provider_; }

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
  std::string where_, provider_;
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

/// The engine on a network in a file, or in memory when the path is empty.
Ort::Session EngineOn(const Tried& network, const Ort::SessionOptions& options) {
  if (!network.path.empty()) return {Environment(), network.path.c_str(), options};
  return {Environment(), network.bytes.data(), network.bytes.size(), options};
}

Opened OpenOnProcessor(const Tried& network, const SessionOptions& options);

Opened OpenOnProvider(Tried network, const SessionOptions& options, const Provider& provider) {
  network.provider = provider;
  FOGLINE_TRY(Survived tried, SafeLevel(network, Fastest(options)));
  FOGLINE_TRY(std::unique_ptr<Session> session, Guarded(network.where, [&]() -> Opened {
                Ort::Session made = EngineOn(network, ToEngine(options, tried.level, provider));
                return std::make_unique<OrtSession>(std::move(made), network.where,
                                                    std::move(tried.epitaph), PooledWeights{},
                                                    provider.ToString());
              }));
  FOGLINE_TRY(const std::unique_ptr<Session> processor, OpenOnProcessor(network, options));
  const auto load = [&]() -> Result<Model> {
    if (!network.path.empty()) return Model::Load(network.path, EngineShapes());
    return Model::Parse({network.bytes.begin(), network.bytes.end()}, network.where,
                        EngineShapes());
  };
  FOGLINE_TRY(const Model model, load());
  FOGLINE_TRY(const Proof proof, CheckSame(model, *processor, *session, IsCoarse(provider)));
  if (!proof.holds()) {
    return Fail(ErrorCode::kUnavailable, network.where,
                "its outputs differ from the CPU's by up to {:.2g} of the largest value, {:.2g} "
                "times what rounding explains",
                proof.difference.max_rel, proof.excess);
  }
  return session;
}

/// On the provider in use, or where that fails, which is said, on the processor.
Opened OnWhatIsInUse(const Tried& network, const SessionOptions& options) {
  const Provider provider = options.optimize ? ProviderInUse() : Provider{};
  if (!provider.name.empty()) {
    auto session = OpenOnProvider(network, options, provider);
    if (session || session.error().code == ErrorCode::kCancelled) return session;
    LogWarning("{}: not on provider {} but on the CPU: {}", network.where, provider.ToString(),
               session.error().message);
  }
  return OpenOnProcessor(network, options);
}

Opened OpenOnProcessor(const Tried& network, const SessionOptions& options) {
  Survived tried{Fastest(options), {}};
  if (!options.untried) {
    FOGLINE_TRY(tried, SafeLevel(network, Fastest(options)));
  }
  const std::string& where = network.where;
  if (options.shared != nullptr && network.path.empty()) {
    PooledWeights pooled{std::static_pointer_cast<WeightPool>(options.shared), {}, 0};
    try {
      Ort::Session session = OpenPooled(network.bytes, where, options, tried.level, pooled);
      return std::make_unique<OrtSession>(std::move(session), where, std::move(tried.epitaph),
                                          std::move(pooled));
    } catch (const std::bad_alloc& e) {
      return tl::unexpected<Error>(FromThrown(e, where));
    } catch (const std::exception& e) {
      LogDebug("{}: has its weights for itself: {}", where, e.what());
    }
  }
  return Guarded(where, [&]() -> Opened {
    Ort::Session session = EngineOn(network, ToEngine(options, tried.level));
    return std::make_unique<OrtSession>(std::move(session), where, std::move(tried.epitaph));
  });
}

}  // namespace

Result<std::unique_ptr<Session>> OpenSession(std::span<const std::byte> model,
                                             const std::string& where,
                                             const SessionOptions& options) {
  if (model.empty()) return Fail(ErrorCode::kInvalid, where, "is empty, not an ONNX model");
  return OnWhatIsInUse({.path = {}, .bytes = model, .where = where, .inputs = {}}, options);
}

Result<std::unique_ptr<Session>> OpenSession(const std::filesystem::path& model,
                                             const SessionOptions& options) {
  return OnWhatIsInUse({.path = model, .bytes = {}, .where = model.string(), .inputs = {}},
                       options);
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
