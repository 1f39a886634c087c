#include "cloud/worker.h"

#include <algorithm>
#include <cmath>
#include <new>

#include "base/clock.h"
#include "base/log.h"
#include "cloud/crossing.h"
#include "codec/runnable.h"
#include "frame/capture_time.h"
#include "frame/json_frame.h"
#include "vision/exit_cut.h"
#include "vision/floats.h"
#include "vision/jpeg.h"
#include "vision/placement.h"
#include "vision/preprocess.h"
#include "vision/verdict.h"

namespace fogline {
namespace {

const Payload* FindRole(const Frame& frame, Role role) {
  const auto it = std::find_if(frame.payloads.begin(), frame.payloads.end(),
                               [&](const Payload& p) { return p.role == role; });
  return it == frame.payloads.end() ? nullptr : &*it;
}

constexpr size_t kMostDecoders = 1024;

tl::unexpected<Error> Refuse(const char* what) {
  return Fail(ErrorCode::kInvalid, "frame", "{}", what);
}

/// A fault of something that the frame brought is the frame's.
tl::unexpected<Error> InFrame(const Error& error) {
  return Fail(error.code, "frame", "{}", error.ToString());
}

/// False for a tensor of floats of which one is NaN or infinite: then what the network made of it
/// is not the network's fault.
bool HoldsNumbers(const TensorView& tensor) {
  std::vector<float> room;
  return std::ranges::all_of(AsFloats(tensor, room), [](float v) { return std::isfinite(v); });
}

}  // namespace

bool BelievedCapture(int64_t captured_us, int64_t now) {
  constexpr int64_t kDay = 86'400'000'000;
  return captured_us >= kYear2000Us && captured_us <= now + kDay;
}

Result<Worked> Worker::Work(std::span<const std::byte> bytes, const std::string& device) {
  try {
    return WorkOn(bytes, device);
  } catch (const std::bad_alloc&) {
    return Fail(ErrorCode::kExhausted, "frame", "does not fit into memory now");
  } catch (const std::exception& e) {
    return Fail(ErrorCode::kInternal, "frame", "cannot be worked on: {}", e.what());
  }
}

Result<Worked> Worker::WorkOn(std::span<const std::byte> bytes, const std::string& device) {
  Nanos start = Clock::Real().Steady();
  frame_.run = frame_.sequence = 0;
  opening_ = Nanos(0);
  const bool json = IsJsonFrame(bytes);
  FOGLINE_CHECK(json ? ParseJsonFrame(bytes, frame_, scratch_) : ParseFrame(bytes, frame_));
  if (frame_.device != device) return Refuse("names another device than its topic");
  Worked out;
  out.run = frame_.run;
  out.sequence = frame_.sequence;
  for (const Settled& settled : frame_.settled) {
    out.settlements.push_back(
        {frame_.device, frame_.run, settled.sequence, Millis(settled.network_us)});
  }
  if (frame_.payloads.empty() && !frame_.settled.empty()) return out;

  const Nanos asked = Clock::Real().Steady();
  const auto found = registry_.Find(HalvesOf(frame_), TensorsOf(frame_));
  opening_ = Clock::Real().Steady() - asked;
  FOGLINE_TRY(const auto open, found);
  const KnownModel& model = *open->model;
  Detection& row = out.detection.emplace();
  const bool left = frame_.gate && frame_.gate->left;
  const bool unchanged = frame_.unchanged_since.has_value();
  if (open->cut.is_edge_only() || left || unchanged) {
    FOGLINE_CHECK(TakeResult(out));
    out.stages.decode = LapMicros(start);
  } else {
    FOGLINE_CHECK(MatchTensors(frame_, *open, carriers_));
    codecs_.clear();
    for (const Payload* payload : carriers_) {
      FOGLINE_TRY(const CodecName codec, CodecFromWire(payload->codec, payload->parameter));
      codecs_.push_back(codec);
    }
    row.codec = ToString(codecs_);
    FOGLINE_CHECK(RunCloud(*open, row.codec, out));
    if (frame_.gate) FOGLINE_CHECK(Audit(model, out));
  }
  row.score = out.score;
  row.device = frame_.device;
  row.run = frame_.run;
  row.sequence = frame_.sequence;
  row.captured_us = frame_.captured_us;
  row.captured_from = frame_.captured_from;
  if (row.captured_us != 0 && !BelievedCapture(row.captured_us, Clock::Real().WallMicros())) {
    out.time_not_believed = true;
    row.captured_us = 0;
    row.captured_from = TimeSource::kNone;
  }
  row.has_position = frame_.has_position;
  row.lat = frame_.lat;
  row.lon = frame_.lon;
  row.accuracy_m = frame_.accuracy_m;
  row.heading_deg = frame_.heading_deg;
  row.counts = frame_.counts;
  row.model = ToHex(model.hash);
  row.mechanism = NameOf(left ? MechanismKind::kEdgeOnly : open->cut.mechanism());
  row.cut = open->cut.name;
  if (frame_.gate) {
    FOGLINE_TRY(const EarlyExit* const exit, GateOf(model));
    if (left) row.cut = exit->at;
  }
  if (unchanged) {
    row.mechanism = kUnchanged;
    row.cut = fmt::format("frame {}", *frame_.unchanged_since);
  }
  row.payload_bytes = static_cast<uint32_t>(bytes.size());
  TakeThumbnail(out);
  const EdgeStages& e = frame_.stages;
  row.stages = {Millis(e.read), Millis(e.resize), Millis(e.prefix), Millis(e.encode),
                Millis(e.window)};
  row.stages.decode = Millis(out.stages.decode);
  row.stages.suffix = Millis(out.stages.suffix);
  if (const Status fits = Check(row); !fits) return InFrame(fits.error());
  return out;
}

/// The device's own verdict, as what the picture is stored as.
Status Worker::TakeResult(Worked& out) const {
  const Payload* payload = FindRole(frame_, Role::kResult);
  if (payload == nullptr) {
    return Refuse(frame_.unchanged_since ? "is of an unchanged picture and holds no result"
                  : frame_.gate          ? "left at an exit and holds no result"
                                         : "is edge-only and holds no result");
  }
  FOGLINE_TRY(ResultPayload result, ParseResult(payload->bytes));
  out.label = result.label;
  out.score = result.score;
  Detection& row = *out.detection;
  row.label = std::move(result.text);
  row.positive = result.positive;
  row.findings = std::move(result.findings);
  row.codec = "result";
  return {};
}

/// A small picture is kept only where somebody asked for it, and only if it is one: what is stored
/// is shown in browsers, and would otherwise be any bytes at all.
void Worker::TakeThumbnail(Worked& out) {
  const Payload* payload = FindRole(frame_, Role::kThumbnail);
  if (payload == nullptr) return;
  const Shape& shape = payload->shape;
  const bool jpeg = payload->codec == static_cast<uint8_t>(CodecKind::kJpeg) && shape.rank() == 3 &&
                    payload->bytes.size() <= kMaxThumbnailBytes;
  const bool fits =
      jpeg && shape[0] > 0 && shape[1] > 0 && std::max(shape[0], shape[1]) <= int64_t{thumbnail_};
  out.thumbnail_left_out =
      !fits || !DecodeJpegExactly(payload->bytes, "thumbnail", static_cast<int>(shape[1]),
                                  static_cast<int>(shape[0]), small_);
  if (out.thumbnail_left_out) return;
  out.detection->thumbnail.assign(payload->bytes.begin(), payload->bytes.end());
}

/// The exit that a frame names, or the little network of a cascade.
Result<const EarlyExit*> Worker::GateOf(const KnownModel& model) const {
  if (const EarlyExit* const exit = ExitAt(model.card.exits, frame_.gate->at)) return exit;
  if (model.cascade && model.cascade->id == frame_.gate->at) return &model.cascade->gate;
  return Fail(ErrorCode::kInvalid, "frame",
              "names an exit {:016x} that neither the card of {} has nor its cascade",
              frame_.gate->at, model.path.filename().string());
}

/// What the device was sure of, beside what the whole network says. Of the sure ones as many may
/// differ as was promised of all, by the share that are sure.
Status Worker::Audit(const KnownModel& model, Worked& out) const {
  FOGLINE_TRY(const EarlyExit* const exit, GateOf(model));
  if (const Payload* payload = FindRole(frame_, Role::kResult)) {
    FOGLINE_TRY(const ResultPayload result, ParseResult(payload->bytes));
    const size_t exits = std::max<size_t>(1, model.card.exits.size());
    const auto promise = PromiseAt(*exit, frame_.gate->threshold, exits);
    const bool promised = promise && promise->sure_share > 0;
    out.audited = {model.path.stem().string(), exit->at,
                   promised ? promise->disagreement_bound / promise->sure_share : 1,
                   result.label == out.label};
  }
  if (hard_ != nullptr) KeepHard(out);
  return {};
}

/// A picture of which a gate was not sure, or sure of another class: itself where it came, else the
/// small one beside its tensors.
void Worker::KeepHard(const Worked& worked) const {
  if (worked.audited && worked.audited->agrees) return;
  const Payload* picture = nullptr;
  for (const Payload& payload : frame_.payloads) {
    const auto codec = CodecFromWire(payload.codec, payload.parameter);
    if (payload.role != Role::kResult && codec && CodesPictures(*codec)) picture = &payload;
    if (picture != nullptr && picture->role == Role::kActivation) break;
  }
  if (picture == nullptr) return;
  const bool webp = picture->codec == static_cast<uint8_t>(CodecKind::kWebp);
  hard_->Keep({frame_.device, frame_.run, frame_.sequence, worked.detection->label,
               worked.audited.has_value(), picture->bytes, webp});
}

Status Worker::RunCloud(const OpenCut& open, const std::string& codecs, Worked& out) {
  Nanos start = Clock::Real().Steady();
  FOGLINE_CHECK(Decode(open));
  out.stages.decode = LapMicros(start);
  if (pace_ != nullptr) {
    FOGLINE_TRY(const StepTimes pace, Pace(open, codecs));
    out.stages.decode = HoldTo(pace.decode, out.stages.decode);
    LapMicros(start);
  }
  FOGLINE_TRY(const auto outputs, open.session->Run(inputs_));
  const ModelCard& card = open.model->card;
  auto read = ReadOutputs(outputs, open.session->outputs(), open.model->contract.judged, card,
                          PlacementOf(frame_.picture.width, frame_.picture.height, card));
  if (!read) {
    for (size_t i = 0; i < inputs_.size(); ++i) {
      if (HoldsNumbers(inputs_[i])) continue;
      return Fail(ErrorCode::kInvalid, "frame", "holds NaN or infinite numbers in '{}'",
                  open.cut.tensors[i].name);
    }
  }
  FOGLINE_TRY(Findings findings, std::move(read));
  Verdict verdict = Judge(findings, card);
  if (raw_ != nullptr && std::holds_alternative<RawFindings>(findings)) {
    raw_->Keep({frame_.device, frame_.run, frame_.sequence}, outputs, open.session->outputs());
  }
  out.stages.suffix = LapMicros(start);
  if (pace_ != nullptr) {
    FOGLINE_TRY(const StepTimes pace, Pace(open, codecs));
    out.stages.suffix = HoldTo(pace.suffix, out.stages.suffix);
  }
  out.label = verdict.label;
  out.score = verdict.score;
  out.detection->label = std::move(verdict.name);
  out.detection->positive = verdict.positive;
  if (SaysMore(findings)) out.detection->findings = std::move(findings);
  return {};
}

Result<StepTimes> Worker::Pace(const OpenCut& open, const std::string& codecs) {
  const bool quantised =
      std::ranges::find(codecs_, CodecKind::kQuant, &CodecName::kind) != codecs_.end();
  const PaceKey key{HalvesOf(frame_), quantised ? frame_.bundle : 0, codecs};
  if (const auto known = paces_.find(key); known != paces_.end()) return known->second;
  FOGLINE_TRY(const auto network, registry_.Load(frame_.model));
  std::shared_ptr<const Bundle> bundle;
  if (quantised) {
    FOGLINE_TRY(bundle, registry_.FindBundle(frame_.model, frame_.bundle));
  }
  if (paces_.size() >= kMostDecoders) paces_.clear();
  return paces_[key] = PaceOf(*pace_, *network, open.cut, codecs, bundle.get());
}

/// The decoder for a payload of the last frame, made once and kept.
Result<TensorCodec*> Worker::Decoder(const Payload& payload, const CodecName& codec,
                                     const Port& tensor, bool pixels) {
  const std::pair key(KeyOf(frame_, payload.tensor, codec), pixels);
  if (const auto kept = decoders_.find(key); kept != decoders_.end()) return kept->second.get();
  std::shared_ptr<const Bundle> bundle;
  if (codec.kind == CodecKind::kQuant) {
    if (frame_.bundle == 0) return Refuse("is quantised and names no calibration bundle");
    FOGLINE_TRY(bundle, registry_.FindBundle(frame_.model, frame_.bundle));
  }
  auto made = MakeCodec(codec, tensor, bundle.get(), frame_.cut);
  // The bundle is the very one that the frame names: what it lacks was never coded with it.
  if (!made) return Fail(ErrorCode::kInvalid, "frame", "{}", made.error().ToString());
  if (decoders_.size() >= kMostDecoders) decoders_.clear();
  if (const auto route = RouteOf(frame_)) LogDebug("decodes {}", ToString(*route));
  return (decoders_[key] = *std::move(made)).get();
}

/// Fills in the inputs of the cloud's part: the decoded tensors that cross, or at cut 0 the decoded
/// and normalised picture.
Status Worker::Decode(const OpenCut& open) {
  if (const auto obstacle = WhyNotRun(open.model->contract, open.cut, std::nullopt)) {
    return Fail(ErrorCode::kUnsupported, "frame", "names a cut that is not run: {}", obstacle->why);
  }
  inputs_.clear();
  if (open.cut.is_cloud_only()) {
    const Payload& payload = *carriers_[0];
    const Port& own = open.cut.tensors[0];
    // Pixels may come instead of the network's own input.
    const Shape picture = open.model->contract.pixels().shape;
    const bool pixels =
        payload.shape.rank() == 3 && (payload.shape == picture || payload.shape != own.shape);
    if (pixels) return DecodePicture(open, payload, codecs_[0]);
    FOGLINE_CHECK(CheckIs(payload, own));
  }
  if (decoded_.size() < carriers_.size()) decoded_.resize(carriers_.size());
  for (size_t i = 0; i < carriers_.size(); ++i) {
    if (CodesPictures(codecs_[i])) return Refuse("holds a coded picture where a tensor is due");
    FOGLINE_TRY(TensorCodec* const decoder,
                Decoder(*carriers_[i], codecs_[i], open.cut.tensors[i], false));
    const Status decoded = decoder->Decode(carriers_[i]->bytes, decoded_[i]);
    if (!decoded) return InFrame(decoded.error());
    inputs_.push_back(decoded_[i].view());
  }
  return {};
}

Status Worker::DecodePicture(const OpenCut& open, const Payload& payload, const CodecName& codec) {
  const ModelCard& card = open.model->card;
  const Port pixels = open.model->contract.pixels();
  FOGLINE_CHECK(CheckIs(payload, pixels));
  if (CodesPictures(codec)) {
    FOGLINE_CHECK(DecodeExactly(payload.bytes, "frame", card.width, card.height, picture_));
  } else {
    FOGLINE_TRY(TensorCodec* const decoder, Decoder(payload, codec, pixels, true));
    if (decoded_.empty()) decoded_.resize(1);
    const Status decoded = decoder->Decode(payload.bytes, decoded_[0]);
    if (!decoded) return InFrame(decoded.error());
    picture_.width = card.width;
    picture_.height = card.height;
    const auto values = decoded_[0].as<uint8_t>();
    picture_.rgb.assign(values.begin(), values.end());
  }
  if (input_.shape() != card.input_shape() || input_.dtype() != card.dtype) {
    input_ = Tensor(card.dtype, card.input_shape());
  }
  Normalise(picture_, card, input_);
  inputs_.push_back(input_.view());
  return {};
}

}  // namespace fogline
