#include "cloud/hard_keeper.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "base/npy.h"

namespace fogline {

Result<std::unique_ptr<HardKeeper>> HardKeeper::Open(const Options& options, const Clock& clock) {
  FOGLINE_TRY(KeptFolder folder,
              KeptFolder::Open(options.folder, options.limit_bytes, "--hard-limit"));
  std::unique_ptr<HardKeeper> keeper(new HardKeeper(std::move(folder), options.per_hour, clock));
  keeper->since_ = clock.Steady();
  return keeper;
}

/// A bucket that fills at the rate and holds an hour's worth.
bool HardKeeper::MayNow() {
  const Nanos now = clock_.Steady();
  constexpr double kHourMs = 3'600'000;
  may_ = std::min(per_hour_, may_ + Millis(now - since_) / kHourMs * per_hour_);
  since_ = now;
  if (may_ < 1) return false;
  --may_;
  return true;
}

void HardKeeper::Keep(const Picture& picture) {
  const std::lock_guard lock(mutex_);
  const auto say = [this](bool& said, const std::string& what) {
    ++left_out_;
    if (!said) LogWarning("{}", what);
    said = true;
  };
  if (!MayNow()) {
    return say(rate_said_, fmt::format("{}: more than {:g} hard pictures an hour (--hard-rate): "
                                       "others are left out and counted",
                                       folder_.path().string(), per_hour_));
  }
  const std::filesystem::path path =
      folder_.path() / FileStem(picture.label) /
      fmt::format("{}-{}-{:016x}-{:012}.{}", picture.differs ? "differs" : "unsure",
                  FileStem(picture.device), picture.run, picture.sequence,
                  picture.webp ? "webp" : "jpg");
  const Status kept = folder_.Write(path, picture.file);
  if (kept) {
    ++kept_;
    return;
  }
  say(kept.error().code == ErrorCode::kExhausted ? full_said_ : fault_said_,
      kept.error().ToString());
}

}  // namespace fogline
