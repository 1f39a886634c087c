// A V4L2 camera (https://docs.kernel.org/userspace-api/media/v4l/mmap.html describes the ioctls).
#include <fcntl.h>
#include <linux/videodev2.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/descriptor.h"
#include "base/log.h"
#include "edge/interruption.h"
#include "edge/mjpeg.h"
#include "edge/source.h"

namespace fogline {
namespace {

// Two are enough to fill one while the other is read; more would only make pictures older.
constexpr uint32_t kBuffers = 2;
constexpr int kPatienceMs = 5000;

int Control(int fd, unsigned long request, void* argument) {
  int rc = 0;
  do {
    rc = ioctl(fd, request, argument);
  } while (rc < 0 && errno == EINTR);
  return rc;
}

class Camera final : public Source {
 public:
  Camera(Descriptor device, std::string name)
      : device_(std::move(device)), name_(std::move(name)) {}
  ~Camera() override {
    int type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
    Control(device_.get(), VIDIOC_STREAMOFF, &type);
    for (const auto& [memory, length] : buffers_) munmap(memory, length);
  }

  Status Start(int width, int height) {
    v4l2_format format{};
    format.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
    format.fmt.pix.width = static_cast<uint32_t>(width);
    format.fmt.pix.height = static_cast<uint32_t>(height);
    format.fmt.pix.pixelformat = V4L2_PIX_FMT_MJPEG;
    format.fmt.pix.field = V4L2_FIELD_ANY;
    if (Control(device_.get(), VIDIOC_S_FMT, &format) < 0) return FailErrno("is no V4L2 camera");
    if (format.fmt.pix.pixelformat != V4L2_PIX_FMT_MJPEG &&
        format.fmt.pix.pixelformat != V4L2_PIX_FMT_JPEG) {
      return Fail(ErrorCode::kUnsupported, name_, "gives no MJPEG");
    }
    v4l2_requestbuffers request{};
    request.count = kBuffers;
    request.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
    request.memory = V4L2_MEMORY_MMAP;
    if (Control(device_.get(), VIDIOC_REQBUFS, &request) < 0)
      return FailErrno("cannot give buffers");
    for (uint32_t i = 0; i < request.count; ++i) {
      v4l2_buffer buffer = Buffer(i);
      if (Control(device_.get(), VIDIOC_QUERYBUF, &buffer) < 0)
        return FailErrno("cannot describe its buffers");
      void* memory = mmap(nullptr, buffer.length, PROT_READ | PROT_WRITE, MAP_SHARED, device_.get(),
                          buffer.m.offset);
      if (memory == MAP_FAILED) return FailErrno("cannot map its buffers");
      buffers_.push_back({memory, buffer.length});
      if (Control(device_.get(), VIDIOC_QBUF, &buffer) < 0)
        return FailErrno("cannot queue its buffers");
    }
    int type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
    if (Control(device_.get(), VIDIOC_STREAMON, &type) < 0) return FailErrno("cannot start");
    LogInfo("{}: MJPEG {}x{}", name_, format.fmt.pix.width, format.fmt.pix.height);
    return {};
  }

  void Interrupt() override { interrupt_.Set(); }

  Result<bool> Next(Capture& out) override {
    for (;;) {
      const auto wake = interrupt_.Wait(device_.get(), POLLIN, kPatienceMs);
      if (wake == Interruption::Wake::kStopped) return false;
      if (wake == Interruption::Wake::kTimeout)
        return Fail(ErrorCode::kUnavailable, name_, "gave no picture for {} s", kPatienceMs / 1000);
      out.began = Clock::Real().Steady();
      v4l2_buffer buffer = Buffer(0);
      if (Control(device_.get(), VIDIOC_DQBUF, &buffer) < 0) {
        if (errno == EAGAIN) continue;
        return FailErrno("stopped giving pictures");
      }
      out.where = name_ + " picture " + std::to_string(++count_);
      out.captured_us = Clock::Real().WallMicros();
      out.captured_from = TimeSource::kClock;
      const auto* data = static_cast<const std::byte*>(buffers_[buffer.index].memory);
      const size_t most = buffers_[buffer.index].length;
      splitter_.Feed({data, std::min<size_t>(buffer.bytesused, most)});
      splitter_.Finish();
      if (Control(device_.get(), VIDIOC_QBUF, &buffer) < 0)
        return FailErrno("cannot take a buffer back");
      // A buffer holds one picture, perhaps with what the camera wrote around it.
      if (!splitter_.Next(out.file)) {
        return Fail(ErrorCode::kInvalid, out.where, "is torn: the camera gave no whole JPEG");
      }
      return true;
    }
  }

 private:
  struct Mapped {
    void* memory;
    size_t length;
  };
  static v4l2_buffer Buffer(uint32_t index) {
    v4l2_buffer buffer{};
    buffer.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
    buffer.memory = V4L2_MEMORY_MMAP;
    buffer.index = index;
    return buffer;
  }
  tl::unexpected<Error> FailErrno(const char* what) const {
    return Fail(ErrorCode::kUnavailable, name_, "{}: {}", what,
                std::generic_category().message(errno));
  }

  const Descriptor device_;
  const std::string name_;
  std::vector<Mapped> buffers_;
  MjpegSplitter splitter_;
  uint64_t count_ = 0;
  Interruption interrupt_;
};

}  // namespace

Result<std::unique_ptr<Source>> OpenCamera(const std::string& device, int width, int height) {
  Descriptor file(open(device.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!file) {
    return Fail(ErrorCode::kNotFound, device, "cannot open the camera: {}",
                std::generic_category().message(errno));
  }
  auto camera = std::make_unique<Camera>(std::move(file), device);
  FOGLINE_CHECK(camera->Start(width, height));
  return camera;
}

}  // namespace fogline
