#include "codec/quant_codec.h"

#include <algorithm>
#include <cstring>

#include "codec/codec.h"
#include "codec/kernels.h"
#include "codec/raw_codec.h"
#include "vision/floats.h"

namespace fogline {
namespace {

// Coded tensors from this many elements on use four rANS states, others two: a state costs 4 bytes
// and carries 2 of the tag.
constexpr int64_t kFourStatesFrom = 2048;
constexpr int kEscapeWords = 3;  // words that one symbol can give off at most: itself, two bytes

/// Parameters of all groups unrolled to lanes, in the order that the loops read them.
struct Unrolled {
  std::vector<float> mean;                                // [group][means][lane]
  std::vector<float> step, inverse, threshold, rounding;  // [group][bands][lane]
  std::vector<uint8_t> table;                             // [group][bands][lane]
};

Unrolled Unroll(const QuantParams& params, const QuantLevel& level) {
  const Layout& layout = params.layout;
  const int bands = layout.bands, groups = layout.groups();
  Unrolled out;
  out.mean.assign(static_cast<size_t>(groups) * params.means * kLanes, 0);
  const size_t size = static_cast<size_t>(groups) * bands * kLanes;
  out.step.assign(size, 1);
  out.inverse.assign(size, 0);
  out.threshold.assign(size, 1);
  out.rounding.assign(size, 0);
  out.table.assign(size, 0);
  for (int c = 0; c < layout.channels; ++c) {
    const int group = c / kLanes, lane = c % kLanes;
    for (int k = 0; k < params.means; ++k) {
      out.mean[(static_cast<size_t>(group) * params.means + k) * kLanes + lane] =
          params.mean[static_cast<size_t>(c) * params.means + k];
    }
    for (int b = 0; b < bands; ++b) {
      const size_t to = (static_cast<size_t>(group) * bands + b) * kLanes + lane;
      const uint8_t index = level.table_of[static_cast<size_t>(c) * bands + b];
      const QuantTable& table = level.tables[index];
      out.step[to] = level.step / (params.channel_weight[c] * params.band_weight[b]);
      out.inverse[to] = 1.0F / out.step[to];
      out.threshold[to] = table.threshold;
      out.rounding[to] = table.rounding;
      out.table[to] = index;
    }
  }
  return out;
}

class QuantCodec final : public TensorCodec {
 public:
  QuantCodec(const QuantParams& params, const QuantLevel& level, uint64_t tag)
      : port_(params.tensor),
        layout_(params.layout),
        transform_(layout_),
        means_(params.means),
        unrolled_(Unroll(params, level)),
        push_(level.tables.size()),
        pop_(level.tables.size()),
        tag_(tag),
        states_(*port_.shape.Elements() >= kFourStatesFrom ? 4 : 2),
        coefficients_(static_cast<size_t>(layout_.tile_size()) * kLanes) {
    for (size_t t = 0; t < level.tables.size(); ++t) {
      Unroll_(level.tables[t], t);
    }
  }

  Status Encode(const TensorView& tensor, std::vector<std::byte>& out) override {
    FOGLINE_CHECK(CheckTensor(port_, tensor));
    if (symbols_.empty()) {
      symbols_.resize(static_cast<size_t>(layout_.padded_size()));
      words_.resize(kEscapeWords * static_cast<size_t>(*port_.shape.Elements()));
    }
    const int size = layout_.tile_size();
    const float* const values = AsFloats(tensor, floats_).data();
    int16_t* to = symbols_.data();
    for (int64_t tile = 0; tile < layout_.tiles(); ++tile) {
      for (int group = 0; group < layout_.groups(); ++group, to += size * kLanes) {
        if (!transform_.Forward(values, tile, group, coefficients_.data())) {
          return Fail(ErrorCode::kInvalid, port_.name,
                      "holds NaN or infinity, which cannot be quantised");
        }
        Quantise(coefficients_.data(), layout_.band.data(), size, StepsOf(group), to);
      }
    }
    const bool four = states_ == 4;
    uint32_t states[4];
    for (int i = 0; i < 4; ++i) states[i] = FirstState(i);
    uint16_t* const end = words_.data() + words_.size();
    uint16_t* const begin = four ? PushAll<4>(states, end) : PushAll<2>(states, end);
    const size_t head = static_cast<size_t>(states_) * sizeof(uint32_t);
    const size_t body = static_cast<size_t>(end - begin) * sizeof(uint16_t);
    const size_t at = out.size();
    out.resize(at + head + body);
    std::memcpy(out.data() + at, states, head);
    std::memcpy(out.data() + at + head, begin, body);
    return {};
  }

  Status Decode(std::span<const std::byte> code, Tensor& out) override {
    const size_t head = static_cast<size_t>(states_) * sizeof(uint32_t);
    if (code.size() < head || (code.size() - head) % sizeof(uint16_t) != 0) return Damaged();
    Prepare(port_, out);
    uint32_t states[4] = {};
    std::memcpy(states, code.data(), head);
    for (int i = 0; i < states_; ++i) {
      if (states[i] < kRansLow) return Damaged();
    }
    const std::byte* words = code.data() + head;
    const std::byte* const end = code.data() + code.size();
    const bool whole = port_.dtype != DType::kF32;
    if (whole) floats_.resize(static_cast<size_t>(*port_.shape.Elements()));
    float* const tensor = whole ? floats_.data() : out.as<float>().data();
    const int size = layout_.tile_size();
    for (int64_t tile = 0; tile < layout_.tiles(); ++tile) {
      for (int group = 0; group < layout_.groups(); ++group) {
        const bool ok = states_ == 4 ? PopGroup<4>(group, states, words, end)
                                     : PopGroup<2>(group, states, words, end);
        if (!ok) return Damaged();
        const size_t at = static_cast<size_t>(group) * layout_.bands * kLanes;
        Dequantise(coefficients_.data(), layout_.band.data(), size, unrolled_.step.data() + at,
                   unrolled_.mean.data() + static_cast<size_t>(group) * means_ * kLanes, means_);
        transform_.Inverse(coefficients_.data(), tile, group, tensor);
      }
    }
    // A decoder that took every word and is back where the encoder began has read its own bundle's
    // code, undamaged.
    for (int i = 0; i < states_; ++i) {
      if (states[i] != FirstState(i)) return Damaged();
    }
    if (words != end) return Damaged();
    if (whole) RoundTo(floats_, out);
    return {};
  }

 private:
  void Unroll_(const QuantTable& table, size_t at) {
    fogline::Unroll(table, push_[at]);
    fogline::Unroll(table, pop_[at]);
  }

  tl::unexpected<Error> Damaged() const {
    return Fail(ErrorCode::kInvalid, port_.name,
                "its code is damaged or was made with another bundle");
  }

  uint32_t FirstState(int i) const {
    return kRansLow | static_cast<uint32_t>((tag_ >> (16 * i)) & 0xFFFFU);
  }

  GroupSteps StepsOf(int group) const {
    const size_t at = static_cast<size_t>(group) * layout_.bands * kLanes;
    return {unrolled_.mean.data() + static_cast<size_t>(group) * means_ * kLanes, means_,
            unrolled_.inverse.data() + at, unrolled_.threshold.data() + at,
            unrolled_.rounding.data() + at};
  }

  /// Pushes all symbols, last to first, since rANS decodes last in, first out. Returns the first
  /// word.
  template <int kStates>
  uint16_t* PushAll(uint32_t* states, uint16_t* to) const {
    uint32_t x[kStates];
    std::copy_n(states, kStates, x);
    const int size = layout_.tile_size();
    const int16_t* from = symbols_.data() + symbols_.size();
    for (int64_t tile = layout_.tiles() - 1; tile >= 0; --tile) {
      for (int group = layout_.groups() - 1; group >= 0; --group) {
        const int lanes = layout_.lanes_of(group);
        const uint8_t* tables =
            unrolled_.table.data() + static_cast<size_t>(group) * layout_.bands * kLanes;
        for (int k = size - 1; k >= 0; --k) {
          from -= kLanes;
          const uint8_t* table = tables + layout_.band[k] * kLanes;
          if (lanes == kLanes) {
#pragma GCC unroll 8
            for (int lane = kLanes - 1; lane >= 0; --lane) {
              PushOne(push_[table[lane]], from[lane], x[lane % kStates], to);
            }
          } else {
            for (int lane = lanes - 1; lane >= 0; --lane) {
              PushOne(push_[table[lane]], from[lane], x[lane % kStates], to);
            }
          }
        }
      }
    }
    std::copy_n(x, kStates, states);
    return to;
  }

  static void PushOne(const PushTable& table, int q, uint32_t& state, uint16_t*& to) {
    const auto index = static_cast<uint32_t>(q + 128);
    if (index < 256 && table.of[index].limit != 0) {
      Push(table.of[index], state, to);
    } else {
      const auto bits = static_cast<uint32_t>(q + 32768);
      PushBits(bits & 0xFFU, 8, state, to);
      PushBits(bits >> 8, 8, state, to);
      Push(table.escape, state, to);
    }
  }

  /// Pops one group's symbols as values in steps into coefficients_. False when words run out.
  template <int kStates>
  bool PopGroup(int group, uint32_t* states, const std::byte*& words, const std::byte* end) {
    uint32_t x[kStates];
    std::copy_n(states, kStates, x);
    const std::byte* at = words;
    const int size = layout_.tile_size(), lanes = layout_.lanes_of(group);
    const uint8_t* tables =
        unrolled_.table.data() + static_cast<size_t>(group) * layout_.bands * kLanes;
    float* value = coefficients_.data();
    bool ok = true;
    if (lanes < kLanes) std::ranges::fill(coefficients_, 0.0F);
    for (int k = 0; k < size; ++k, value += kLanes) {
      const uint8_t* table = tables + layout_.band[k] * kLanes;
      // Where every lane could read all that a symbol may need, no word is checked on its own.
      if (lanes == kLanes && end - at >= kLanes * kEscapeWords * 2) {
#pragma GCC unroll 8
        for (int lane = 0; lane < kLanes; ++lane) {
          value[lane] = PopOne<false>(pop_[table[lane]], x[lane % kStates], at, end, ok);
        }
      } else {
        for (int lane = 0; lane < lanes; ++lane) {
          value[lane] = PopOne<true>(pop_[table[lane]], x[lane % kStates], at, end, ok);
        }
        if (!ok) return false;
      }
    }
    std::copy_n(x, kStates, states);
    words = at;
    return ok;
  }

  template <bool kChecked>
  static void Refill(uint32_t& state, const std::byte*& at, const std::byte* end, bool& ok) {
    if (state >= kRansLow) return;
    if (kChecked && at == end) {
      ok = false;
      state = kRansLow;
      return;
    }
    uint16_t word;
    std::memcpy(&word, at, sizeof(word));
    at += sizeof(word);
    state = state << 16 | word;
  }

  template <bool kChecked>
  static float PopOne(const PopTable& table, uint32_t& state, const std::byte*& at,
                      const std::byte* end, bool& ok) {
    const uint8_t s = table.at[Slot(state)];
    const PopTable::Symbol& symbol = table.symbols[s];
    state = Pop(state, symbol.start, symbol.frequency);
    Refill<kChecked>(state, at, end, ok);
    if (s != table.escape) [[likely]]
      return symbol.value;
    uint32_t bits = (state & 0xFFU) << 8;
    state >>= 8;
    Refill<kChecked>(state, at, end, ok);
    bits |= state & 0xFFU;
    state >>= 8;
    Refill<kChecked>(state, at, end, ok);
    return QuantValue(static_cast<int>(bits) - 32768, table.shift);
  }

  Port port_;
  Layout layout_;
  TileTransform transform_;
  int means_;
  Unrolled unrolled_;
  std::vector<PushTable> push_;
  std::vector<PopTable> pop_;
  uint64_t tag_;
  int states_;
  std::vector<float> floats_;        // 8-bit numbers as the transform takes them
  std::vector<float> coefficients_;  // one tile of one group, [k][lane]
  std::vector<int16_t> symbols_;     // all tiles, [tile][group][k][lane]
  std::vector<uint16_t> words_;      // filled from the end
};

}  // namespace

Result<std::unique_ptr<TensorCodec>> MakeQuantCodec(const QuantParams& params, int level,
                                                    uint64_t tag) {
  const auto found = params.levels.find(level);
  if (found == params.levels.end()) {
    return Fail(ErrorCode::kNotFound, params.tensor.name, "its bundle has no level q{}", level);
  }
  return std::make_unique<QuantCodec>(params, found->second, tag);
}

}  // namespace fogline
