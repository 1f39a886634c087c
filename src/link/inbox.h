// What a link has heard and not yet told.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "link/link.h"

namespace fogline {

/// Something for a link's handler, kept until the library's lock is released.
struct LinkEvent {
  enum class Kind : uint8_t {
    kConnected,
    kDisconnected,
    kMessage,
    kTaken,
    kRefused,
    kNobodyListens,
    kUnsubscribed
  };
  Kind kind = Kind::kConnected;
  std::string topic, response_topic;
  std::vector<std::byte> payload;
};

/// Events in the order in which they happened. They are kept under a lock and told without it: a
/// handler may take long, and others may keep more meanwhile. Memory is used again from turn to
/// turn. Not thread-safe.
class Inbox {
 public:
  /// Payloads above this are rare, and their memory does not stay.
  static constexpr size_t kMostKept = 256 << 10;

  void Keep(LinkEvent::Kind kind) { Next(kind); }
  void Keep(const Message& message);

  /// Events since the last swap, and the bytes of their payloads since the last BeginTurn.
  size_t count() const { return count_; }
  size_t bytes() const { return bytes_; }
  void BeginTurn() { bytes_ = 0; }

  /// Exchanges what was kept against `told`, an older batch, whose memory is used again.
  void Swap(Inbox& told);
  /// Tells a handler everything, in order; a loss of the connection only where that is `wanted`.
  void Tell(LinkHandler& handler, bool losses_wanted);

 private:
  LinkEvent& Next(LinkEvent::Kind kind);

  std::vector<LinkEvent> events_;
  size_t count_ = 0, bytes_ = 0;
};

}  // namespace fogline
