#include "cloud/models_folder.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "frame/frame.h"
#include "graph/model_name.h"
#include "vision/network.h"

namespace fogline {
namespace {

/// What bundles may take together; a bundle is some hundred kilobytes.
constexpr uint64_t kMostBundleBytes = uint64_t{64} << 20;

FileStamp CardStamp(std::filesystem::path model) {
  return StampOf(model.replace_extension(".toml"));
}

/// Frames of a model that takes no pictures would each be answered so; the log says it once.
void SayContract(const std::filesystem::path& model) {
  if (const auto card = PeekCard(model); !card) {
    LogWarning("not run for frames: {}", card.error().ToString());
  }
}

}  // namespace

std::string IdText(uint64_t id) { return fmt::format("{:016x}", __builtin_bswap64(id)); }

Result<std::vector<uint64_t>> ModelsFolder::Look() {
  const std::lock_guard looking(looking_);
  const auto entries = EntriesOf(folder_);
  if (!entries) {
    if (!away_) LogWarning("{}; what it held goes on", entries.error().ToString());
    away_ = true;
    return tl::unexpected<Error>(entries.error());
  }
  if (away_) LogInfo("{}: is back", folder_.string());
  away_ = false;

  std::vector<uint64_t> changed;
  const auto there = [&](const auto& item) {
    return std::binary_search(entries->begin(), entries->end(), item.first);
  };
  std::erase_if(seen_, [&](const auto& item) { return !there(item); });
  std::erase_if(seen_bundles_, [&](const auto& item) { return !there(item); });
  for (const auto& path : *entries) {
    if (path.extension() == ".onnx") {
      Seen& seen = seen_[path];
      if (LookAtModel(path, seen) && seen.id) changed.push_back(*seen.id);
    } else if (path.extension() == ".bundle") {
      LookAtBundle(path);
    }
  }
  Index();
  return changed;
}

std::vector<FileStamp> ModelsFolder::StampsOf(const std::filesystem::path& model,
                                              const Seen& seen) const {
  std::vector<FileStamp> stamps{StampOf(model)};
  for (const auto& file : seen.external) stamps.push_back(StampOf(folder_ / file));
  return stamps;
}

/// Whether a model's files lie in the folder, wherever links lead.
Status ModelsFolder::CheckOwn(const std::filesystem::path& model,
                              const std::vector<std::filesystem::path>& external) const {
  FOGLINE_CHECK(CheckLeadsInto(folder_, model, model));
  for (const auto& file : external) {
    FOGLINE_CHECK(CheckLeadsInto(folder_, folder_ / file, folder_ / file));
  }
  return {};
}

/// True when the card of a model that is known changed.
bool ModelsFolder::LookAtModel(const std::filesystem::path& path, Seen& seen) {
  const FileStamp card = CardStamp(path);
  const bool other_card = seen.id && card != seen.card;
  seen.card = card;
  if (other_card) SayContract(path);
  if (!seen.stamps.empty() && StampsOf(path, seen) == seen.stamps) return other_card;

  const FileStamp before = StampOf(path);
  const auto name = NameModel(path);
  seen.external = name ? name->external : std::vector<std::filesystem::path>();
  const Status own = name ? CheckOwn(path, seen.external) : tl::unexpected<Error>(name.error());
  const auto stamps = StampsOf(path, seen);
  seen.id.reset();
  seen.stamps.clear();
  if (stamps.front() != before) return other_card;  // it is being written; another look will tell
  if (!own) {
    // A file that is no model stays none until it changes; what is missing or denied may come.
    if (own.error().code == ErrorCode::kInvalid) seen.stamps = stamps;
    const std::string trouble = own.error().ToString();
    if (trouble != seen.trouble) LogWarning("not used: {}", trouble);
    seen.trouble = trouble;
    return other_card;
  }
  seen.stamps = stamps;
  seen.id = ShortId(name->hash);
  seen.trouble.clear();
  SayContract(path);
  return other_card;
}

void ModelsFolder::LookAtBundle(const std::filesystem::path& path) {
  const FileStamp stamp = StampOf(path);
  SeenBundle& seen = seen_bundles_[path];
  if (seen.stamp == stamp) return;
  const Status own = CheckLeadsInto(folder_, path, path);
  auto bundle = own ? Bundle::Load(path) : tl::unexpected<Error>(own.error());
  if (!bundle) {
    // What is no bundle stays none until it changes; what cannot be read now may be read later.
    if (bundle.error().code == ErrorCode::kInvalid) seen.stamp = stamp;
    const std::string trouble = bundle.error().ToString();
    if (trouble != seen.trouble) LogWarning("not used: {}", trouble);
    seen.trouble = trouble;
    return;
  }
  seen = {stamp, {}};
  Keep(path, stamp.bytes, *std::move(bundle));
}

void ModelsFolder::Keep(const std::filesystem::path& path, uint64_t bytes, Bundle bundle) {
  const std::lock_guard lock(mutex_);
  const uint64_t id = ShortId(bundle.hash());
  bundles_[id] = {path, std::make_shared<const Bundle>(std::move(bundle)), bytes, ++uses_};
  uint64_t held = 0;
  for (const auto& [other, kept] : bundles_) held += kept.bundle == nullptr ? 0 : kept.bytes;
  while (held > kMostBundleBytes) {
    auto oldest = bundles_.end();
    for (auto it = bundles_.begin(); it != bundles_.end(); ++it) {
      if (it->second.bundle == nullptr || it->first == id) continue;
      if (oldest == bundles_.end() || it->second.used < oldest->second.used) oldest = it;
    }
    if (oldest == bundles_.end()) return;
    held -= oldest->second.bytes;
    oldest->second.bundle.reset();
  }
}

/// Makes what was seen findable, and notes which bundles have lost their file.
void ModelsFolder::Index() {
  const std::lock_guard lock(mutex_);
  files_.clear();
  for (const auto& [path, seen] : seen_) {
    if (!seen.id) continue;
    File& file = files_[*seen.id] = {path, 0};
    for (const FileStamp& stamp : seen.stamps) file.bytes += stamp.bytes;
  }
  for (auto it = bundles_.begin(); it != bundles_.end();) {
    if (!seen_bundles_.contains(it->second.path)) it->second.path.clear();
    const bool lost = it->second.path.empty() && it->second.bundle == nullptr;
    it = lost ? bundles_.erase(it) : std::next(it);
  }
}

size_t ModelsFolder::models() const {
  const std::lock_guard lock(mutex_);
  return files_.size();
}

Result<ModelsFolder::File> ModelsFolder::Find(uint64_t model) const {
  const std::lock_guard lock(mutex_);
  const auto found = files_.find(model);
  if (found != files_.end()) return found->second;
  return Fail(ErrorCode::kNotFound, "model " + IdText(model),
              "is not among the cloud's models (its hash starts so); put it there");
}

Result<std::shared_ptr<const Bundle>> ModelsFolder::FindBundle(uint64_t model, uint64_t bundle) {
  std::filesystem::path path;
  {
    const std::lock_guard lock(mutex_);
    const auto found = bundles_.find(bundle);
    if (found != bundles_.end() && found->second.bundle != nullptr) {
      found->second.used = ++uses_;
      if (ShortId(found->second.bundle->model_hash()) == model) return found->second.bundle;
      return Fail(ErrorCode::kConflict, "bundle " + IdText(bundle),
                  "was calibrated for another model than {}", IdText(model));
    }
    if (found != bundles_.end()) path = found->second.path;
  }
  if (!path.empty()) {
    FOGLINE_TRY(Bundle again, Bundle::Load(path));
    const bool same = ShortId(again.hash()) == bundle;
    Keep(path, BytesOf(path), std::move(again));
    if (same) return FindBundle(model, bundle);
  }
  const auto file = Find(model);
  const std::string stem = file ? file->path.stem().string() : "MODEL";
  return Fail(ErrorCode::kConflict, "bundle " + IdText(bundle),
              "coded this frame and is not among the cloud's models: put it back, e.g. as "
              "{}.{}.bundle",
              stem, IdText(bundle));
}

}  // namespace fogline
