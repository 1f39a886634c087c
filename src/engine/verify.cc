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

uint16_t FloatToHalf(float value) {
  // Rounds to nearest by the machine's own conversion where there is one; ties do not matter here.
  const float size = std::abs(value);
  const uint16_t sign = std::signbit(value) ? 0x8000 : 0;
  if (std::isnan(value)) return sign | 0x7E00;
  if (size >= 65520.0F) return sign | 0x7C00;
  if (size < 0x1p-14F) return sign | static_cast<uint16_t>(std::lround(size * 0x1p24F));
  int exponent = 0;
  const float mantissa = std::frexp(size, &exponent);  // size = mantissa * 2^exponent, 0.5 <= m < 1
  const long bits = std::lround(mantissa * 2048.0F);   // 1024…2048
  return sign | static_cast<uint16_t>((static_cast<long>(exponent + 13) << 10) + bits);
}

/// Writes `value` as an element of a floating-point tensor.
void SetElement(Tensor& tensor, size_t i, double value) {
  switch (tensor.dtype()) {
    case DType::kF32:
      tensor.as<float>()[i] = static_cast<float>(value);
      break;
    case DType::kF64:
      tensor.as<double>()[i] = value;
      break;
    case DType::kF16:
      tensor.as<uint16_t>()[i] = FloatToHalf(static_cast<float>(value));
      break;
    case DType::kBF16: {
      const auto narrow = static_cast<float>(value);
      uint32_t bits = 0;
      std::memcpy(&bits, &narrow, sizeof bits);
      tensor.as<uint16_t>()[i] = static_cast<uint16_t>((bits + 0x8000U) >> 16);
      break;
    }
    default:
      break;
  }
}

bool IsFloating(DType dtype) {
  return dtype == DType::kF32 || dtype == DType::kF64 || dtype == DType::kF16 ||
         dtype == DType::kBF16;
}

/// Half the distance of two neighbouring numbers near 1, in the coarsest floating-point type that
/// the network computes in.
double UnitRoundoff(const Model& model) {
  double unit = 0x1p-24;
  for (const Activation& a : model.activations()) {
    if (a.port.dtype == DType::kF16) unit = std::max(unit, 0x1p-11);
    if (a.port.dtype == DType::kBF16) unit = std::max(unit, 0x1p-8);
  }
  return unit;
}

size_t CountOf(const Tensor& tensor) {
  return tensor.bytes().size() / std::max<size_t>(1, ElementBytes(tensor.dtype()));
}

double Largest(const Tensor& tensor) {
  double largest = 0;
  for (size_t i = 0; i < CountOf(tensor); ++i) {
    const double value = std::abs(ElementAt(tensor, i));
    if (std::isfinite(value)) largest = std::max(largest, value);
  }
  return largest;
}

/// Every floating-point element with `change` of it and its tensor's largest.
template <typename Change>
Feeds Changed(const Feeds& feeds, Change change) {
  Feeds changed;
  for (const auto& [name, tensor] : feeds) {
    Tensor copy = tensor.Copy();
    if (IsFloating(tensor.dtype())) {
      const double largest = Largest(tensor);
      for (size_t i = 0; i < CountOf(tensor); ++i) {
        SetElement(copy, i, change(ElementAt(tensor, i), largest));
      }
    }
    changed[name] = std::move(copy);
  }
  return changed;
}

/// What crosses as if it had been rounded once more, up here and down there.
Feeds Rounded(const Feeds& crossed, double unit) {
  uint32_t state = 1;
  return Changed(crossed, [&](double value, double largest) {
    state = state * 1664525 + 1013904223;
    return value + ((state >> 31) != 0 ? unit : -unit) * largest;
  });
}

Feeds Negated(const Feeds& crossed) {
  return Changed(crossed, [](double value, double) { return -value; });
}

/// Whole numbers that name or count things: one that is another is not nearly the same.
bool IsLabels(DType dtype) {
  return ElementBytes(dtype) > 0 && !IsFloating(dtype) && dtype != DType::kU8 &&
         dtype != DType::kI8;
}

/// How far apart two tensors are: their largest difference, or of labels the share that differs.
/// Infinite where they cannot be compared.
double Apart(const Tensor& a, const Tensor& b) {
  Difference difference;
  Compare(a, b, difference);
  const size_t count = CountOf(a);
  if (!IsLabels(a.dtype()) || !std::isfinite(difference.max_abs) || count == 0) {
    return difference.max_abs;
  }
  size_t others = 0;
  for (size_t i = 0; i < count; ++i) others += ElementAt(a, i) != ElementAt(b, i) ? 1 : 0;
  return static_cast<double>(others) / static_cast<double>(count);
}

/// The same where it only widens what is allowed.
double Moved(const Tensor& from, const Tensor& to) {
  const double apart = Apart(from, to);
  return std::isfinite(apart) ? apart : 0;
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

/// What an output may differ by.
struct Allowance {
  double tolerance = 0;  // part of its scale
  double noise = 0;      // how far rounding moves it
  double moved = 0;      // how far it moves when what crosses changes sign
};

/// Adds what `got` differs from `wanted` to `proof`.
void Judge(const Tensor& wanted, const Tensor& got, const Allowance& allowance, Proof& proof) {
  constexpr double kMargin = 8;        // roundings that the engine may do more than we measured
  constexpr double kMostNoise = 0.05;  // of the scale: what rounding moves further proves nothing
  const bool labels = IsLabels(wanted.dtype());
  const double size = labels ? 0 : Largest(wanted);
  const double scale = labels ? 1 : std::max(size, allowance.moved);
  const double allowed =
      std::max(allowance.tolerance * size, std::min(kMargin * allowance.noise, kMostNoise * scale));
  if (const double apart = Apart(wanted, got); apart > 0) {
    proof.excess = std::max(proof.excess, allowed > 0 ? apart / allowed : kInfinity);
  }
  Compare(wanted, got, proof.difference);
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
  const size_t count = CountOf(wanted);
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
  if (model.rewritten() || (model.path().empty() && model.has_external_weights())) {
    FOGLINE_TRY(inlined, SliceWhole(model));
    whole = {{}, Bytes(inlined), model.where()};
  }
  const Source edge{halves.edge_path, Bytes(halves.edge_bytes), "edge half"};
  const Source cloud{halves.cloud_path, Bytes(halves.cloud_bytes), "cloud half"};

  model.ReleasePages();
  const double unit = UnitRoundoff(model);
  const size_t count = feeds.size();
  // Of the whole model, without optimisation and with it; and what the halves make of the feeds, of
  // what crosses rounded once more, and of what crosses with its sign changed.
  std::vector<Feeds> wanted[2], got[2];
  for (const bool optimize : {false, true}) {
    std::vector<Feeds>& run = got[optimize];
    wanted[optimize] = run = feeds;
    FOGLINE_CHECK(RunOn(whole, optimize, wanted[optimize]));
    if (has_edge) FOGLINE_CHECK(RunOn(edge, optimize, run));
    if (has_edge && has_cloud) {
      // What the cloud sees is what crossed, not what the edge had besides.
      for (Feeds& feed : run) {
        Feeds crossed;
        for (const Port& port : cut.tensors) crossed[port.name] = feed[port.name];
        feed = std::move(crossed);
      }
      for (size_t i = 0; i < count; ++i) run.push_back(Rounded(run[i], unit));
      for (size_t i = 0; i < count; ++i) run.push_back(Negated(run[i]));
    }
    if (has_cloud) FOGLINE_CHECK(RunOn(cloud, optimize, run));
  }
  SplitCheck check;
  for (const bool optimize : {false, true}) {
    std::vector<Feeds>& run = got[optimize];
    const double tolerance = Tolerance(model, optimize);
    for (size_t i = 0; i < count; ++i) {
      for (const Port& port : model.outputs()) {
        const Tensor& output = run[i][port.name];
        Allowance allowance{tolerance, Moved(wanted[0][i][port.name], wanted[1][i][port.name]), 0};
        if (run.size() > count) {
          allowance.noise = std::max(allowance.noise, Moved(output, run[count + i][port.name]));
          allowance.moved = Moved(output, run[2 * count + i][port.name]);
        }
        Judge(wanted[optimize][i][port.name], output, allowance,
              optimize ? check.optimized : check.exact);
      }
    }
  }
  return check;
}

Result<Proof> CheckSame(const Model& model, Session& session, Session& other, bool coarse) {
  constexpr double kHalf = 0x1p-11;  // of float16, and of TF32
  const double unit = coarse ? std::max(UnitRoundoff(model), kHalf) : UnitRoundoff(model);
  Allowance allowance;
  allowance.tolerance = std::max(Tolerance(model, true), coarse ? 4 * kHalf : 0);
  Proof proof;
  for (const uint64_t seed : {1U, 2U}) {
    const Feeds feeds = RandomFeeds(model.inputs(), seed);
    const Feeds rounded = Rounded(feeds, unit);
    std::vector<TensorView> views, moved;
    for (const Port& port : session.inputs()) {
      const auto feed = feeds.find(port.name);
      if (feed == feeds.end()) {
        return Fail(ErrorCode::kInternal, model.where(), "has no input '{}'", port.name);
      }
      views.push_back(feed->second.view());
      moved.push_back(rounded.at(port.name).view());
    }
    FOGLINE_TRY(const std::vector<Tensor> wanted, session.Run(views));
    FOGLINE_TRY(const std::vector<Tensor> nearly, session.Run(moved));
    FOGLINE_TRY(const std::vector<Tensor> got, other.Run(views));
    for (size_t i = 0; i < wanted.size(); ++i) {
      allowance.noise = Moved(wanted[i], nearly[i]);
      Judge(wanted[i], got[i], allowance, proof);
    }
  }
  return proof;
}

double Tolerance(const Model& model, bool optimized) {
  double tolerance = 1e-5;
  for (const Activation& a : model.activations()) {
    const bool eight_bits = a.port.dtype == DType::kU8 || a.port.dtype == DType::kI8;
    if (optimized && eight_bits && a.producer >= 0) tolerance = 5e-2;
  }
  constexpr double kRoundings = 4;
  const double unit = UnitRoundoff(model);
  return std::max(tolerance, unit > 0x1p-24 ? kRoundings * unit : 0);
}

}  // namespace fogline
