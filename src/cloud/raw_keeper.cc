#include "cloud/raw_keeper.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "base/npy.h"

namespace fogline {

Result<std::unique_ptr<RawKeeper>> RawKeeper::Open(const Options& options) {
  FOGLINE_TRY(KeptFolder folder,
              KeptFolder::Open(options.folder, options.limit_bytes, "--keep-raw-limit"));
  return std::unique_ptr<RawKeeper>(new RawKeeper(std::move(folder)));
}

Status RawKeeper::KeepOne(const std::filesystem::path& path, const TensorView& tensor) {
  FOGLINE_TRY(const auto file, ToNpy(tensor));
  return folder_.Write(path, file);
}

void RawKeeper::Keep(const Picture& picture, std::span<const Tensor> outputs,
                     std::span<const Port> ports) {
  const std::lock_guard lock(mutex_);
  const std::filesystem::path folder = folder_.path() / FileStem(picture.device);
  for (size_t i = 0; i < std::min(outputs.size(), ports.size()); ++i) {
    const auto path = folder / fmt::format("{:016x}-{:012}-{}-{}.npy", picture.run,
                                           picture.sequence, i, FileStem(ports[i].name));
    const Status kept = KeepOne(path, outputs[i].view());
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
