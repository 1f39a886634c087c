// Whether the pictures that devices are sure of still get the class that was promised.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace fogline {

/// A picture that a device was sure of and sent on all the same.
struct Audited {
  std::string model;    // the file's stem
  std::string gate;     // the exit's tensor, or a cascade's little network
  double promised = 1;  // share of sure pictures that may get another class; 1: nothing is
  bool agrees = false;  // the network says the same class
};

/// A sequential test for each gate, which may be looked at after every picture: the likelihood of
/// what was seen under twice and four times the promised share, over that under the share itself,
/// each begun anew whenever it falls below one (CUSUM). While the promise holds, the mean of both
/// reaches kAlarm once in kAlarm audits or less often, however long one watches (Shin, Ramdas and
/// Rinaldo, *E-detectors*, 2022). Thread-safe.
class AuditWatch {
 public:
  static constexpr double kAlarm = 10'000;
  /// Beyond these no gate is watched: names come from the network.
  static constexpr size_t kMostGates = 256;

  /// What a gate came to so far.
  struct Standing {
    std::string model, gate;
    double promised = 1;
    uint64_t audited = 0, differ = 0;
    bool alarm = false;  // the promise does not hold any more
    /// Since the evidence that counts now began.
    uint64_t lately = 0, lately_differ = 0;
  };

  /// Counts one. An alarm begins with a warning in the log; it ends, with a word as well, when
  /// nothing speaks against the promise any more.
  void Count(const Audited& one);

  std::vector<Standing> standings() const;

 private:
  struct Gate {
    Standing standing;
    std::array<double, 2> evidence{1, 1};
  };

  mutable std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, Gate> gates_;  // under mutex_
};

}  // namespace fogline
