// What became of one frame, as its device knows it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

#include "base/clock.h"
#include "frame/ack.h"
#include "frame/frame.h"
#include "frame/stages.h"

namespace fogline {

/// One frame that was stored, known to be stored before, or refused for ever.
struct Delivery {
  uint64_t run = 0, sequence = 0;
  AckStatus status = AckStatus::kStored;
  bool recovered = false;                  // of an earlier run: no times are known
  StageTimes stages;                       // both sides'; network only when the frame was sent once
  double total_ms = 0;                     // from the start of work on the picture to the answer
  Nanos started{0}, sent{0}, answered{0};  // by the steady clock; sent for the last time
  size_t bytes = 0;                        // of the whole frame
  uint64_t ticket = 0;                     // as it was sent with; 0: none, or not known any more
  double cloud_ms = 0;  // waiting for a worker, decoding and suffix; 0: the cloud does not say
};

/// A delivery as it is told, with what is good for the call alone.
struct Receipt {
  const Delivery& delivery;
  std::span<const std::byte> frame;  // its bytes
  const ResultPayload* result;  // what the cloud found; null: it was not asked, or does not say
  std::string_view reason;      // why the frame was refused
};

/// Called on any thread while the sender is locked: do little.
using OnDelivery = std::function<void(const Receipt&)>;

}  // namespace fogline
