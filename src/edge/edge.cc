#include "edge/edge.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "base/log.h"
#include "base/process.h"
#include "base/trace.h"
#include "edge/latest.h"
#include "edge/pace.h"
#include "edge/tally.h"
#include "edge/whereabouts.h"
#include "vision/folder.h"
#include "vision/preprocess.h"

namespace fogline {
namespace {

constexpr int kThumbnailQuality = 70;
/// How long the first picture waits for the broker to say what it takes at most.
constexpr Nanos kForTheLimit = std::chrono::seconds(2);

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
  /// `local` takes over while the cloud is silent; null for never.
  Pipeline(const EdgeOptions& options, const ModelCard& card, Mechanism& mechanism,
           Mechanism* local, Whereabouts& whereabouts, Sender& sender, EdgeReport& report)
      : options_(options),
        at_least_(DecodeAtLeast(card)),
        mechanism_(mechanism),
        local_(local),
        whereabouts_(whereabouts),
        sender_(sender),
        report_(report) {}

  Status Handle(const Capture& capture, Nanos started) {
    FOGLINE_TRY(const Picture picture, DecodePicture(capture.file, capture.where, at_least_));
    frame_.Reset();
    frame_.stages.read = Micros(Clock::Real().Steady() - started);
    Mechanism& mechanism = Choose();
    prepared_.verdict.reset();
    FOGLINE_CHECK(mechanism.Process(picture.image, prepared_));
    ++report_.images;
    frame_.stages.resize = prepared_.resize_us;
    frame_.stages.prefix = prepared_.prefix_us;
    frame_.stages.encode = prepared_.encode_us;
    // In the cloud's place every result is kept: the cloud would have stored every picture.
    const bool in_its_place = &mechanism == local_;
    if (prepared_.verdict && !prepared_.verdict->positive && !options_.report_all &&
        !in_its_place) {
      ++report_.unreported;
      return {};
    }
    mechanism.Stamp(frame_);
    whereabouts_.Stamp(picture.exif, capture, frame_);
    report_.unplaced = whereabouts_.unplaced();
    frame_.payloads.assign(1, prepared_.payload);
    if (options_.thumbnail > 0) FOGLINE_CHECK(AddThumbnail(picture.image));
    FOGLINE_CHECK(sender_.Send(frame_, started, options_.mechanism.json));
    ++report_.sent;
    if (in_its_place) ++report_.local;
    return {};
  }

 private:
  Mechanism& Choose() {
    if (local_ == nullptr) return mechanism_;
    const bool silent = sender_.Silence() > options_.fallback;
    if (silent != was_silent_) {
      if (silent) {
        LogWarning("the cloud has been silent for {:.0f} s: the whole network runs here",
                   Millis(options_.fallback) / 1000);
      } else {
        LogInfo("the cloud answers: {} again", mechanism_.name());
      }
    }
    was_silent_ = silent;
    return silent ? *local_ : mechanism_;
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
  Mechanism* local_;
  Whereabouts& whereabouts_;
  Sender& sender_;
  EdgeReport& report_;
  Frame frame_;
  Prepared prepared_;
  Image small_;
  std::vector<std::byte> thumbnail_;
  bool was_silent_ = false;
};

/// Calls a function every few seconds until it is gone.
class Watcher {
 public:
  static constexpr std::chrono::seconds kEvery{5};

  explicit Watcher(std::function<void()> tell) : tell_(std::move(tell)) {
    if (tell_) thread_ = std::thread([this] { Run(); });
  }
  ~Watcher() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
  }

 private:
  void Run() {
    std::unique_lock lock(mutex_);
    do {
      tell_();
    } while (!changed_.wait_for(lock, kEvery, [this] { return stopping_; }));
    tell_();
  }

  std::function<void()> tell_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::thread thread_;
};

/// A frame's bars: what this side did, one after the other, and the time until the answer.
void Trace(TraceFile& trace, const std::string& device, const Delivery& d) {
  if (d.recovered) return;
  const std::string name = TraceFile::NameOf(device, d.run, d.sequence);
  Nanos at = d.started;
  for (const StageField& stage : kStages) {
    if (stage.time_ms == &StageTimes::window) break;  // the rest is told by what follows
    const float ms = d.stages.*stage.time_ms;
    if (!(ms > 0)) continue;
    const Nanos length(static_cast<int64_t>(ms * 1e6));
    trace.Bar(name, stage.name, at, length);
    at += length;
  }
  trace.Bar(name, "window", at, std::max(Nanos(0), d.sent - at));
  trace.Bar(name, "away", d.sent, d.answered - d.sent);
}

/// What runs in the cloud's place while it is silent; null when nothing does.
Result<std::unique_ptr<Mechanism>> MakeLocal(const Network& network, const Mechanism& mechanism,
                                             const EdgeOptions& options) {
  if (options.fallback == Nanos(0)) return nullptr;
  if (options.sender.spool.folder.empty()) {
    return Fail(ErrorCode::kUsage, "--fallback", "needs --spool DIR, where the results wait");
  }
  if (mechanism.cut().is_edge_only()) {
    return Fail(ErrorCode::kUsage, "--fallback", "edge-only runs the whole network here already");
  }
  MechanismOptions whole;
  whole.threads = options.mechanism.threads;
  whole.json = options.mechanism.json;
  FOGLINE_TRY(auto local, Mechanism::Make(network, whole));
  if (options.pace.empty()) return local;
  return PaceMechanism(std::move(local), network, whole, options.pace);
}

/// Wraps the source when only its newest picture counts; null otherwise.
Result<LatestSource*> MakeLatest(const EdgeOptions& options, std::unique_ptr<Source>& source) {
  if (!options.latest) {
    if (options.sender.deadline == Nanos(0)) return nullptr;
    return Fail(ErrorCode::kUsage, "--deadline", "goes with --policy latest");
  }
  if (!options.sender.spool.folder.empty()) {
    return Fail(ErrorCode::kUsage, "--policy latest",
                "gives frames up and --spool keeps them; use one of the two");
  }
  std::error_code unknown;
  const bool folder = std::filesystem::is_directory(options.source.name, unknown);
  if (folder && options.rate <= 0) {
    return Fail(ErrorCode::kUsage, "--policy latest",
                "needs --rate: a folder has no pace of its own");
  }
  auto latest = std::make_unique<LatestSource>(
      std::move(source), folder ? Nanos(static_cast<int64_t>(1e9 / options.rate)) : Nanos(0));
  LatestSource* const view = latest.get();
  source = std::move(latest);
  return view;
}

/// The cloud opens a network at its card's size.
Status CheckSize(const std::string& flag, const Network& network, const std::string& cut) {
  FOGLINE_TRY(const ModelCard there, PeekCard(network.path));
  if (there.width == network.card.width && there.height == network.card.height) return {};
  FOGLINE_TRY(const Cut found, FindCut(network.model, cut));
  if (found.is_edge_only()) return {};
  return Fail(ErrorCode::kUsage, flag,
              "goes with edge-only: the cloud runs its part at {}x{}, the size of {}'s card, and "
              "would refuse every frame",
              there.width, there.height, network.path.filename().string());
}

/// The network at the size that the flags or the route ask for.
Result<Network> OpenNetwork(const EdgeOptions& options) {
  if (!options.route) return LoadNetwork(options.model, options.side);
  const Route& route = *options.route;
  const std::string flag = "--route " + ToString(route);
  const std::string stem = options.model.stem().string();
  if (route.gate) return Fail(ErrorCode::kUnsupported, flag, "no edge runs exit gates yet");
  if (!route.model.name.empty() && route.model.name != stem) {
    return Fail(ErrorCode::kUsage, flag, "is a route of {}, and --model is {}", route.model.name,
                stem);
  }
  const bool square = route.width == route.height;
  FOGLINE_TRY(Network network, LoadNetwork(options.model, square ? route.width : 0));
  const uint64_t id = ShortId(network.model.hash());
  if (route.model.id != 0 && route.model.id != id) {
    return Fail(ErrorCode::kConflict, flag, "{} is +{:016x}", options.model.string(), id);
  }
  const ModelCard& card = network.card;
  if (!square && (card.width != route.width || card.height != route.height)) {
    return Fail(ErrorCode::kUsage, flag,
                "only the card makes a picture that is not square, here {}x{}", card.width,
                card.height);
  }
  return network;
}

/// What the flags or the route ask of the mechanism.
Result<MechanismOptions> Asked(const EdgeOptions& options, const Network& network) {
  MechanismOptions asked = options.mechanism;
  if (!options.route) {
    if (options.side > 0) {
      FOGLINE_CHECK(CheckSize(fmt::format("--size {}", options.side), network, asked.cut));
    }
    return asked;
  }
  const Route& route = *options.route;
  const std::string flag = "--route " + ToString(route);
  if (route.codecs.size() > 1) {
    return Fail(ErrorCode::kUnsupported, flag, "no edge sends more than one tensor yet");
  }
  asked.cut = route.cut.name;
  if (route.cut.id != 0) {
    FOGLINE_TRY(const auto cuts, ListCuts(network.model));
    const auto cut = std::ranges::find(cuts, route.cut.id, &Cut::id);
    if (cut == cuts.end())
      return Fail(ErrorCode::kNotFound, flag, "has a cut that the model lacks");
    if (asked.cut.empty()) asked.cut = std::to_string(cut->index);
  }
  FOGLINE_TRY(const Cut cut, FindCut(network.model, asked.cut));
  if (route.cut.id != 0 && cut.id != route.cut.id) {
    return Fail(ErrorCode::kConflict, flag, "its cut is +{:016x} here", cut.id);
  }
  if (cut.is_edge_only() != route.codecs.empty()) {
    return Fail(ErrorCode::kUsage, flag, "{}",
                cut.is_edge_only() ? "edge-only sends a result: /result"
                                   : "a result is what edge-only sends: name a codec");
  }
  asked.codec = route.codecs.empty() ? "" : ToString(route.codecs[0]);
  if (asked.json && !cut.is_edge_only() && asked.codec != "json") {
    return Fail(ErrorCode::kUsage, flag, "--wire json sends tensors as /json");
  }
  if (route.width > 0) FOGLINE_CHECK(CheckSize(flag, network, asked.cut));
  return asked;
}

}  // namespace

Status Outcome(const EdgeReport& r) {
  std::string what;
  for (const auto& [count, happened] :
       {std::pair{r.refused, "refused"}, {r.dropped, "dropped"}, {r.unanswered, "unanswered"}}) {
    if (count > 0) what += fmt::format("{}{} {}", what.empty() ? "" : ", ", count, happened);
  }
  if (!what.empty()) {
    return Fail(ErrorCode::kUnavailable, "edge " + r.device, "frames that are not stored: {}",
                what);
  }
  if (r.images == 0 && r.skipped > 0) {
    return Fail(ErrorCode::kInvalid, "edge " + r.device, "none of {} pictures could be read",
                r.skipped);
  }
  return {};
}

Result<EdgeReport> RunEdge(const EdgeOptions& given) {
  FOGLINE_TRY(const Network network, OpenNetwork(given));
  EdgeOptions options = given;
  FOGLINE_TRY(options.mechanism, Asked(given, network));
  FOGLINE_TRY(auto mechanism, Mechanism::Make(network, options.mechanism));
  const size_t least_bytes = mechanism->least_bytes();
  if (!options.pace.empty()) {
    FOGLINE_TRY(mechanism,
                PaceMechanism(std::move(mechanism), network, options.mechanism, options.pace));
  }
  FOGLINE_TRY(const auto locator, MakeLocator(options));
  FOGLINE_TRY(auto source, OpenSource(options.source));
  FOGLINE_TRY(CameraClock clock, CameraClock::Make(options.camera_offset, options.source.name));
  Whereabouts whereabouts(std::move(clock), locator.get());
  FOGLINE_TRY(const auto local, MakeLocal(network, *mechanism, options));
  FOGLINE_TRY(LatestSource* const latest, MakeLatest(options, source));
  if (options.mechanism.json && options.thumbnail > 0) {
    return Fail(ErrorCode::kUsage, "--thumbnail", "does not travel with --wire json");
  }
  Tally tally;
  std::unique_ptr<TraceFile> trace;
  if (!options.trace.empty()) {
    FOGLINE_TRY(trace, TraceFile::Create(options.trace, options.sender.device));
  }
  FOGLINE_TRY(const auto sender, Sender::Start(options.sender, [&](const Delivery& d) {
                tally.Add(d);
                if (trace != nullptr) Trace(*trace, options.sender.device, d);
              }));
  if (least_bytes > 0) FOGLINE_CHECK(sender->CheckLimit(least_bytes, kForTheLimit));

  EdgeReport report;
  report.device = options.sender.device;
  report.mechanism = mechanism->name();
  report.cut = mechanism->cut().name;
  report.codec = mechanism->codec();
  LogInfo("edge {}: {} ({})", report.device, ToString(mechanism->route()), report.mechanism);
  if (mechanism->cut().is_edge_only() && !options.report_all && network.card.positive < 0) {
    LogInfo("the model's card names no positive class: every picture is reported");
  }

  const auto fill = [&](EdgeReport r) {
    const SenderCounts counts = sender->counts();
    r.recovered = counts.recovered;
    r.kept = counts.kept;
    r.kept_bytes = counts.kept_bytes;
    r.dropped = counts.dropped;
    r.dead = counts.dead;
    r.dead_dropped = counts.dead_dropped;
    r.waiting = counts.waiting;
    r.unspooled = counts.unspooled;
    r.stale += counts.stale;
    r.window = counts.window;
    r.connected = counts.connected;
    if (latest != nullptr) r.overtaken = latest->overtaken();
    tally.Fill(r);
    return r;
  };
  // The watcher sees the report as it was after the last picture.
  std::mutex seen_mutex;
  EdgeReport seen = report;
  const Watcher watcher(options.watch == nullptr ? std::function<void()>() : [&] {
    EdgeReport copy;
    {
      const std::lock_guard lock(seen_mutex);
      copy = seen;
    }
    options.watch(fill(std::move(copy)));
  });

  Pipeline pipeline(options, network.card, *mechanism, local.get(), whereabouts, *sender, report);
  Capture capture;
  Nanos next = Clock::Real().Steady();
  while (!StopRequested() &&
         (options.count == 0 || report.images + report.skipped < options.count)) {
    {
      const std::lock_guard lock(seen_mutex);
      seen = report;
    }
    if (latest != nullptr && !sender->WaitForRoom()) break;
    if (options.rate > 0 && (latest == nullptr || !latest->paced())) {
      const Nanos wait = next - Clock::Real().Steady();
      if (wait > Nanos(0) && WaitForStop(std::chrono::ceil<std::chrono::milliseconds>(wait))) break;
      next = std::max(next, Clock::Real().Steady() - Nanos(std::chrono::seconds(1))) +
             Nanos(static_cast<int64_t>(1e9 / options.rate));
    }
    const auto more = source->Next(capture);
    if (more && !*more) break;
    if (more && latest != nullptr) {
      const Nanos now = Clock::Real().Steady();
      if (options.sender.deadline > Nanos(0) && now - capture.began > options.sender.deadline) {
        ++report.stale;
        continue;
      }
      capture.began = now;  // what it waited for its turn is neither reading nor the line's
    }
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
  whereabouts.Say(options.source.name);
  report.unanswered = sender->Drain(options.drain);
  if (report.unanswered > 0) {
    LogError("edge {}: {} frames were not acknowledged within {:.0f} s", report.device,
             report.unanswered, Millis(options.drain) / 1000);
  }
  {
    const std::lock_guard lock(seen_mutex);
    seen = report;
  }
  const EdgeReport all = fill(report);
  if (all.kept > 0) {
    LogInfo("edge {}: {} frames stay in the spool for the next run", all.device, all.kept);
  }
  return all;
}

}  // namespace fogline
