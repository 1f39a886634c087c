#include "edge/edge.h"

#include <optional>

#include "base/log.h"
#include "base/process.h"
#include "edge/pace.h"
#include "edge/tally.h"
#include "vision/folder.h"
#include "vision/preprocess.h"

namespace fogline {
namespace {

constexpr int kThumbnailQuality = 70;

Result<std::unique_ptr<Locator>> MakeLocator(const EdgeOptions& options) {
  const int given = !options.at.empty() + !options.gpx.empty() + !options.gpsd.empty();
  if (given > 1) return Fail(ErrorCode::kUsage, "--at, --gpx, --gpsd", "give one of them at most");
  if (!options.at.empty()) return FixedLocator(options.at);
  if (!options.gpx.empty()) return GpxLocator(options.gpx);
  if (!options.gpsd.empty()) return GpsdLocator(options.gpsd);
  return nullptr;
}

/// One picture from its bytes to a sent frame. Holds every buffer that a frame needs, so that a
/// steady state allocates little.
class Pipeline {
 public:
  Pipeline(const EdgeOptions& options, const ModelCard& card, Mechanism& mechanism,
           Locator* locator, Sender& sender, EdgeReport& report)
      : options_(options),
        at_least_(DecodeAtLeast(card)),
        mechanism_(mechanism),
        locator_(locator),
        sender_(sender),
        report_(report) {}

  Status Handle(const Capture& capture, Nanos started) {
    FOGLINE_TRY(const Picture picture, DecodePicture(capture.file, capture.where, at_least_));
    frame_.stages = {};
    frame_.stages.read = Micros(Clock::Real().Steady() - started);
    FOGLINE_CHECK(mechanism_.Process(picture.image, prepared_));
    ++report_.images;
    frame_.stages.resize = prepared_.resize_us;
    frame_.stages.prefix = prepared_.prefix_us;
    frame_.stages.encode = prepared_.encode_us;
    if (prepared_.verdict && !prepared_.verdict->positive && !options_.report_all) {
      ++report_.unreported;
      return {};
    }
    mechanism_.Stamp(frame_);
    frame_.captured_us = picture.exif.captured_us.value_or(capture.captured_us);
    Place(picture, capture);
    frame_.payloads.assign(1, prepared_.payload);
    if (options_.thumbnail > 0) FOGLINE_CHECK(AddThumbnail(picture.image));
    FOGLINE_CHECK(sender_.Send(frame_, started, options_.mechanism.json));
    ++report_.sent;
    return {};
  }

 private:
  static uint32_t Micros(Nanos t) { return static_cast<uint32_t>(t.count() / 1000); }

  void Place(const Picture& picture, const Capture& capture) {
    std::optional<Position> position = picture.exif.position;
    if (!position && locator_ != nullptr) position = locator_->At(frame_.captured_us);
    frame_.has_position = position.has_value();
    if (!position) {
      if (report_.unplaced++ == 0) {
        LogWarning(
            "{}: has no position; it is stored, but not on the map (give --at, --gpx or --gpsd)",
            capture.where);
      }
      return;
    }
    frame_.lat = position->lat;
    frame_.lon = position->lon;
    frame_.accuracy_m = position->accuracy_m;
    frame_.heading_deg = position->heading_deg;
  }

  Status AddThumbnail(const Image& image) {
    const Nanos start = Clock::Real().Steady();
    const double scale = std::min(
        1.0, static_cast<double>(options_.thumbnail) / std::max(image.width, image.height));
    const int width = std::max(1, static_cast<int>(image.width * scale));
    const int height = std::max(1, static_cast<int>(image.height * scale));
    ResizePart(image, {0, 0, image.width, image.height}, width, height, small_);
    FOGLINE_CHECK(EncodeJpeg(small_, kThumbnailQuality, thumbnail_));
    frame_.payloads.push_back({Role::kThumbnail, static_cast<uint8_t>(CodecKind::kJpeg),
                               kThumbnailQuality, DType::kU8, Shape{height, width, 3}, thumbnail_});
    frame_.stages.encode += Micros(Clock::Real().Steady() - start);
    return {};
  }

  const EdgeOptions& options_;
  const int at_least_;
  Mechanism& mechanism_;
  Locator* locator_;
  Sender& sender_;
  EdgeReport& report_;
  Frame frame_;
  Prepared prepared_;
  Image small_;
  std::vector<std::byte> thumbnail_;
};

}  // namespace

Result<EdgeReport> RunEdge(const EdgeOptions& options) {
  FOGLINE_TRY(const Network network, LoadNetwork(options.model, options.side));
  FOGLINE_TRY(auto mechanism, Mechanism::Make(network, options.mechanism));
  if (!options.pace.empty()) {
    FOGLINE_TRY(mechanism,
                PaceMechanism(std::move(mechanism), network, options.mechanism, options.pace));
  }
  FOGLINE_TRY(const auto locator, MakeLocator(options));
  FOGLINE_TRY(const auto source, OpenSource(options.source));
  if (options.mechanism.json && options.thumbnail > 0) {
    return Fail(ErrorCode::kUsage, "--thumbnail", "does not travel with --wire json");
  }
  Tally tally;
  FOGLINE_TRY(const auto sender,
              Sender::Start(options.sender, [&](const Delivery& d) { tally.Add(d); }));

  EdgeReport report;
  report.device = options.sender.device;
  report.mechanism = mechanism->name();
  report.cut = mechanism->cut().name;
  report.codec = mechanism->codec();
  LogInfo("edge {}: {} of {} at {}, {}", report.device, report.mechanism, network.card.name,
          report.cut, report.codec);
  if (mechanism->name() == "edge-only" && !options.report_all && network.card.positive < 0) {
    LogInfo("the model's card names no positive class: every picture is reported");
  }

  Pipeline pipeline(options, network.card, *mechanism, locator.get(), *sender, report);
  Capture capture;
  Nanos next = Clock::Real().Steady();
  while (!StopRequested() &&
         (options.count == 0 || report.images + report.skipped < options.count)) {
    if (options.rate > 0) {
      const Nanos wait = next - Clock::Real().Steady();
      if (wait > Nanos(0) && WaitForStop(std::chrono::ceil<std::chrono::milliseconds>(wait))) break;
      next = std::max(next, Clock::Real().Steady() - Nanos(std::chrono::seconds(1))) +
             Nanos(static_cast<int64_t>(1e9 / options.rate));
    }
    const auto more = source->Next(capture);
    if (more && !*more) break;
    const Status handled =
        more ? pipeline.Handle(capture, capture.began) : Forward(Result<bool>(more));
    if (handled) continue;
    if (handled.error().code == ErrorCode::kCancelled) {
      LogWarning("{}: not sent: {}", capture.where, handled.error().message);
      break;
    }
    // A camera that went away ends the run; a bad picture is named and the next one is taken.
    if (handled.error().code == ErrorCode::kUnavailable) {
      LogError("{}", handled.error().ToString());
      break;
    }
    LogWarning("skipped {}", handled.error().ToString());
    ++report.skipped;
  }
  report.unanswered = sender->Drain(options.drain);
  if (report.unanswered > 0) {
    LogError("edge {}: {} frames were not acknowledged within {:.0f} s", report.device,
             report.unanswered, Millis(options.drain) / 1000);
  }
  const SenderCounts counts = sender->counts();
  report.recovered = counts.recovered;
  report.kept = counts.kept;
  report.dropped = counts.dropped;
  report.unspooled = counts.unspooled;
  if (report.kept > 0) {
    LogInfo("edge {}: {} frames stay in the spool for the next run", report.device, report.kept);
  }
  tally.Fill(report);
  return report;
}

}  // namespace fogline
