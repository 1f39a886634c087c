#include "edge/window.h"

#include <algorithm>

namespace fogline {

InFlight& SendWindow::Add(InFlight frame) {
  frame.due = true;
  frame.patience = patience_;
  frames_.push_back(std::move(frame));
  return frames_.back();
}

InFlight* SendWindow::NextDue(Nanos now) {
  for (InFlight& frame : frames_) {
    if (frame.due || now >= frame.last_sent + frame.patience) return &frame;
  }
  return nullptr;
}

void SendWindow::Sent(InFlight& frame, Nanos now) {
  if (frame.sends > 0) frame.patience = std::min(most_patience_, 2 * frame.patience);
  ++frame.sends;
  frame.due = false;
  frame.last_sent = now;
}

void SendWindow::EverythingIsDue() {
  for (InFlight& frame : frames_) frame.due = true;
}

InFlight* SendWindow::Find(uint64_t run, uint64_t sequence) {
  const auto it = std::ranges::find_if(frames_, [&](const InFlight& frame) {
    return frame.run == run && frame.sequence == sequence;
  });
  return it == frames_.end() ? nullptr : &*it;
}

void SendWindow::Defer(InFlight& frame, Nanos now) {
  ++frame.not_now;
  frame.due = false;
  frame.last_sent = now;
}

void SendWindow::Return(InFlight frame, Nanos now) {
  Defer(frame, now);
  frames_.push_back(std::move(frame));
}

void SendWindow::Hasten(Nanos now, Nanos wait) {
  for (InFlight& frame : frames_) {
    frame.patience = std::min(frame.patience, now - frame.last_sent + wait);
  }
}

std::optional<Nanos> SendWindow::Deadline() const {
  std::optional<Nanos> earliest;
  for (const InFlight& frame : frames_) {
    const Nanos deadline = frame.due ? Nanos{0} : frame.last_sent + frame.patience;
    if (!earliest || deadline < *earliest) earliest = deadline;
  }
  return earliest;
}

std::optional<InFlight> SendWindow::Remove(uint64_t run, uint64_t sequence) {
  const auto it = std::find_if(frames_.begin(), frames_.end(), [&](const InFlight& frame) {
    return frame.run == run && frame.sequence == sequence;
  });
  if (it == frames_.end()) return std::nullopt;
  InFlight frame = std::move(*it);
  frames_.erase(it);
  return frame;
}

std::optional<InFlight> SendWindow::RemoveOlder(Nanos then) {
  const auto it = std::find_if(frames_.begin(), frames_.end(), [&](const InFlight& frame) {
    return frame.started != Nanos(0) && frame.started < then;
  });
  if (it == frames_.end()) return std::nullopt;
  InFlight frame = std::move(*it);
  frames_.erase(it);
  return frame;
}

}  // namespace fogline
