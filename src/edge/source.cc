#include "edge/source.h"

#include <unistd.h>

#include <filesystem>

#include "base/clock.h"
#include "base/file.h"
#include "base/process.h"
#include "vision/folder.h"

namespace fogline {
namespace {

class FolderSource final : public Source {
 public:
  FolderSource(std::vector<std::filesystem::path> files, bool loop)
      : files_(std::move(files)), loop_(loop) {}

  Result<bool> Next(Capture& out) override {
    if (StopRequested()) return false;
    if (next_ == files_.size()) {
      if (!loop_) return false;
      next_ = 0;
    }
    const std::filesystem::path& path = files_[next_++];
    out.began = Clock::Real().Steady();
    FOGLINE_TRY(out.file, ReadFile(path));
    out.where = path.string();
    out.captured_us = Clock::Real().WallMicros();
    return true;
  }

 private:
  std::vector<std::filesystem::path> files_;
  bool loop_;
  size_t next_ = 0;
};

}  // namespace

Result<std::unique_ptr<Source>> OpenFolder(const std::string& folder, bool loop) {
  FOGLINE_TRY(auto files, ListImages(folder));
  return std::make_unique<FolderSource>(std::move(files), loop);
}

Result<std::unique_ptr<Source>> OpenSource(const SourceOptions& options) {
  if (options.name == "-") return OpenMjpeg(STDIN_FILENO, "stdin");
  if (options.name.starts_with("/dev/"))
    return OpenCamera(options.name, options.width, options.height);
  return OpenFolder(options.name, options.loop);
}

}  // namespace fogline
