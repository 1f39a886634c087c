#include "edge/source.h"

#include <unistd.h>

#include <filesystem>

#include "base/clock.h"
#include "base/file.h"
#include "base/process.h"
#include "edge/camera_clock.h"
#include "vision/folder.h"

namespace fogline {
namespace {

class FolderSource final : public Source {
 public:
  FolderSource(std::string name, Folder folder, bool loop)
      : name_(std::move(name)), folder_(std::move(folder)), files_(folder_.files), loop_(loop) {}
  ~FolderSource() override { LogUnread(name_, folder_); }

  Result<bool> Next(Capture& out) override {
    if (StopRequested()) return false;
    if (next_ == files_.size()) {
      if (!loop_) return false;
      next_ = 0;
    }
    const std::filesystem::path& path = files_[next_++];
    out.began = Clock::Real().Steady();
    FOGLINE_TRY(out.file, ReadFileIn(name_, path));
    out.where = path.string();
    // A file's date is what is known of its picture besides EXIF: never the time of reading it.
    const Captured date = FileDate(path);
    out.captured_us = date.us;
    out.captured_from = date.from;
    return true;
  }

 private:
  const std::string name_;
  const Folder folder_;
  const std::vector<std::filesystem::path>& files_;
  const bool loop_;
  size_t next_ = 0;
};

}  // namespace

Result<std::unique_ptr<Source>> OpenFolder(const std::string& folder, bool loop, Depth depth) {
  FOGLINE_TRY(Folder found, ListFolder(folder, depth));
  return std::make_unique<FolderSource>(folder, std::move(found), loop);
}

Result<std::unique_ptr<Source>> OpenSource(const SourceOptions& options) {
  if (options.name == "-") return OpenMjpeg(STDIN_FILENO, "stdin");
  if (options.name.starts_with("/dev/"))
    return OpenCamera(options.name, options.width, options.height);
  return OpenFolder(options.name, options.loop, options.depth());
}

}  // namespace fogline
