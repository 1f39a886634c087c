#include "cloud/raw_keeper.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "base/file.h"
#include "base/log.h"
#include "base/npy.h"
#include "base/text.h"

namespace fogline {
namespace {

namespace fs = std::filesystem;

constexpr auto kOwnerOnly = fs::perms::owner_all;

/// Makes a folder, which then is nobody else's to read; one that is there stays as it is.
Status MakeFolder(const fs::path& folder) {
  std::error_code error;
  if (fs::is_directory(folder, error)) return {};
  fs::create_directories(folder, error);
  if (!error) fs::permissions(folder, kOwnerOnly, error);
  if (!error) return {};
  return Fail(ErrorCode::kUnavailable, folder.string(), "cannot be made: {}", error.message());
}

}  // namespace

Result<std::unique_ptr<RawKeeper>> RawKeeper::Open(const Options& options) {
  FOGLINE_CHECK(MakeFolder(options.folder));
  std::unique_ptr<RawKeeper> keeper(new RawKeeper(options));
  std::error_code error;
  for (fs::recursive_directory_iterator it(options.folder, error), end; !error && it != end;
       it.increment(error)) {
    std::error_code unknown;  // somebody may take it away meanwhile
    const auto size = it->is_regular_file(unknown) ? it->file_size(unknown) : 0;
    if (!unknown) keeper->bytes_ += size;
  }
  if (error) {
    return Fail(ErrorCode::kUnavailable, options.folder.string(), "cannot be listed: {}",
                error.message());
  }
  return keeper;
}

Status RawKeeper::KeepOne(const fs::path& path, const TensorView& tensor) {
  FOGLINE_TRY(const auto file, ToNpy(tensor));
  std::error_code missing;
  const auto before = fs::file_size(path, missing);
  const uint64_t old = missing ? 0 : before;
  if (bytes_ - std::min(bytes_, old) + file.size() > options_.limit_bytes) {
    return Fail(ErrorCode::kExhausted, options_.folder.string(),
                "is full ({}, --keep-raw-limit): outputs are left out and counted",
                HumanBytes(static_cast<double>(options_.limit_bytes)));
  }
  FOGLINE_CHECK(WriteFile(path, file));
  bytes_ = bytes_ - std::min(bytes_, old) + file.size();
  return {};
}

void RawKeeper::Keep(const Picture& picture, std::span<const Tensor> outputs,
                     std::span<const Port> ports) {
  const fs::path folder = options_.folder / FileStem(picture.device);
  const std::lock_guard lock(mutex_);
  const Status made = MakeFolder(folder);
  for (size_t i = 0; i < std::min(outputs.size(), ports.size()); ++i) {
    const fs::path path = folder / fmt::format("{:016x}-{:012}-{}-{}.npy", picture.run,
                                               picture.sequence, i, FileStem(ports[i].name));
    const Status kept = made ? KeepOne(path, outputs[i].view()) : made;
    if (kept) {
      ++kept_;
      continue;
    }
    ++left_out_;
    bool& said = kept.error().code == ErrorCode::kExhausted ? full_said_ : fault_said_;
    if (!said) LogWarning("{}", kept.error().ToString());
    said = true;
  }
}

}  // namespace fogline
