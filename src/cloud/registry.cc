#include "cloud/registry.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/file.h"
#include "base/log.h"
#include "frame/frame.h"
#include "graph/slice.h"

namespace fogline {
namespace {

using namespace std::chrono_literals;
constexpr Nanos kScanAgain = 5s;

}  // namespace

Result<std::unique_ptr<Registry>> Registry::Open(const Options& options) {
  auto registry = std::unique_ptr<Registry>(new Registry(options));
  FOGLINE_CHECK(registry->Scan());
  return registry;
}

size_t Registry::models() const {
  const std::lock_guard lock(mutex_);
  return files_.size();
}

/// Hashes the ONNX files that are new or changed. The mutex is held, or nobody else knows this
/// object yet.
Status Registry::Scan() {
  last_scan_ = Clock::Real().Steady();
  std::error_code error;
  std::filesystem::directory_iterator files(options_.folder, error);
  if (error) {
    return Fail(ErrorCode::kNotFound, "--models " + options_.folder.string(), "cannot be read: {}",
                error.message());
  }
  for (const auto& entry : files) {
    if (entry.path().extension() != ".onnx") continue;
    const auto changed = entry.last_write_time(error);
    const auto known = hashed_.find(entry.path());
    if (error || (known != hashed_.end() && known->second.first == changed)) continue;
    const auto file = MappedFile::Open(entry.path());
    if (!file) {
      LogWarning("skipped {}", file.error().ToString());
      continue;
    }
    const uint64_t id = ShortId(HashSha256(file->bytes()));
    files_[id] = entry.path();
    hashed_[entry.path()] = {changed, id};
  }
  return {};
}

Result<std::shared_ptr<const OpenCut>> Registry::Find(uint64_t model, uint64_t cut) {
  std::unique_lock lock(mutex_);
  for (;;) {
    const auto slot = open_.find({model, cut});
    if (slot == open_.end()) break;
    if (slot->second.ready) {
      slot->second.used = ++clock_;
      return slot->second.value;
    }
    opened_.wait(lock);
  }
  if (!files_.contains(model) && Clock::Real().Steady() - last_scan_ > kScanAgain)
    FOGLINE_CHECK(Scan());
  if (!files_.contains(model)) {
    return Fail(ErrorCode::kNotFound, fmt::format("model {:016x}", __builtin_bswap64(model)),
                "is not in {} (its file's SHA-256 starts so)", options_.folder.string());
  }
  open_[{model, cut}] = Slot{};
  lock.unlock();
  auto opened = OpenNow(model, cut);
  lock.lock();
  if (opened) {
    Slot& slot = open_[{model, cut}];
    slot.value = opened;
    slot.used = ++clock_;
    slot.ready = true;
    CloseOldest();
  } else {
    // Not kept: a hostile sender could fill the table with cuts that do not exist.
    open_.erase({model, cut});
  }
  opened_.notify_all();
  return opened;
}

void Registry::CloseOldest() {
  while (open_.size() > options_.most_open) {
    auto oldest = open_.end();
    for (auto it = open_.begin(); it != open_.end(); ++it) {
      if (it->second.ready && (oldest == open_.end() || it->second.used < oldest->second.used))
        oldest = it;
    }
    if (oldest == open_.end()) return;
    open_.erase(oldest);  // workers that still run it keep it alive
  }
}

Result<std::shared_ptr<const KnownModel>> Registry::Load(uint64_t model) {
  const std::lock_guard loading(load_mutex_);
  std::filesystem::path path;
  {
    const std::lock_guard lock(mutex_);
    if (const auto it = models_.find(model); it != models_.end()) return it->second;
    path = files_[model];
  }
  FOGLINE_TRY(Network network, LoadNetwork(path));
  if (ShortId(network.model.hash()) != model) {
    return Fail(ErrorCode::kConflict, path.string(), "changed while it was in use");
  }
  FOGLINE_TRY(auto cuts, ListCuts(network.model));
  std::optional<Bundle> bundle;
  auto bundle_path = path;
  if (std::filesystem::exists(bundle_path.replace_extension(".bundle"))) {
    if (auto loaded = Bundle::Load(bundle_path)) {
      bundle = *std::move(loaded);
    } else {
      LogWarning("{}: quantised frames of this model are refused", loaded.error().ToString());
    }
  }
  auto known = std::make_shared<const KnownModel>(
      KnownModel{std::move(network), std::move(cuts), std::move(bundle)});
  const std::lock_guard lock(mutex_);
  models_[model] = known;
  return known;
}

Result<std::shared_ptr<const OpenCut>> Registry::OpenNow(uint64_t model, uint64_t cut_id) {
  FOGLINE_TRY(const auto known, Load(model));
  const auto& cuts = known->cuts;
  const auto cut =
      std::find_if(cuts.begin(), cuts.end(), [&](const Cut& c) { return c.id == cut_id; });
  if (cut == cuts.end()) {
    return Fail(ErrorCode::kNotFound, known->network.path.string(), "has no cut {:016x}", cut_id);
  }
  auto open = std::make_shared<OpenCut>();
  open->model = known;
  open->cut = *cut;
  const SessionOptions options{
      .threads = options_.threads, .optimize = true, .free_dimensions = {}};
  if (cut->is_cloud_only()) {
    FOGLINE_TRY(open->session, OpenSession(known->network.path, options));
  } else if (cut->is_split()) {
    FOGLINE_TRY(const std::string suffix, SliceSuffix(known->network.model, *cut));
    FOGLINE_TRY(open->session,
                OpenSession(std::as_bytes(std::span(suffix)),
                            known->network.path.string() + " from " + cut->name, options));
  }
  LogInfo("opened {} at {} ({})", known->network.card.name, cut->name, NameOf(cut->mechanism()));
  return open;
}

}  // namespace fogline
