#include "edge/source.h"

#include <unistd.h>

#include <filesystem>
#include <iterator>
#include <sstream>

#include "base/clock.h"
#include "base/file.h"
#include "base/process.h"
#include "edge/camera_clock.h"
#include "edge/video.h"
#include "vision/folder.h"

namespace fogline {
namespace {

/// What stands between blanks.
std::vector<std::string> Words(const std::string& text) {
  std::istringstream stream(text);
  return {std::istream_iterator<std::string>(stream), {}};
}

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
  VideoRequest video{.name = options.name,
                     .frame_rate = options.frame_rate,
                     .at_least = options.at_least,
                     .decoder = Words(options.decoder)};
  std::error_code unknown;
  if (options.live()) {
    video.kind = VideoRequest::Kind::kStream;
    return OpenVideo(std::move(video), {});
  }
  if (options.name.starts_with("/dev/")) {
    auto camera = OpenCamera(options.name, options.width, options.height);
    // One that gives pixels and no JPEGs.
    if (camera || camera.error().code != ErrorCode::kUnsupported) return camera;
    video.kind = VideoRequest::Kind::kCamera;
    video.width = options.width;
    video.height = options.height;
    return OpenVideo(std::move(video), {});
  }
  if (std::filesystem::is_regular_file(options.name, unknown) && !IsPictureName(options.name)) {
    video.kind = VideoRequest::Kind::kFile;
    return OpenVideo(std::move(video), {.loop = options.loop});
  }
  return OpenFolder(options.name, options.loop, options.depth());
}

}  // namespace fogline
