#include "base/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "base/log.h"
#include "base/text.h"

namespace fogline {
namespace {

constexpr auto kRedraw = std::chrono::milliseconds(100);
constexpr auto kLongestPause = std::chrono::milliseconds(60'000);
constexpr size_t kBarWidth = 24;

std::string HumanSeconds(double seconds) {
  const auto whole = static_cast<int64_t>(seconds + 0.5);
  return whole < 60 ? fmt::format("{} s", whole)
                    : fmt::format("{} min {:02} s", whole / 60, whole % 60);
}

}  // namespace

Progress::Progress(std::string what, size_t total, std::chrono::milliseconds pause)
    : what_(std::move(what)),
      total_(total),
      terminal_(isatty(STDERR_FILENO) != 0),
      pause_(terminal_ ? kRedraw : pause),
      start_(std::chrono::steady_clock::now()),
      last_draw_(start_) {
  if (terminal_) Draw({});
}

Progress::~Progress() {
  if (terminal_) std::fputs("\r\033[K", stderr);
}

void Progress::Advance(size_t by, std::string_view detail) {
  done_ += by;
  const auto now = std::chrono::steady_clock::now();
  if (now - last_draw_ < pause_ && !(terminal_ && done_ == total_)) return;
  last_draw_ = now;
  if (terminal_) {
    Draw(detail);
    return;
  }
  LogInfo("{}", Line(detail));
  pause_ = std::min(std::max(pause_, kLongestPause), pause_ + pause_ / 4);
}

std::string Progress::Line(std::string_view detail) const {
  std::string line = what_ + " ";
  if (total_ > 0 && terminal_) {
    const size_t filled = std::min(kBarWidth, kBarWidth * done_ / total_);
    for (size_t i = 0; i < kBarWidth; ++i) line += i < filled ? "━" : "╌";
    line += " ";
  }
  line += total_ > 0 ? fmt::format("{}/{}", done_, total_) : fmt::format("{}", done_);
  if (done_ > 0 && done_ < total_) {
    const double elapsed =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    const double left = elapsed / static_cast<double>(done_) * static_cast<double>(total_ - done_);
    line += " · " + HumanSeconds(left) + " left";
  }
  if (!detail.empty()) line += " · " + Printable(detail);
  return line;
}

void Progress::Draw(std::string_view detail) {
  std::fputs(("\r\033[K" + Line(detail)).c_str(), stderr);
  std::fflush(stderr);
}

}  // namespace fogline
