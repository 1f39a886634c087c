// Whether the server of a store answers.
#pragma once

#include <atomic>
#include <string>

namespace fogline {

/// Shared by the connections of one store. A loss is an error that the callers tell; its end is one
/// line here, since nobody else would notice. Thread-safe.
class ServerHealth {
 public:
  void Lost() { lost_ = true; }
  void Back(const std::string& where);

 private:
  std::atomic<bool> lost_{false};
};

}  // namespace fogline
