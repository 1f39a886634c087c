// Both halves of the line without what lies between them: a mechanism of the edge, a worker of the
// cloud, and the frame that one writes and the other reads.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cloud/worker.h"
#include "edge/mechanism.h"
#include "vision/placement.h"

namespace fogline::test {

/// A picture that no rule of a test knows.
inline Image Drawn(int width, int height) {
  Image image{width, height, {}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (const int v : {4 * x + y, 255 - 4 * x, (x * y) % 256}) {
        image.rgb.push_back(static_cast<uint8_t>(v));
      }
    }
  }
  return image;
}

/// One network, with its card beside it, known to both.
class Halves {
 public:
  Status Open(const std::filesystem::path& model, RawKeeper* raw = nullptr) {
    FOGLINE_TRY(Network network, LoadNetwork(model));
    network_.emplace(std::move(network));
    FOGLINE_TRY(registry_, Registry::Open({.folder = model.parent_path(),
                                           .patience = std::chrono::minutes(5)}));
    worker_ = std::make_unique<Worker>(*registry_, nullptr, raw);
    return {};
  }

  const Network& network() const { return *network_; }
  Worker& worker() { return *worker_; }

  /// What a cloud stores of a picture that an edge worked on at a cut. The frame says how large the
  /// picture was where findings need it, as an edge's does.
  Result<Worked> ByTheLine(const Image& picture, const std::string& cut, const std::string& codec) {
    MechanismOptions options;
    options.cut = cut;
    options.codec = codec;
    FOGLINE_TRY(const auto mechanism, Mechanism::Make(*network_, options));
    Prepared prepared;
    FOGLINE_CHECK(mechanism->Process(picture, prepared));
    Frame frame;
    frame.device = "cam";
    mechanism->Stamp(frame);
    if (NeedsPictureSize(network_->card) && cut != "edge-only") {
      frame.picture = PictureSize::Of(picture.width, picture.height);
    }
    frame.payloads = prepared.payloads;
    std::vector<std::byte> bytes;
    FOGLINE_CHECK(WriteFrame(frame, bytes));
    return worker_->Work(bytes, "cam");
  }

 private:
  std::optional<Network> network_;
  std::unique_ptr<Registry> registry_;
  std::unique_ptr<Worker> worker_;
};

}  // namespace fogline::test
