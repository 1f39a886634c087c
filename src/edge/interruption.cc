#include "edge/interruption.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>

#include "base/process.h"

namespace fogline {

Interruption::Interruption() : event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

void Interruption::Set() {
  const uint64_t one = 1;
  (void)!write(event_.get(), &one, sizeof(one));
}

bool Interruption::set() const {
  pollfd wanted{event_.get(), POLLIN, 0};
  return poll(&wanted, 1, 0) > 0 && wanted.revents != 0;
}

Interruption::Wake Interruption::Wait(int descriptor, short events, int timeout_ms,
                                      int also) const {
  // poll passes over negative descriptors.
  std::array<pollfd, 4> wanted{{{descriptor, events, 0},
                                {event_.get(), POLLIN, 0},
                                {StopDescriptor(), POLLIN, 0},
                                {also, events, 0}}};
  int ready = 0;
  do {
    ready = poll(wanted.data(), wanted.size(), timeout_ms);
  } while (ready < 0 && errno == EINTR && !StopRequested());
  if (StopRequested() || wanted[1].revents != 0) return Wake::kStopped;
  if (ready < 0) return Wake::kFailed;
  return ready == 0 ? Wake::kTimeout : Wake::kReady;
}

}  // namespace fogline
