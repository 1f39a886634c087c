#include "web/model_shelf.h"

#include <algorithm>

#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/paths.h"
#include "base/text.h"
#include "base/toml.h"
#include "plan/request.h"
#include "vision/card_integers.h"

namespace fogline {
namespace {

constexpr size_t kMostNames = 200;
constexpr size_t kMostKept = 16;
constexpr auto kNamesLast = std::chrono::seconds(5);
constexpr auto kFailureLasts = std::chrono::seconds(2);

/// When either of a model's files changed last.
std::filesystem::file_time_type ChangedAt(const std::filesystem::path& model) {
  std::error_code missing;
  auto latest = std::filesystem::last_write_time(model, missing);
  std::filesystem::path bundle = model;
  const auto other = std::filesystem::last_write_time(bundle.replace_extension(".bundle"), missing);
  return missing ? latest : std::max(latest, other);
}

Result<std::shared_ptr<const ShelfModel>> Read(const std::string& name,
                                               const std::filesystem::path& folder) {
  const auto path = folder / (name + ".onnx");
  FOGLINE_CHECK(CheckLeadsInto(folder, path, path));
  FOGLINE_TRY(Network network, ReadNetwork(path));
  FOGLINE_TRY(std::vector<Cut> cuts, ListCuts(network.model));
  auto bundle = BundleBeside(network.model, path);
  return std::make_shared<const ShelfModel>(
      ShelfModel{name, std::move(network), std::move(cuts), std::move(bundle)});
}

}  // namespace

ModelShelf::ModelShelf(std::filesystem::path folder) : folder_(std::move(folder)) {
  if (folder_.empty()) return;
  reader_ = std::jthread([this](const std::stop_token& stop) { Work(stop); });
}

void ModelShelf::ReadNamesLocked() {
  const Nanos now = Clock::Real().Steady();
  if (folder_.empty() || (names_at_ && now - *names_at_ < kNamesLast)) return;
  names_at_ = now;
  names_.clear();
  profiles_.clear();
  const auto entries = EntriesOf(folder_);
  if (!entries) return;
  for (const std::filesystem::path& entry : *entries) {
    const std::string name = entry.stem().string();
    if (!IsUtf8(name)) continue;
    if (entry.extension() == ".onnx") names_.push_back(name);
    if (entry.extension() == ".json") profiles_.push_back(name + ".json");
  }
  for (auto* list : {&names_, &profiles_}) {
    std::sort(list->begin(), list->end());
    if (list->size() > kMostNames) list->resize(kMostNames);
  }
}

std::vector<std::string> ModelShelf::Names() {
  const std::lock_guard lock(mutex_);
  ReadNamesLocked();
  return names_;
}

Result<std::shared_ptr<const ShelfModel>> ModelShelf::Find(const std::string& name) {
  const std::lock_guard lock(mutex_);
  ReadNamesLocked();
  // Only names that the folder was seen to hold become paths.
  if (std::find(names_.begin(), names_.end(), name) == names_.end()) {
    return Fail(ErrorCode::kNotFound, "model", "there is no '{}' here{}", name,
                DidYouMean(name, names_));
  }
  const auto changed = ChangedAt(folder_ / (name + ".onnx"));
  const auto [slot, fresh] = slots_.try_emplace(name);
  const bool stale =
      slot->second.changed != changed || Clock::Real().Steady() >= slot->second.again;
  if (fresh || (slot->second.value && stale)) {
    slot->second.changed = changed;
    slot->second.again = Nanos::max();
    slot->second.value.reset();
    queue_.push_back(name);
    wanted_.notify_one();
  }
  slot->second.used = ++uses_;
  if (!slot->second.value) {
    return Fail(ErrorCode::kUnavailable, "model", "'{}' is being read; ask again in a moment",
                name);
  }
  return *slot->second.value;
}

Result<std::shared_ptr<const ShelfModel>> ModelShelf::FindByHash(const std::string& hash) {
  std::vector<std::string> names = Names();
  if (names.size() > kMostKept) names.resize(kMostKept);
  bool reading = false;
  for (const std::string& name : names) {
    auto found = Find(name);
    if (found && ToHex((*found)->network.model.hash()) == hash) return found;
    reading |= !found && found.error().code == ErrorCode::kUnavailable;
  }
  if (reading) return Fail(ErrorCode::kUnavailable, "model", "the models are being read");
  return Fail(ErrorCode::kNotFound, "model", "no model here has the hash {}", hash.substr(0, 16));
}

std::vector<std::string> ModelShelf::IntegersOf(const Sha256& network) {
  std::vector<std::string> found;
  for (const std::string& name : Names()) {
    const auto path = folder_ / (name + ".toml");
    const auto text = ReadTextFile(path);
    if (!text || !CheckLeadsInto(folder_, path, path)) continue;
    const auto toml = Toml::Parse(*text, name);
    if (!toml) continue;
    Status status;
    ModelCard card;
    ReadIntegers(*toml, name, status, card);
    if (status && card.integers && card.integers->of == network) found.push_back(name);
  }
  return found;
}

std::vector<std::string> ModelShelf::Profiles() {
  const std::lock_guard lock(mutex_);
  ReadNamesLocked();
  return profiles_;
}

Result<std::filesystem::path> ModelShelf::FindProfile(const std::string& name,
                                                      const std::string& flag) {
  const auto known = Profiles();
  if (std::find(known.begin(), known.end(), name) == known.end()) {
    return Fail(ErrorCode::kNotFound, flag, "there is no profile '{}' here{}", name,
                DidYouMean(name, known));
  }
  auto path = folder_ / name;
  if (!CheckLeadsInto(folder_, path, path)) {
    return Fail(ErrorCode::kNotFound, flag, "there is no profile '{}' here", name);
  }
  return path;
}

void ModelShelf::DropOldestLocked() {
  while (slots_.size() > kMostKept) {
    auto oldest = slots_.end();
    for (auto it = slots_.begin(); it != slots_.end(); ++it) {
      const bool done = it->second.value.has_value();
      if (done && (oldest == slots_.end() || it->second.used < oldest->second.used)) oldest = it;
    }
    if (oldest == slots_.end()) return;
    slots_.erase(oldest);
  }
}

void ModelShelf::Work(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (wanted_.wait(lock, stop, [this] { return !queue_.empty(); })) {
    if (stop.stop_requested()) return;
    const std::string name = queue_.front();
    queue_.erase(queue_.begin());
    lock.unlock();
    Loaded loaded = Read(name, folder_);
    Nanos again = Nanos::max();
    if (!loaded) {
      const ErrorCode code = loaded.error().code;
      const bool stays = code == ErrorCode::kInvalid || code == ErrorCode::kUnsupported;
      if (!stays) again = Clock::Real().Steady() + kFailureLasts;
      // Where it lies and how it fails is the operator's business, not the visitor's.
      LogWarning("planner: {}", Printable(loaded.error().ToString()));
      loaded = Fail(ErrorCode::kNotFound, "model", "'{}' cannot be read; the server's log says why",
                    name);
    }
    lock.lock();
    slots_[name].value = std::move(loaded);
    slots_[name].again = again;
    DropOldestLocked();
  }
}

}  // namespace fogline
