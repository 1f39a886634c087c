#include "plan/payload.h"

#include <algorithm>
#include <cmath>

#include "codec/payload_header.h"
#include "codec/runnable.h"

namespace fogline {
namespace {

/// Speed of a codec on one thread, in 10^6 bytes of the tensor (of the RGB picture for JPEG and
/// WebP) a second: the best of many runs on one core of an EPYC server (Zen 4), measured with the
/// codecs of this tree. Another machine divides by its relative speed.
struct CodecSpeed {
  CodecKind kind;
  MegabytesPerSecond encode, decode;
};
constexpr CodecSpeed kSpeeds[] = {
    {CodecKind::kJson, MegabytesPerSecond(78), MegabytesPerSecond(138)},
    {CodecKind::kF32, MegabytesPerSecond(20000), MegabytesPerSecond(20000)},
    {CodecKind::kF16, MegabytesPerSecond(4000), MegabytesPerSecond(3700)},
    {CodecKind::kQuant, MegabytesPerSecond(520), MegabytesPerSecond(560)},
    {CodecKind::kJpeg, MegabytesPerSecond(850), MegabytesPerSecond(600)},
    {CodecKind::kWebp, MegabytesPerSecond(25), MegabytesPerSecond(280)},
};

/// Bytes a pixel of JPEG files of 160×160 photographs (250 of them, chroma at half resolution).
struct JpegSize {
  int quality;
  double bytes_per_pixel;
};
constexpr JpegSize kJpegSizes[] = {{95, 13721.0 / 25600}, {90, 9993.0 / 25600}};

/// Characters of one float as Python's json.dumps writes it, separator included; of one channel of
/// an 8-bit pixel, brackets included (the demo's pictures at 160 px).
constexpr double kJsonFloat = 20.5;
constexpr double kJsonPixel = 5.2;

double ElementsOf(const std::vector<Port>& tensors) {
  double sum = 0;
  for (const Port& p : tensors) sum += static_cast<double>(p.shape.Elements().value_or(0));
  return sum;
}

double BytesOf(const std::vector<Port>& tensors) {
  double sum = 0;
  for (const Port& p : tensors) sum += static_cast<double>(p.Bytes().value_or(0));
  return sum;
}

Bytes HeaderOf(size_t rank, bool named) {
  return Bytes(static_cast<double>(PayloadHeaderBytes(rank, named)));
}

/// What a frame says of each of them.
Bytes HeadersOf(const std::vector<Port>& tensors) {
  Bytes sum;
  for (const Port& p : tensors) sum += HeaderOf(p.shape.rank(), true);
  return sum;
}

/// How many numbers the judged output holds for one picture.
double NumbersIn(const Model& model, const ModelContract& contract) {
  const Shape& shape = model.outputs()[contract.judged].shape;
  const auto all = static_cast<double>(shape.Elements().value_or(1));
  return shape.rank() > 1 ? all / static_cast<double>(contract.picture.batch) : all;
}

/// What is said of a picture beside a label and a score.
Bytes MoreOf(const Model& model, const ModelContract& contract) {
  switch (contract.output().kind) {
    case OutputKind::kClasses:
      return Bytes(0);
    case OutputKind::kBoxes:
      return kMoreOfBoxes;
    case OutputKind::kMask:
      return kMoreOfMask;
    case OutputKind::kNumbers:
      return kMoreOfNumber * NumbersIn(model, contract);
    case OutputKind::kRaw:
      return kMoreOfOutput * static_cast<double>(contract.outputs.size());
  }
  return Bytes(0);
}

bool IsExact(const std::string& codec) { return codec == "f32" || codec == "json"; }

}  // namespace

CodingTime TimeOf(const CodecName& codec, const Port& tensor) {
  const auto speed = std::ranges::find(kSpeeds, codec.kind, &CodecSpeed::kind);
  if (speed == std::end(kSpeeds)) return {};
  const Bytes bytes(static_cast<double>(tensor.Bytes().value_or(0)));
  return {bytes / speed->encode, bytes / speed->decode};
}

PayloadBook::PayloadBook(const Model& model, const ModelContract& contract, const Bundle* bundle,
                         std::vector<std::string> only)
    : model_(model), contract_(contract), bundle_(bundle), only_(std::move(only)) {}

std::vector<PayloadOption> PayloadBook::At(const Cut& cut) const {
  return Options(cut.id, cut.tensors, cut.is_cloud_only());
}

std::vector<PayloadOption> PayloadBook::Of(int activation) const {
  const Activation& a = model_.activations()[static_cast<size_t>(activation)];
  return Options(IdOfCut({&a.port.name, 1}), {a.port}, a.producer < 0);
}

std::vector<PayloadOption> PayloadBook::Results() const {
  if (!contract_.takes_pictures() && contract_.classes() == 0) {
    // Outputs are wanted whatever codecs were asked for at the cut.
    PayloadBook any(model_, contract_, bundle_, {"f32", "f16"});
    return any.Options(0, model_.outputs(), false);
  }
  PayloadOption verdict;
  verdict.codec = "verdict";
  verdict.headers = HeaderOf(0, false);
  verdict.bytes = kVerdict + MoreOf(model_, contract_);
  verdict.agreement = 1;
  verdict.metric = MetricUnchanged();
  verdict.exact = true;
  return {verdict};
}

PayloadOption PayloadBook::Nothing() const {
  PayloadOption nothing;
  nothing.codec = "none";
  nothing.agreement = 1;
  nothing.metric = MetricUnchanged();
  nothing.exact = true;
  return nothing;
}

std::optional<double> PayloadBook::MetricUnchanged() const {
  if (bundle_ == nullptr) return std::nullopt;
  for (const CalibratedPair& pair : bundle_->pairs()) {
    if (IsExact(pair.codec) && pair.user_metric) return pair.user_metric;
  }
  return std::nullopt;
}

std::vector<PayloadOption> PayloadBook::Options(uint64_t id, const std::vector<Port>& tensors,
                                                bool input) const {
  std::vector<PayloadOption> options;
  const double raw = BytesOf(tensors);
  const double elements = ElementsOf(tensors);
  const bool picture = input && tensors.size() == 1 && contract_.takes_pictures() &&
                       tensors.front().name == contract_.picture.tensor;
  // However many channels the network takes, and in how many rows: in colour, once.
  const auto pixels = static_cast<double>(contract_.picture.width * contract_.picture.height);
  // What crosses is the picture then: height, width, colours.
  const Bytes headers = picture ? HeaderOf(3, true) : HeadersOf(tensors);
  const auto allowed = [this](const std::string& codec) {
    return only_.empty() ? codec != "json" : std::ranges::find(only_, codec) != only_.end();
  };
  const auto add = [&](PayloadOption payload) {
    const auto parsed = ParseCodec(payload.codec);
    if (!parsed || !allowed(payload.codec)) return;
    const bool known = std::ranges::any_of(
        options, [&](const PayloadOption& o) { return o.codec == payload.codec; });
    if (known) return;
    for (const CodecSpeed& speed : kSpeeds) {
      if (speed.kind != parsed->kind) continue;
      const Bytes work(CodesPictures(*parsed) ? 3 * pixels : raw);
      payload.encode = work / speed.encode;
      payload.decode = work / speed.decode;
    }
    payload.headers = headers;
    payload.exact = IsExact(payload.codec);
    if (payload.exact && !payload.metric) payload.metric = MetricUnchanged();
    options.push_back(std::move(payload));
  };

  if (bundle_ != nullptr) {
    for (const CalibratedPair& pair : bundle_->pairs()) {
      // The JSON wire sends a picture's pixels, not the tensor that calibration wrote out.
      if (pair.cut_id != id || (picture && pair.codec == "json")) continue;
      PayloadOption payload;
      payload.codec = pair.codec;
      payload.bytes = Bytes(pair.bytes_mean);
      payload.agreement = pair.agreement;
      payload.accuracy = pair.top1_accuracy;
      payload.metric = pair.user_metric;
      // What f16 rounds off nobody has seen to change a verdict; of others nothing is assumed.
      const bool careful = IsExact(pair.codec) || pair.codec == "f16";
      if (careful && !payload.agreement) payload.agreement = 1;
      add(std::move(payload));
    }
  }
  PayloadOption exact;
  exact.codec = "f32";
  exact.bytes = Bytes(raw);
  exact.agreement = 1;
  add(exact);
  exact.codec = "f16";
  exact.bytes = Bytes(raw / 2);
  const bool all_f32 =
      std::ranges::all_of(tensors, [](const Port& p) { return p.dtype == DType::kF32; });
  if (all_f32) add(exact);
  exact.codec = "json";
  exact.bytes = Bytes(std::round(picture ? 3 * pixels * kJsonPixel : elements * kJsonFloat));
  exact.estimate = true;
  add(exact);
  if (picture) {
    for (const JpegSize& size : kJpegSizes) {
      PayloadOption jpeg;
      jpeg.codec = "jpeg:" + std::to_string(size.quality);
      jpeg.bytes = Bytes(std::round(pixels * size.bytes_per_pixel));
      jpeg.estimate = true;
      // With a bundle that measured pictures at all, nothing is estimated beside it.
      const bool measured = std::ranges::any_of(
          options, [](const PayloadOption& o) { return o.codec.starts_with("jpeg"); });
      // An estimate says nothing of fidelity: unasked, only the careful quality is offered.
      const bool careful = size.quality == kJpegSizes[0].quality;
      if ((careful || !only_.empty()) && (!measured || !bundle_)) add(std::move(jpeg));
    }
  }
  std::ranges::stable_sort(options, {}, &PayloadOption::bytes);
  return options;
}

}  // namespace fogline
