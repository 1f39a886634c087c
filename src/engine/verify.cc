#include "engine/verify.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "engine/session.h"
#include "graph/slice.h"

namespace fogline {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

float HalfToFloat(uint16_t half) {
  const int exponent = half >> 10 & 31;
  const float mantissa = static_cast<float>(half & 1023);
  const float sign = (half & 0x8000) != 0 ? -1.0F : 1.0F;
  if (exponent == 31) return mantissa != 0 ? NAN : sign * INFINITY;
  return sign * (exponent == 0 ? std::ldexp(mantissa, -24)
                               : std::ldexp(mantissa + 1024.0F, exponent - 25));
}

float BrainToFloat(uint16_t brain) {
  const uint32_t bits = static_cast<uint32_t>(brain) << 16;
  float value = 0;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

double ElementAt(const Tensor& tensor, size_t i) {
  switch (tensor.dtype()) {
    case DType::kF32:
      return tensor.as<float>()[i];
    case DType::kF64:
      return tensor.as<double>()[i];
    case DType::kF16:
      return HalfToFloat(tensor.as<uint16_t>()[i]);
    case DType::kBF16:
      return BrainToFloat(tensor.as<uint16_t>()[i]);
    case DType::kU8:
    case DType::kBool:
      return tensor.as<uint8_t>()[i];
    case DType::kI8:
      return tensor.as<int8_t>()[i];
    case DType::kU16:
      return tensor.as<uint16_t>()[i];
    case DType::kI16:
      return tensor.as<int16_t>()[i];
    case DType::kI32:
      return tensor.as<int32_t>()[i];
    case DType::kU32:
      return tensor.as<uint32_t>()[i];
    case DType::kI64:
      return static_cast<double>(tensor.as<int64_t>()[i]);
    case DType::kU64:
      return static_cast<double>(tensor.as<uint64_t>()[i]);
    default:
      return 0;
  }
}

struct Source {
  std::filesystem::path path;
  std::span<const std::byte> bytes;
  std::string where;
};

/// Adds the outputs of a model to the feeds that it takes its inputs from.
Status RunLoaded(const Source& source, bool optimize, std::vector<Feeds>& feeds) {
  SessionOptions options;
  options.optimize = optimize;
  FOGLINE_TRY(const auto session, source.path.empty()
                                      ? OpenSession(source.bytes, source.where, options)
                                      : OpenSession(source.path, options));
  for (Feeds& feed : feeds) {
    std::vector<TensorView> views;
    for (const Port& port : session->inputs()) {
      const auto tensor = feed.find(port.name);
      if (tensor == feed.end()) {
        return Fail(ErrorCode::kInvalid, source.where, "needs '{}', which nobody makes", port.name);
      }
      views.push_back(tensor->second.view());
    }
    FOGLINE_TRY(std::vector<Tensor> outputs, session->Run(views));
    for (size_t i = 0; i < outputs.size(); ++i) {
      // A copy: the engine's own memory would keep the session's whole arena alive, weights too.
      Tensor kept(outputs[i].dtype(), outputs[i].shape());
      std::ranges::copy(outputs[i].bytes(), kept.bytes().begin());
      feed.insert_or_assign(session->outputs()[i].name, std::move(kept));
    }
  }
  return {};
}

Status RunOn(const Source& source, bool optimize, std::vector<Feeds>& feeds) {
  const Status status = RunLoaded(source, optimize, feeds);
#ifdef __GLIBC__
  // Weights are blocks of a size that the allocator likes to keep: the next model would add to
  // them.
  malloc_trim(0);
#endif
  return status;
}

std::span<const std::byte> Bytes(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace

void Compare(const Tensor& wanted, const Tensor& got, Difference& difference) {
  if (wanted.dtype() != got.dtype() || !(wanted.shape() == got.shape())) {
    difference = {kInfinity, kInfinity, false};
    return;
  }
  const size_t bytes = wanted.bytes().size();
  if (bytes == 0 || std::memcmp(wanted.bytes().data(), got.bytes().data(), bytes) == 0) return;
  difference.identical = false;
  const size_t count = bytes / std::max<size_t>(1, ElementBytes(wanted.dtype()));
  double largest = 0;
  double apart = 0;
  for (size_t i = 0; i < count; ++i) {
    const double a = ElementAt(wanted, i);
    const double b = ElementAt(got, i);
    if (a == b || (std::isnan(a) && std::isnan(b))) {
      if (std::isfinite(a)) largest = std::max(largest, std::abs(a));
      continue;
    }
    const double gap = std::abs(a - b);
    apart = std::isfinite(gap) ? std::max(apart, gap) : kInfinity;
    if (std::isfinite(a)) largest = std::max(largest, std::abs(a));
  }
  difference.max_abs = std::max(difference.max_abs, apart);
  if (apart > 0)
    difference.max_rel = std::max(difference.max_rel, largest > 0 ? apart / largest : kInfinity);
}

Feeds RandomFeeds(const std::vector<Port>& inputs, uint64_t seed) {
  Feeds feeds;
  uint64_t state = seed * 0x9E3779B97F4A7C15U + 0x2545F4914F6CDD1DU;
  const auto next = [&] {  // splitmix64
    state += 0x9E3779B97F4A7C15U;
    uint64_t z = state;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9U;
    z = (z ^ z >> 27) * 0x94D049BB133111EBU;
    return z ^ z >> 31;
  };
  for (const Port& port : inputs) {
    Tensor tensor(port.dtype, port.shape);
    const auto unit = [&] { return static_cast<double>(next() >> 11) * 0x1p-52 - 1.0; };
    switch (port.dtype) {
      case DType::kF32:
        for (float& x : tensor.as<float>()) x = static_cast<float>(unit());
        break;
      case DType::kF64:
        for (double& x : tensor.as<double>()) x = unit();
        break;
      case DType::kF16:
        // Values of 10 random bits and one exponent: between 0.5 and 1 with either sign.
        for (uint16_t& x : tensor.as<uint16_t>())
          x = static_cast<uint16_t>(0x3800 | (next() & 0x83FF));
        break;
      case DType::kBF16:
        for (uint16_t& x : tensor.as<uint16_t>())
          x = static_cast<uint16_t>(0x3F00 | (next() & 0x807F));
        break;
      case DType::kU8:
      case DType::kI8:
        for (uint8_t& x : tensor.as<uint8_t>()) x = static_cast<uint8_t>(next());
        break;
      default: {
        // Little-endian: the lowest byte of each element decides.
        auto bytes = tensor.bytes();
        std::ranges::fill(bytes, std::byte{0});
        const size_t size = std::max<size_t>(1, ElementBytes(port.dtype));
        for (size_t i = 0; i < bytes.size(); i += size)
          bytes[i] = static_cast<std::byte>(next() & 1);
      }
    }
    feeds[port.name] = std::move(tensor);
  }
  return feeds;
}

Result<SplitCheck> CheckSplit(const Model& model, const Cut& cut, const Halves& halves,
                              const std::vector<Feeds>& feeds) {
  const bool has_edge = !cut.is_cloud_only();
  const bool has_cloud = !cut.is_edge_only();
  std::string inlined;
  // From its file the engine reads a model without a second copy of it.
  Source whole{model.path(), model.bytes(), model.where()};
  if (model.had_functions() || (model.path().empty() && model.has_external_weights())) {
    Cut all = cut;
    all.edge.assign(model.nodes().size(), true);
    all.edge_nodes = static_cast<int>(model.nodes().size());
    all.tensors = model.outputs();
    FOGLINE_TRY(inlined, SlicePrefix(model, all));
    whole = {{}, Bytes(inlined), model.where()};
  }
  const Source edge{halves.edge_path, Bytes(halves.edge_bytes), "edge half"};
  const Source cloud{halves.cloud_path, Bytes(halves.cloud_bytes), "cloud half"};

  model.ReleasePages();
  SplitCheck check;
  for (const bool optimize : {false, true}) {
    Difference& difference = optimize ? check.optimized : check.exact;
    std::vector<Feeds> wanted = feeds;
    std::vector<Feeds> got = feeds;
    FOGLINE_CHECK(RunOn(whole, optimize, wanted));
    if (has_edge) FOGLINE_CHECK(RunOn(edge, optimize, got));
    // What the cloud sees is what crossed, not what the edge had besides.
    if (has_edge && has_cloud) {
      for (Feeds& feed : got) {
        Feeds crossed;
        for (const Port& port : cut.tensors) crossed[port.name] = feed[port.name];
        feed = std::move(crossed);
      }
    }
    if (has_cloud) FOGLINE_CHECK(RunOn(cloud, optimize, got));
    for (size_t i = 0; i < feeds.size(); ++i) {
      for (const Port& port : model.outputs()) {
        Compare(wanted[i][port.name], got[i][port.name], difference);
      }
    }
  }
  return check;
}

double Tolerance(const Model& model) {
  double tolerance = 1e-5;
  for (const Activation& a : model.activations()) {
    switch (a.port.dtype) {
      case DType::kF16:
        tolerance = std::max(tolerance, 1e-2);
        break;
      case DType::kBF16:
      case DType::kU8:
      case DType::kI8:
        if (a.producer >= 0) tolerance = std::max(tolerance, 5e-2);
        break;
      default:
        break;
    }
  }
  return tolerance;
}

}  // namespace fogline
