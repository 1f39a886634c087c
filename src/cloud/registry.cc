#include "cloud/registry.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <algorithm>
#include <functional>

#include "base/log.h"
#include "base/text.h"
#include "frame/frame.h"
#include "graph/slice.h"

namespace fogline {
namespace {

using namespace std::chrono_literals;

constexpr Nanos kRest = 10s;  // before what did not go is tried again
constexpr size_t kMostFailures = 4096;

/// Whatever is wrong with a model here is not the fault of the frame that names it.
tl::unexpected<Error> NotNow(Error error) {
  const bool sick = error.code == ErrorCode::kInvalid || error.code == ErrorCode::kUnsupported ||
                    error.code == ErrorCode::kUsage;
  if (sick) error.code = ErrorCode::kUnavailable;
  return tl::unexpected<Error>(std::move(error));
}

/// What an open network takes: the engine packs weights anew, and plans memory for the tensors that
/// live at one time, of which there are few.
uint64_t SessionBytes(uint64_t weights, const Model& model) {
  constexpr uint64_t kFixed = uint64_t{4} << 20;
  int64_t largest = 0;
  for (const Activation& activation : model.activations()) {
    largest = std::max(largest, activation.bytes());
  }
  return weights + weights / 4 + 4 * static_cast<uint64_t>(largest) + kFixed;
}

/// The allocator keeps what it thinks will be wanted again; a network's weights will not be.
void GiveBack() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

}  // namespace

Result<std::unique_ptr<Registry>> Registry::Open(const Options& options) {
  auto registry = std::unique_ptr<Registry>(new Registry(options));
  if (const auto seen = registry->folder_.Look(); !seen) {
    return Fail(ErrorCode::kNotFound, "--models " + options.folder.string(), "cannot be read: {}",
                seen.error().message);
  }
  registry->opener_ = std::jthread(std::bind_front(&Registry::OpenLoop, registry.get()));
  registry->looker_ = std::jthread(std::bind_front(&Registry::LookLoop, registry.get()));
  return registry;
}

uint64_t Registry::held_bytes() const {
  const std::lock_guard lock(mutex_);
  return HeldLocked();
}

uint64_t Registry::HeldLocked() const {
  uint64_t bytes = 0;
  for (const auto& [id, loaded] : loaded_) bytes += loaded.bytes;
  for (const auto& [key, slot] : open_) bytes += slot.bytes;
  for (const auto& [model, weights] : weights_) {
    if (const auto held = weights.lock()) bytes += held->bytes();
  }
  return bytes;
}

const Error* Registry::FailureLocked(const HalvesKey& key) const {
  const auto failed = failed_.find(key);
  const bool lasts = failed != failed_.end() && Clock::Real().Steady() < failed->second.until;
  return lasts ? &failed->second.error : nullptr;
}

Result<std::shared_ptr<const OpenCut>> Registry::Find(const HalvesKey& key,
                                                      std::span<const uint32_t> tensors) {
  std::unique_lock lock(mutex_);
  auto slot = open_.find(key);
  if (slot != open_.end() && slot->second.open != nullptr) {
    slot->second.used = ++clock_;
    return slot->second.open;
  }
  if (const Error* error = FailureLocked(key)) return tl::unexpected<Error>(*error);
  if (slot == open_.end()) {
    const auto known = known_.find(key.model);
    if (known == known_.end()) {
      FOGLINE_CHECK(folder_.Find(key.model).map([](const auto&) {}));
    } else if (known->second->Listed(key.cut) == nullptr) {
      FOGLINE_CHECK(known->second->Named(key.cut, tensors).map([](const auto&) {}));
    }
    // First, since either may throw: a slot that nobody is asked to fill would be waited for for
    // ever.
    wanted_.push_back({key, {tensors.begin(), tensors.end()}});
    slot = open_.try_emplace(key).first;
    slot->second.asked = Clock::Real().Steady();
    changed_.notify_all();
  }
  const Nanos left = slot->second.asked + options_.patience - Clock::Real().Steady();
  changed_.wait_for(lock, left, [&] {
    const auto now = open_.find(key);
    return now == open_.end() || now->second.open != nullptr;
  });
  slot = open_.find(key);
  if (slot != open_.end() && slot->second.open != nullptr) {
    slot->second.used = ++clock_;
    return slot->second.open;
  }
  if (const Error* error = FailureLocked(key)) return tl::unexpected<Error>(*error);
  return Fail(ErrorCode::kUnavailable, "model " + IdText(key.model),
              "is being opened at cut {:016x}; send the frame again", key.cut);
}

/// Opens what Find() asked for, one network after the other.
void Registry::OpenLoop(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [this] { return !wanted_.empty(); })) {
    if (stop.stop_requested()) return;
    const Wanted wanted = std::move(wanted_.front());
    const HalvesKey& key = wanted.key;
    wanted_.pop_front();
    lock.unlock();
    uint64_t bytes = 0;
    Opened opened;
    try {
      opened = OpenNow(key, wanted.tensors, bytes);
    } catch (const std::bad_alloc&) {
      opened =
          Fail(ErrorCode::kExhausted, "model " + IdText(key.model), "does not fit into memory");
    } catch (const std::exception& e) {
      opened = Fail(ErrorCode::kInternal, "model " + IdText(key.model), "{}", e.what());
    }
    lock.lock();
    if (opened) {
      open_[key] = {.asked = {}, .open = *std::move(opened), .bytes = bytes, .used = ++clock_};
      failed_.erase(key);
    } else {
      // No slot is kept: a hostile sender could fill the table with cuts that do not exist.
      open_.erase(key);
      if (failed_.size() >= kMostFailures) failed_.clear();
      failed_[key] = {opened.error(), Clock::Real().Steady() + kRest};
    }
    changed_.notify_all();
  }
}

void Registry::LookLoop(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait_for(lock, stop, options_.look_again, [] { return false; });
    if (stop.stop_requested()) return;
    lock.unlock();
    Look();
    lock.lock();
  }
}

void Registry::Look() {
  const auto changed = folder_.Look();
  if (!changed || changed->empty()) return;
  // Networks that are let go of, closed when the lock is given back.
  std::vector<Slot> closed;
  const std::lock_guard lock(mutex_);
  for (const uint64_t model : *changed) {
    known_.erase(model);
    loaded_.erase(model);
    std::erase_if(failed_, [&](const auto& item) { return item.first.model == model; });
    for (auto it = open_.lower_bound({model, 0}); it != open_.end() && it->first.model == model;) {
      if (it->second.open == nullptr) {
        ++it;
        continue;
      }
      LogInfo("{}: its card changed; it is opened anew", it->second.open->model->path.string());
      closed.push_back(std::move(it->second));
      it = open_.erase(it);
    }
  }
}

/// What was unused for longest, taken out of its table; null where nothing is held.
std::shared_ptr<const void> Registry::TakeOldestLocked() {
  auto network = loaded_.end();
  for (auto it = loaded_.begin(); it != loaded_.end(); ++it) {
    if (network == loaded_.end() || it->second.used < network->second.used) network = it;
  }
  auto slot = open_.end();
  for (auto it = open_.begin(); it != open_.end(); ++it) {
    if (it->second.open == nullptr) continue;
    if (slot == open_.end() || it->second.used < slot->second.used) slot = it;
  }
  std::shared_ptr<const void> oldest;
  if (network != loaded_.end() &&
      (slot == open_.end() || network->second.used < slot->second.used)) {
    oldest = std::move(network->second.network);
    loaded_.erase(network);
  } else if (slot != open_.end()) {
    oldest = std::move(slot->second.open);
    open_.erase(slot);  // workers that still run it keep it alive
  }
  return oldest;
}

/// Lets go of what was unused for longest until `bytes` more fit.
Status Registry::MakeRoom(uint64_t bytes, const std::string& where) {
  bool any = false;
  for (;;) {
    std::shared_ptr<const void> closed;  // without the lock
    const std::lock_guard lock(mutex_);
    if (HeldLocked() + bytes <= options_.memory_bytes) break;
    closed = TakeOldestLocked();
    if (closed == nullptr) {
      return Fail(ErrorCode::kExhausted, where, "takes some {} more than --memory {} leaves",
                  HumanBytes(static_cast<double>(bytes)),
                  HumanBytes(static_cast<double>(options_.memory_bytes)));
    }
    any = true;
  }
  if (any) GiveBack();
  return {};
}

/// What the networks of a model have their weights in.
std::shared_ptr<SharedWeights> Registry::WeightsOf(uint64_t model) {
  const std::lock_guard lock(mutex_);
  std::erase_if(weights_, [](const auto& entry) { return entry.second.expired(); });
  auto& known = weights_[model];
  std::shared_ptr<SharedWeights> weights = known.lock();
  if (weights == nullptr) known = weights = SharedWeights::Make();
  return weights;
}

Result<std::shared_ptr<const Network>> Registry::Load(uint64_t model) {
  const std::lock_guard loading(loading_);
  return LoadNow(model);
}

/// Under loading_.
Result<std::shared_ptr<const Network>> Registry::LoadNow(uint64_t model) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto it = loaded_.find(model); it != loaded_.end()) {
      it->second.used = ++clock_;
      return it->second.network;
    }
  }
  FOGLINE_TRY(const auto file, folder_.Find(model));
  FOGLINE_CHECK(MakeRoom(file.bytes, file.path.string()));
  FOGLINE_TRY(Network network, CopyNetwork(file.path));
  if (ShortId(network.model.hash()) != model) {
    return Fail(ErrorCode::kConflict, file.path.string(), "changed while it was read; send again");
  }
  auto loaded = std::make_shared<const Network>(std::move(network));
  const std::lock_guard lock(mutex_);
  loaded_[model] = {loaded, file.bytes, ++clock_};
  return loaded;
}

/// Under loading_.
Result<std::shared_ptr<const KnownModel>> Registry::Know(uint64_t model) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto it = known_.find(model); it != known_.end()) return it->second;
  }
  FOGLINE_TRY(const auto network, LoadNow(model));
  FOGLINE_TRY(auto cuts, ListCuts(network->model));
  auto known = std::make_shared<const KnownModel>(*network, std::move(cuts));
  const std::lock_guard lock(mutex_);
  known_[model] = known;
  return known;
}

/// The cut that a frame names. Under loading_.
Result<Cut> Registry::CutOf(const KnownModel& known, const HalvesKey& key,
                            std::span<const uint32_t> tensors) {
  if (const Cut* listed = known.Listed(key.cut)) return *listed;
  FOGLINE_TRY(const auto activations, known.Named(key.cut, tensors));
  const auto network = LoadNow(key.model);
  if (!network) return NotNow(network.error());
  auto cut = CutAt((*network)->model, activations);
  // These tensors are no cut of the very model that the frame names.
  if (!cut) {
    return Fail(ErrorCode::kInvalid, "model " + IdText(key.model), "{}", cut.error().message);
  }
  return cut;
}

Registry::Opened Registry::OpenNow(const HalvesKey& key, std::span<const uint32_t> tensors,
                                   uint64_t& bytes) {
  const std::lock_guard loading(loading_);
  const auto known = Know(key.model);
  if (!known) return NotNow(known.error());
  auto open = std::make_shared<OpenCut>();
  open->model = *known;
  FOGLINE_TRY(open->cut, CutOf(**known, key, tensors));
  for (const Port& port : open->cut.tensors) open->tensors.push_back(TensorId(port.name));
  if (const Status opened = OpenPart(key.model, *open, bytes); !opened) {
    return NotNow(opened.error());
  }
  LogInfo("opened {} at {} ({})", open->model->card.name, open->cut.name,
          NameOf(open->cut.mechanism()));
  return open;
}

/// The engine on the cloud's part of a cut, if there is one.
Status Registry::OpenPart(uint64_t model, OpenCut& open, uint64_t& bytes) {
  if (open.cut.is_edge_only()) return {};
  FOGLINE_TRY(const auto network, LoadNow(model));
  std::string part;  // the whole network as it lies in memory where this stays empty
  if (!open.cut.is_cloud_only()) {
    FOGLINE_TRY(part, SliceSuffix(network->model, open.cut));
  } else if (network->model.has_external_weights() || network->model.rewritten()) {
    FOGLINE_TRY(part, SliceWhole(network->model));
  }
  const auto view = part.empty() ? network->model.bytes() : std::as_bytes(std::span(part));
  const std::string where =
      network->path.string() + (open.cut.is_cloud_only() ? "" : " from " + open.cut.name);
  // As if it shared nothing: while it is opened it does not.
  FOGLINE_CHECK(MakeRoom(SessionBytes(view.size(), network->model), where));
  FOGLINE_TRY(open.session, OpenSession(view, where,
                                        {.threads = options_.threads,
                                         .optimize = true,
                                         .shared = WeightsOf(model),
                                         .free_dimensions = {}}));
  const uint64_t shared = std::min<uint64_t>(view.size(), open.session->shared_bytes());
  bytes = SessionBytes(view.size() - shared, network->model);
  return {};
}

}  // namespace fogline
