// What was found in the pictures, for other programs on the device: a gate that opens, a lamp that
// goes on, a driver's display.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "edge/delivery.h"
#include "edge/line_file.h"
#include "edge/route_pool.h"
#include "frame/frame.h"

namespace fogline {

/// A line of JSON for each picture, as docs/cli.md describes it: at once where the device runs the
/// whole network, else when the cloud has answered. Thread-safe.
class Answers {
 public:
  /// `pool`, which names the routes, outlives it. `name` is a file, a named pipe, or "-" for
  /// stdout.
  static Result<std::unique_ptr<Answers>> Open(const std::string& name, const RoutePool& pool);

  /// What the device itself found. `frame` says when; it has a sequence where it is `sent`.
  void Own(const std::string& device, const Frame& frame, bool sent, const ResultPayload& result);

  /// What the cloud answered. Of a frame with the device's own result it says nothing more: that
  /// was written when it was made.
  void Heard(const std::string& device, const Receipt& receipt);

  /// Of lines that wait for their reader.
  size_t waiting_bytes() const { return lines_->waiting_bytes(); }

 private:
  Answers(std::unique_ptr<LineFile> lines, const RoutePool& pool)
      : lines_(std::move(lines)), pool_(pool) {}
  void Write(const std::string& device, const Frame& frame, bool named, const ResultPayload* result,
             std::string_view error);

  const std::unique_ptr<LineFile> lines_;
  const RoutePool& pool_;
};

}  // namespace fogline
