#include "engine/weight_pool.h"

#include <cstdlib>
#include <cstring>
#include <new>
#include <stdexcept>

#include "base/file.h"
#include "graph/outside_weights.h"

namespace fogline {
namespace {

/// Smaller ones are not worth a place of their own.
constexpr size_t kLeastShared = 4096;
constexpr size_t kAligned = 64;

WeightBytes Copy(std::span<const std::byte> bytes) {
  auto* const memory =
      static_cast<std::byte*>(::operator new (bytes.size(), std::align_val_t{kAligned}));
  std::memcpy(memory, bytes.data(), bytes.size());
  return {memory, [](const std::byte* gone) {
            ::operator delete (const_cast<std::byte*>(gone), std::align_val_t{kAligned});
          }};
}

template <typename T>
T Need(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().ToString());
  return *std::move(result);
}

}  // namespace

std::shared_ptr<SharedWeights> SharedWeights::Make() { return std::make_shared<WeightPool>(); }

WeightPool::WeightPool() {
  OrtPrepackedWeightsContainer* made = nullptr;
  Ort::ThrowOnError(Ort::GetApi().CreatePrepackedWeightsContainer(&made));
  prepacked_.reset(made);
}

WeightBytes WeightPool::Keep(std::span<const std::byte> bytes) {
  const Sha256 content = HashSha256(bytes);
  const std::lock_guard lock(mutex_);
  Held& held = weights_[content];
  if (WeightBytes there = held.bytes.lock()) return there;
  WeightBytes fresh = Copy(bytes);
  held = {fresh, bytes.size()};
  return fresh;
}

size_t WeightPool::bytes() const {
  const std::lock_guard lock(mutex_);
  size_t bytes = 0;
  for (const auto& [content, held] : weights_) bytes += held.bytes.expired() ? 0 : held.size;
  return bytes;
}

/// The engine fuses layers and lays weights out anew, alike for every network that has them. So it
/// does that once to a file, and then opens what it wrote on weights of ours.
Ort::Session OpenPooled(std::span<const std::byte> model, const std::string& where,
                        const SessionOptions& options, Level level, PooledWeights& pooled) {
  const TempDir folder;
  const auto rewritten = folder.path() / "m", numbers = folder.path() / "w";
  {
    Ort::SessionOptions rewriting = ToEngine(options, level);
    rewriting.SetOptimizedModelFilePath(rewritten.c_str());
    rewriting.AddConfigEntry("session.optimized_model_external_initializers_file_name", "w");
    rewriting.AddConfigEntry("session.optimized_model_external_initializers_min_size_in_bytes",
                             std::to_string(kLeastShared).c_str());
    const Ort::Session done(Environment(), model.data(), model.size(), rewriting);
  }
  const auto graph = Need(ReadFile(rewritten));
  const auto weights = Need(ListOutsideWeights(graph, where));
  Ort::SessionOptions opening = ToEngine(options, Level::kNone);
  const auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
  std::vector<Ort::Value> values;
  if (!weights.empty()) {
    const auto file = Need(MappedFile::Open(numbers));
    for (const OutsideWeight& weight : weights) {
      const auto bytes = file.bytes();
      if (weight.offset > bytes.size() || weight.bytes > bytes.size() - weight.offset) {
        throw std::runtime_error("weight outside of its file");
      }
      const auto& kept = pooled.weights.emplace_back(
          pooled.pool->Keep(bytes.subspan(weight.offset, weight.bytes)));
      pooled.bytes += weight.bytes;
      // The engine takes a mutable pointer but only reads weights.
      values.push_back(Ort::Value::CreateTensor(
          memory, const_cast<std::byte*>(kept.get()), weight.bytes, weight.dims.data(),
          weight.dims.size(), static_cast<ONNXTensorElementDataType>(weight.dtype)));
      opening.AddInitializer(weight.name.c_str(), values.back());
    }
  }
  return {Environment(), graph.data(), graph.size(), opening, pooled.pool->prepacked()};
}

}  // namespace fogline
