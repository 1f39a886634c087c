#include "edge/mechanism.h"

#include <algorithm>

#include "base/clock.h"
#include "base/paths.h"
#include "codec/agreement.h"
#include "codec/runnable.h"
#include "engine/session.h"
#include "vision/exit_cut.h"
#include "vision/placement.h"
#include "vision/verdict.h"

namespace fogline {
namespace {

constexpr const char* kDefaultPicture = "jpeg:90";
constexpr const char* kDefaultTensor = "f16";

class CloudOnly final : public Mechanism {
 public:
  explicit CloudOnly(const Network& network)
      : prepare_(network.card), pixels_(network.contract.pixels()) {}
  CloudOnly(const CloudOnly& other)
      : Mechanism(other), prepare_(other.prepare_), pixels_(other.pixels_) {}

  Result<std::unique_ptr<Mechanism>> Another() const override {
    auto other = std::make_unique<CloudOnly>(*this);
    FOGLINE_CHECK(other->Init());
    return other;
  }

  Status Init() {
    picture_codec_ = route_.codecs[0];
    if (CodesPictures(picture_codec_)) return {};
    FOGLINE_TRY(tensor_codec_, MakeCodec(picture_codec_, pixels_, nullptr, 0));
    return {};
  }

  Status Process(const Image& picture, Prepared& out) override {
    Nanos start = Clock::Real().Steady();
    Little::Passed passed;
    if (little_) {
      FOGLINE_TRY(passed, little_->Run(picture));
      out.prefix_us = LapMicros(start);
      out.resize_us = 0;
      if (passed.left) return Leave(*passed.sure, start, out);
    }
    const Image& fitted = prepare_.Fit(picture);
    out.resize_us = LapMicros(start);
    if (tensor_codec_ != nullptr) {
      out.data.clear();
      const auto bytes = std::as_bytes(std::span(fitted.rgb));
      FOGLINE_CHECK(tensor_codec_->Encode({pixels_.dtype, pixels_.shape, bytes}, out.data));
    } else if (picture_codec_.kind == CodecKind::kJpeg) {
      FOGLINE_CHECK(EncodeJpeg(fitted, picture_codec_.parameter, out.data));
    } else {
      FOGLINE_CHECK(EncodeWebp(fitted, picture_codec_.parameter, out.data));
    }
    SendAlone(out, Role::kActivation, picture_codec_, pixels_);
    out.audited = passed.sure.has_value();
    if (passed.sure) AddVerdict(*passed.sure, out);
    out.encode_us = LapMicros(start);
    return {};
  }

 private:
  Prepare prepare_;
  const Port pixels_;
  CodecName picture_codec_;
  std::unique_ptr<TensorCodec> tensor_codec_;  // only for JSON
};

class EdgeOnly final : public Mechanism {
 public:
  explicit EdgeOnly(const Network& network)
      : prepare_(network.card), judged_(network.contract.judged) {}

  Status Init(const Network& network, const MechanismOptions& options) {
    if (gate_) {
      // What the gate gives stands in the cut's order.
      ports_ = cut_.tensors;
      const auto judged = std::ranges::find(ports_, network.contract.output().tensor, &Port::name);
      judged_ = static_cast<size_t>(judged - ports_.begin());
      return {};
    }
    FOGLINE_TRY(session_,
                OpenSession(network.model,
                            {.threads = options.threads, .optimize = true, .free_dimensions = {}}));
    ports_ = session_->outputs();
    return {};
  }

  Result<std::unique_ptr<Mechanism>> Another() const override {
    return std::make_unique<EdgeOnly>(*this);
  }

  Status Process(const Image& picture, Prepared& out) override {
    Nanos start = Clock::Real().Steady();
    const TensorView input = prepare_.Input(picture);
    out.resize_us = LapMicros(start);
    FOGLINE_TRY(const Gate::Passed passed, RunTo(session_.get(), input));
    out.prefix_us = LapMicros(start);
    if (passed.left) return Leave(*passed.sure, start, out);
    FOGLINE_TRY(Findings findings, ReadOutputs(passed.outputs, ports_, judged_, card_,
                                               PlacementOf(picture.width, picture.height, card_)));
    Verdict verdict = Judge(findings, card_);
    out.positive = verdict.positive;
    out.data.clear();
    ResultPayload result{verdict.label, verdict.score, verdict.positive, std::move(verdict.name),
                         std::nullopt};
    if (SaysMore(findings)) result.findings = std::move(findings);
    WriteResult(result, out.data);
    SendAlone(out, Role::kResult, {CodecKind::kJson, 0}, {});
    out.encode_us = LapMicros(start);
    return {};
  }

 private:
  Prepare prepare_;
  size_t judged_;
  std::vector<Port> ports_;           // of the outputs
  std::shared_ptr<Session> session_;  // null where there is a gate
};

class Split final : public Mechanism {
 public:
  explicit Split(const Network& network) : prepare_(network.card) {}

  Split(const Split& other)
      : Mechanism(other),
        prepare_(other.prepare_),
        bundle_(other.bundle_),
        session_(other.session_) {}

  Result<std::unique_ptr<Mechanism>> Another() const override {
    auto other = std::make_unique<Split>(*this);
    FOGLINE_CHECK(other->OpenCodecs());
    return other;
  }

  Status Init(const Network& network, const MechanismOptions& options,
              std::shared_ptr<const Bundle> bundle) {
    const bool quantised = std::ranges::find(route_.codecs, CodecKind::kQuant, &CodecName::kind) !=
                           route_.codecs.end();
    if (quantised) bundle_ = std::move(bundle);
    FOGLINE_CHECK(OpenCodecs());
    if (bundle_ != nullptr) bundle_id_ = ShortId(bundle_->hash());
    if (gate_) return {};
    Prefixes own;
    Prefixes& prefixes = options.prefixes != nullptr ? *options.prefixes : own;
    FOGLINE_TRY(session_, prefixes.Open(network, cut_, options.threads));
    return {};
  }

  Status Process(const Image& picture, Prepared& out) override {
    Nanos start = Clock::Real().Steady();
    const TensorView input = prepare_.Input(picture);
    out.resize_us = LapMicros(start);
    FOGLINE_TRY(const Gate::Passed passed, RunTo(session_.get(), input));
    out.prefix_us = LapMicros(start);
    if (passed.left) return Leave(*passed.sure, start, out);
    const std::vector<Tensor>& outputs = passed.outputs;
    out.data.clear();
    for (size_t i = 0; i < coders_.size(); ++i) {
      FOGLINE_CHECK(coders_[i].codec->Encode(outputs[i].view(), out.data));
      coders_[i].end = out.data.size();
    }
    // Views only now, since what they view has stopped growing.
    out.payloads.clear();
    size_t begin = 0;
    for (size_t i = 0; i < coders_.size(); ++i) {
      const size_t end = coders_[i].end;
      const CodecName& name = route_.codecs[i];
      out.payloads.push_back({Role::kActivation, static_cast<uint8_t>(name.kind),
                              static_cast<uint8_t>(name.parameter), outputs[i].dtype(),
                              outputs[i].shape(), std::span(out.data).subspan(begin, end - begin),
                              coders_[i].tensor});
      begin = end;
    }
    out.audited = passed.sure.has_value();
    if (passed.sure) AddVerdict(*passed.sure, out);
    out.encode_us = LapMicros(start);
    return {};
  }

 private:
  /// One a tensor, in the order of Cut::tensors, which is that of the session's outputs.
  struct Coder {
    std::unique_ptr<TensorCodec> codec;
    uint32_t tensor = 0;  // as a frame names it
    size_t end = 0;       // of its code in what the last picture sent
  };

  Status OpenCodecs() {
    for (size_t i = 0; i < cut_.tensors.size(); ++i) {
      const Port& tensor = cut_.tensors[i];
      FOGLINE_TRY(auto codec, MakeCodec(route_.codecs[i], tensor, bundle_.get(), cut_.id));
      coders_.push_back({std::move(codec), TensorId(tensor.name)});
    }
    return {};
  }

  Prepare prepare_;
  std::shared_ptr<const Bundle> bundle_;  // where a codec is calibrated
  std::vector<Coder> coders_;
  std::shared_ptr<Session> session_;  // null where there is a gate
};

/// kUnsupported or kUsage, naming the flag at fault.
Status CheckRuns(const Network& network, const Cut& cut, const std::optional<CodecName>& codec,
                 const MechanismOptions& options) {
  const auto obstacle = WhyNotRun(network.contract, cut, codec);
  if (!obstacle) return {};
  switch (obstacle->at) {
    case Obstacle::At::kModel:
      return Fail(ErrorCode::kUnsupported, network.path.string(), "{}", obstacle->why);
    case Obstacle::At::kCut:
      return Fail(ErrorCode::kUnsupported, "--cut " + options.cut, "{}", obstacle->why);
    case Obstacle::At::kCodec:
      break;
  }
  return Fail(ErrorCode::kUsage, "--codec " + ToString(*codec), "{}", obstacle->why);
}

/// The codec of each tensor that crosses at a cut, from one for all or one for each.
Result<std::vector<CodecName>> CodecsAt(const Network& network, const Cut& cut,
                                        const std::string& text, const MechanismOptions& options) {
  if (cut.is_edge_only()) {
    FOGLINE_CHECK(CheckRuns(network, cut, std::nullopt, options));
    return std::vector<CodecName>();
  }
  FOGLINE_TRY(auto codecs, ParseCodecs(text));
  FOGLINE_TRY(codecs, OneForEach(cut, std::move(codecs), "--codec " + text));
  const bool alike = std::ranges::all_of(codecs, [&](const auto& c) { return c == codecs[0]; });
  if (!alike && options.cut.find(',') != std::string::npos && options.cut != cut.name) {
    return Fail(ErrorCode::kUsage, "--codec " + text,
                "is one codec a tensor in their order, which is {}: name the cut so", cut.name);
  }
  for (const CodecName& codec : codecs) FOGLINE_CHECK(CheckRuns(network, cut, codec, options));
  return codecs;
}

}  // namespace

Result<std::optional<Bundle>> FindBundle(const Network& network, std::filesystem::path file) {
  if (file.empty()) {
    file = network.path;
    if (!Exists(file.replace_extension(".bundle"))) return std::nullopt;
  }
  FOGLINE_TRY(Bundle bundle, Bundle::Load(file));
  if (bundle.model_hash() != network.model.hash()) {
    return Fail(ErrorCode::kConflict, file.string(), "was calibrated for model {}, this is {}",
                ToHex(bundle.model_hash()).substr(0, 12),
                ToHex(network.model.hash()).substr(0, 12));
  }
  return bundle;
}

const CalibratedPair* CheapestPair(const Bundle& bundle, uint64_t cut_id) {
  const CalibratedPair* best = nullptr;
  for (const CalibratedPair& pair : bundle.pairs()) {
    if (pair.cut_id != cut_id || pair.agreement.value_or(0) < kLeastAgreement) continue;
    if (best == nullptr || pair.bytes_mean < best->bytes_mean) best = &pair;
  }
  return best;
}

size_t Mechanism::least_bytes() const {
  size_t bytes = 0;
  for (size_t i = 0; i < route_.codecs.size(); ++i) {
    const Port& tensor = cut_.tensors[i];
    const auto elements = static_cast<size_t>(tensor.shape.Elements().value_or(0));
    switch (route_.codecs[i].kind) {
      case CodecKind::kF32:
        bytes += ElementBytes(tensor.dtype) * elements;
        break;
      case CodecKind::kF16:
        bytes += std::min<size_t>(2, ElementBytes(tensor.dtype)) * elements;
        break;
      case CodecKind::kJson:  // a digit and a comma
        bytes += 2 * elements;
        break;
      default:
        break;
    }
  }
  return bytes;
}

bool Mechanism::IsLike(const Mechanism& other) const {
  return model_id_ == other.model_id_ && cut_.id == other.cut_.id &&
         bundle_id_ == other.bundle_id_ && route_.codecs == other.route_.codecs &&
         route_.gate == other.route_.gate;
}

void Mechanism::SendAlone(Prepared& out, Role role, const CodecName& codec, const Port& what) {
  out.payloads.assign(1, {role, static_cast<uint8_t>(codec.kind),
                          static_cast<uint8_t>(codec.parameter), what.dtype, what.shape, out.data});
}

Result<Gate::Passed> Mechanism::RunTo(Session* session, const TensorView& input) {
  if (gate_) return gate_->Run(input);
  FOGLINE_TRY(std::vector<Tensor> outputs, session->Run({&input, 1}));
  return Gate::Passed{std::nullopt, false, std::move(outputs)};
}

void Mechanism::AddVerdict(const ExitVerdict& verdict, Prepared& out) const {
  out.verdict.clear();
  const bool positive = card_.positive < 0 || verdict.label == card_.positive;
  WriteResult({verdict.label, verdict.score, positive, card_.LabelOf(verdict.label), std::nullopt},
              out.verdict);
  out.payloads.push_back({Role::kResult, static_cast<uint8_t>(CodecKind::kJson), 0,
                          DType::kUndefined, Shape(), out.verdict});
}

Status Mechanism::Leave(const ExitVerdict& verdict, Nanos start, Prepared& out) const {
  out.payloads.clear();
  AddVerdict(verdict, out);
  out.left = true;
  out.positive = card_.positive < 0 || verdict.label == card_.positive;
  out.encode_us = LapMicros(start);
  return {};
}

void Mechanism::Stamp(Frame& frame) const {
  frame.model = model_id_;
  frame.cut = cut_.id;
  frame.bundle = bundle_id_;
  if (gate_) frame.gate = gate_->name();
  if (little_) frame.gate = little_->name();
}

Status Mechanism::OpenGate(const Network& network, const MechanismOptions& options) {
  const std::string& flag = options.gate->flag;
  if (options.json) return Fail(ErrorCode::kUsage, flag, "does not travel with --wire json");
  if (cut_.is_cloud_only()) {
    FOGLINE_TRY(little_, Little::Open(network, *options.gate, options.threads));
    route_.gate = little_->route();
    return {};
  }
  if (cut_.is_edge_only() && options.gate->audit > 0) {
    return Fail(ErrorCode::kUsage, fmt::format("--audit {}", options.gate->audit),
                "sends to a cloud that runs the rest; edge-only leaves it nothing");
  }
  FOGLINE_TRY(const ChosenGate chosen, ChooseGate(network, cut_, *options.gate));
  FOGLINE_TRY(gate_, Gate::Open(network, cut_, chosen, options.gate->audit, options.threads));
  route_.gate = ExitGate{{NameOfExit(network.model, chosen.cut), 0}, chosen.promise.threshold};
  return {};
}

Result<std::unique_ptr<Mechanism>> Mechanism::Make(const Network& network,
                                                   const MechanismOptions& options) {
  FOGLINE_TRY(Cut cut, FindCut(network.model, options.cut));
  FOGLINE_TRY(auto found, FindBundle(network, options.bundle));
  const auto bundle = found ? std::make_shared<const Bundle>(*std::move(found)) : nullptr;

  // Fills in what all three share, then lets the mechanism open what it needs.
  const MechanismKind kind = cut.mechanism();
  const auto finish = [&](auto mechanism, std::string codec,
                          auto init) -> Result<std::unique_ptr<Mechanism>> {
    mechanism->name_ = NameOf(kind);
    if (options.json) codec = "json";
    if (!options.json && !options.codec.empty()) codec = options.codec;
    FOGLINE_TRY(auto codecs, CodecsAt(network, cut, codec, options));
    mechanism->codec_ = codecs.empty() ? std::move(codec) : ToString(codecs);
    mechanism->route_ = RouteAt(network.model, cut, std::move(codecs));
    mechanism->route_.width = network.card.width;
    mechanism->route_.height = network.card.height;
    mechanism->cut_ = std::move(cut);
    mechanism->model_id_ = ShortId(network.model.hash());
    mechanism->card_ = network.card;
    if (options.gate) FOGLINE_CHECK(mechanism->OpenGate(network, options));
    FOGLINE_CHECK(init(*mechanism));
    return mechanism;
  };
  if (kind == MechanismKind::kCloudOnly) {
    return finish(std::make_unique<CloudOnly>(network), kDefaultPicture,
                  [](CloudOnly& m) { return m.Init(); });
  }
  if (kind == MechanismKind::kEdgeOnly) {
    if (!options.codec.empty()) {
      return Fail(ErrorCode::kUsage, "--codec " + options.codec,
                  "edge-only sends a result, not a tensor");
    }
    return finish(std::make_unique<EdgeOnly>(network), "result",
                  [&](EdgeOnly& m) { return m.Init(network, options); });
  }
  const CalibratedPair* best = bundle ? CheapestPair(*bundle, cut.id) : nullptr;
  return finish(std::make_unique<Split>(network), best != nullptr ? best->codec : kDefaultTensor,
                [&](Split& m) { return m.Init(network, options, bundle); });
}

}  // namespace fogline
