// The folder of models that a cloud may run: which files it holds, by content, and the calibration
// bundles beside them, looked through again and again while they change.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/paths.h"
#include "base/result.h"
#include "codec/bundle.h"

namespace fogline {

/// A frame's short id as the first 16 digits of the hash that it begins.
std::string IdText(uint64_t id);

/// Thread-safe. A file that is no model, is being written, cannot be read or is a link out of the
/// folder is named once in the log and looked at again when it may have become one. A folder that
/// is gone leaves what is known.
class ModelsFolder {
 public:
  explicit ModelsFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// Looks at everything that is new or changed, one caller at a time. Returns the models of which
  /// something besides their own bytes changed (the card), or an error when the folder cannot be
  /// listed.
  Result<std::vector<uint64_t>> Look();

  const std::filesystem::path& path() const { return folder_; }
  size_t models() const;
  /// A model's file, and how large it is with its external weights.
  struct File {
    std::filesystem::path path;
    uint64_t bytes = 0;
  };
  /// kNotFound for a model that the folder does not hold now.
  Result<File> Find(uint64_t model) const;

  /// The bundle that a frame names, from the folder (any *.bundle in it) or from before it was
  /// replaced: kConflict when it is neither, with a line that says what to bring back, or when it
  /// was calibrated for another model.
  Result<std::shared_ptr<const Bundle>> FindBundle(uint64_t model, uint64_t bundle);

 private:
  /// A model's file as it was last looked at.
  struct Seen {
    std::vector<FileStamp> stamps;  // its own, then those of its external weights
    std::vector<std::filesystem::path> external;
    FileStamp card;
    std::optional<uint64_t> id;
    std::string trouble;  // why it has no id
  };
  /// A bundle that was in the folder once.
  struct Kept {
    std::filesystem::path path;            // empty: no file holds it any more
    std::shared_ptr<const Bundle> bundle;  // null: let go, to be read again from `path`
    uint64_t bytes = 0, used = 0;
  };

  std::vector<FileStamp> StampsOf(const std::filesystem::path& model, const Seen& seen) const;
  Status CheckOwn(const std::filesystem::path& model,
                  const std::vector<std::filesystem::path>& external) const;
  bool LookAtModel(const std::filesystem::path& path, Seen& seen);
  void LookAtBundle(const std::filesystem::path& path);
  void Keep(const std::filesystem::path& path, uint64_t bytes, Bundle bundle);
  void Index();

  const std::filesystem::path folder_;
  std::mutex looking_;  // one look at a time; guards the next three
  bool away_ = false;
  std::map<std::filesystem::path, Seen> seen_;
  struct SeenBundle {
    FileStamp stamp;      // as it was read, or found to be no bundle
    std::string trouble;  // said last
  };
  std::map<std::filesystem::path, SeenBundle> seen_bundles_;

  mutable std::mutex mutex_;  // guards what follows
  std::unordered_map<uint64_t, File> files_;
  std::unordered_map<uint64_t, Kept> bundles_;
  uint64_t uses_ = 0;
};

}  // namespace fogline
