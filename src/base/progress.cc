#include "base/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "base/text.h"

namespace fogline {
namespace {

constexpr auto kRedraw = std::chrono::milliseconds(100);
constexpr size_t kBarWidth = 24;

std::string HumanSeconds(double seconds) {
  const auto whole = static_cast<int64_t>(seconds + 0.5);
  return whole < 60 ? fmt::format("{} s", whole)
                    : fmt::format("{} min {:02} s", whole / 60, whole % 60);
}

}  // namespace

Progress::Progress(std::string what, size_t total)
    : what_(std::move(what)),
      total_(total),
      shown_(isatty(STDERR_FILENO) != 0),
      start_(std::chrono::steady_clock::now()),
      last_draw_(start_) {
  if (shown_) Draw({});
}

Progress::~Progress() {
  if (shown_) std::fputs("\r\033[K", stderr);
}

void Progress::Advance(size_t by, std::string_view detail) {
  done_ += by;
  if (!shown_) return;
  const auto now = std::chrono::steady_clock::now();
  if (now - last_draw_ < kRedraw && done_ != total_) return;
  last_draw_ = now;
  Draw(detail);
}

void Progress::Draw(std::string_view detail) {
  std::string line = fmt::format("\r\033[K{} ", what_);
  if (total_ > 0) {
    const size_t filled = std::min(kBarWidth, kBarWidth * done_ / total_);
    for (size_t i = 0; i < kBarWidth; ++i) line += i < filled ? "━" : "╌";
    line += fmt::format(" {}/{}", done_, total_);
    const double elapsed =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    if (done_ > 0 && done_ < total_) {
      line +=
          " · " +
          HumanSeconds(elapsed / static_cast<double>(done_) * static_cast<double>(total_ - done_)) +
          " left";
    }
  } else {
    line += fmt::format("{}", done_);
  }
  if (!detail.empty()) line += " · " + Printable(detail);
  std::fputs(line.c_str(), stderr);
  std::fflush(stderr);
}

}  // namespace fogline
