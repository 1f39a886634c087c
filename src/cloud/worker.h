// From one frame's bytes to a detection: decode, suffix, verdict. What every worker thread owns for
// itself.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "cloud/audit_watch.h"
#include "cloud/hard_keeper.h"
#include "cloud/raw_keeper.h"
#include "cloud/registry.h"
#include "frame/ack.h"
#include "frame/frame_route.h"
#include "pace/pace.h"
#include "store/store.h"
#include "vision/image.h"

namespace fogline {

/// A frame worked through: what to store and what to answer.
struct Worked {
  std::optional<Detection> detection;  // none from a frame that only settles earlier ones
  bool time_not_believed = false;      // see BelievedCapture: stored as unknown
  bool thumbnail_left_out = false;     // nobody asked for it, or it is not what it claims to be
  /// Of a picture that a device was sure of and sent on all the same: how that came out.
  std::optional<Audited> audited;
  std::vector<Settlement> settlements;
  CloudStages stages;
  int32_t label = -1;
  float score = 0;
  uint64_t run = 0, sequence = 0;
};

/// Whether a picture can have been taken then, microseconds since 1970-01-01 UTC, where it is
/// `now`: from the year 2000 on, and no more than a day from now. Clocks of devices are wrong by
/// hours, and who says 9999 says it to squeeze everybody's time line.
bool BelievedCapture(int64_t captured_us, int64_t now);

/// Not thread-safe: decoders and buffers are kept from frame to frame.
class Worker {
 public:
  /// `pace`, when it is not null, is a slower machine: decoding and suffix wait until it would be
  /// done with them.
  /// `raw`, when it is not null, keeps what nobody reads, `hard` the pictures that networks find
  /// hard. `thumbnail`: the longest side, in pixels,
  /// of small pictures that are kept; 0: none is.
  explicit Worker(Registry& registry, const Machine* pace = nullptr, RawKeeper* raw = nullptr,
                  int thumbnail = 0, HardKeeper* hard = nullptr)
      : registry_(registry), pace_(pace), raw_(raw), hard_(hard), thumbnail_(thumbnail) {}

  /// `device` is the topic's: a frame that names another is refused, since the broker checked only
  /// the topic. Any bytes give a detection or an error that says why not: kInvalid and kUnsupported
  /// for what is the frame's own fault, another code for what may pass (a model that is not here
  /// yet, another bundle, no memory). Never throws.
  Result<Worked> Work(std::span<const std::byte> bytes, const std::string& device);

  /// What the last frame named, as far as it could be read: to answer even a refusal.
  uint64_t last_run() const { return frame_.run; }
  uint64_t last_sequence() const { return frame_.sequence; }
  /// How long the last frame waited for its network to be found, and opened if need be.
  Nanos last_opening() const { return opening_; }
  /// Decoders that it keeps.
  size_t decoders() const { return decoders_.size(); }

 private:
  Result<Worked> WorkOn(std::span<const std::byte> bytes, const std::string& device);
  Status TakeResult(Worked& out) const;
  void TakeThumbnail(Worked& out);
  Result<const EarlyExit*> GateOf(const KnownModel& model) const;
  Status Audit(const KnownModel& model, Worked& out) const;
  void KeepHard(const Worked& worked) const;
  Status RunCloud(const OpenCut& open, const std::string& codecs, Worked& out);
  Result<TensorCodec*> Decoder(const Payload& payload, const CodecName& codec, const Port& tensor,
                               bool pixels);
  Status Decode(const OpenCut& open);
  Status DecodePicture(const OpenCut& open, const Payload& payload, const CodecName& codec);

  Result<StepTimes> Pace(const OpenCut& open, const std::string& codecs);

  Registry& registry_;
  const Machine* pace_;
  RawKeeper* raw_;
  HardKeeper* hard_;
  const int thumbnail_;
  Frame frame_;
  Nanos opening_{0};
  std::vector<std::byte> scratch_;
  std::vector<const Payload*> carriers_;  // of the last frame, by tensor of its cut
  std::vector<CodecName> codecs_;         // theirs
  Image picture_, small_;
  Tensor input_;
  std::vector<Tensor> decoded_;     // by tensor
  std::vector<TensorView> inputs_;  // of the cloud's part
  /// What is made once for each valid route that frames name, of which there are few.
  /// Two of cut 0: of pictures' pixels (true) and of the network's own input.
  std::map<std::pair<RouteKey, bool>, std::unique_ptr<TensorCodec>> decoders_;
  struct PaceKey {
    HalvesKey halves;
    uint64_t bundle = 0;
    std::string codecs;
    friend auto operator<=>(const PaceKey&, const PaceKey&) = default;
  };
  std::map<PaceKey, StepTimes> paces_;
};

}  // namespace fogline
