// A cloud for tests of what devices send: it stores, refuses and asks for patience as it is told,
// and knows every name that a frame may have.
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "edge/test_disk.h"
#include "frame/ack.h"
#include "frame/frame.h"

namespace fogline {

/// One picture that a camera made. Frames name theirs in captured_us, counted from 1.
struct TestShot {
  uint64_t model = 0;
  size_t bytes = 0;
  bool poisoned = false;  // the cloud refuses it for ever
  int troubles = 0;       // times that the cloud cannot take it yet
};

/// What it finds wrong with a frame it says in words; empty: nothing.
class TestCloud {
 public:
  bool up = true;
  bool tells_again = false;    // a frame that is given up may have been stored all the same
  std::set<uint64_t> missing;  // models
  std::vector<TestShot> shots;
  std::map<TestName, int64_t> names;         // of frames of pictures
  std::set<TestName> stored, refused, told;  // told: times, by the frames that they are of

  /// A frame has got its name, which nothing else may have.
  std::string Name(const Frame& frame) {
    const TestName name(frame.run, frame.sequence);
    const bool is_new = names.emplace(name, frame.captured_us).second && !tellings_.contains(name);
    return is_new ? "" : "a name is given twice";
  }

  /// A frame is sent, in run `run`: names are for ever, and a time is told by one frame alone.
  std::string Sent(const Frame& frame, uint64_t run) {
    const TestName name(frame.run, frame.sequence);
    const auto known = names.find(name);
    if (frame.payloads.empty()) {
      if (frame.run != run || known != names.end()) return "a frame that tells has another's name";
      tellings_.insert(name);
    } else if (known == names.end() || known->second != frame.captured_us ||
               tellings_.contains(name)) {
      return "two frames have one name";
    }
    for (const Settled& settled : frame.settled) {
      TestName& carrier = carriers_[{frame.run, settled.sequence}];
      // What was given up, and could not even be buried, comes again in the next run.
      const bool given_up = refused.contains(carrier) || refused.contains(name) || tells_again;
      if (carrier != TestName() && carrier != name && !given_up) {
        return fmt::format("the time of {}/{} is told by frames {} and {}", frame.run,
                           settled.sequence, carrier.second, name.second);
      }
      carrier = name;
    }
    return "";
  }

  /// A frame arrives, and is answered.
  Ack Take(const Frame& frame) {
    Ack ack;
    ack.run = frame.run;
    ack.sequence = frame.sequence;
    if (!frame.payloads.empty()) ack.status = Judge(frame);
    if (ack.status == AckStatus::kRetry) ack.message = fmt::format("model {}", frame.model);
    if (ack.status == AckStatus::kStored || ack.status == AckStatus::kDuplicate) {
      for (const Settled& settled : frame.settled) told.insert({frame.run, settled.sequence});
    }
    return ack;
  }
  /// Pictures that were stored under more than one name.
  size_t doubles() const { return doubles_; }

 private:
  AckStatus Judge(const Frame& frame) {
    const TestName name(frame.run, frame.sequence);
    if (stored.contains(name)) return AckStatus::kDuplicate;
    TestShot& shot = shots[static_cast<size_t>(frame.captured_us) - 1];
    if (missing.contains(frame.model)) return AckStatus::kRetry;
    if (shot.poisoned) {
      refused.insert(name);
      return AckStatus::kRefused;
    }
    if (shot.troubles > 0) {
      --shot.troubles;
      return AckStatus::kRetry;
    }
    stored.insert(name);
    if (!stored_shots_.insert(frame.captured_us).second) ++doubles_;
    return AckStatus::kStored;
  }

  std::set<TestName> tellings_;
  std::map<TestName, TestName> carriers_;  // of a time: the frame that tells it
  std::set<int64_t> stored_shots_;
  size_t doubles_ = 0;
};

}  // namespace fogline
