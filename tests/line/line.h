// A running line for tests: a broker, a cloud with its store, and edges as processes of the built
// binary.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "base/file.h"
#include "base/process.h"
#include "cloud/cloud.h"
#include "link/broker.h"
#include "store/store.h"

namespace fogline {

inline const std::filesystem::path kModels = std::filesystem::path(FOGLINE_SOURCE_DIR) / "models";
inline const std::filesystem::path kModel = kModels / "litter.onnx";
inline const std::filesystem::path kPictures = kModels / "demo";

/// Waits for a condition that another thread or process brings about.
template <typename F>
bool Until(F condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

class Line : public ::testing::Test {
 protected:
  void SetUp() override {
    auto broker = LocalBroker::Start();
    ASSERT_TRUE(broker) << broker.error().ToString();
    broker_ = *std::move(broker);
    auto store = OpenStore("sqlite:" + (dir_.path() / "test.db").string());
    ASSERT_TRUE(store) << store.error().ToString();
    store_ = *std::move(store);
    StartCloud();
  }

  void StartCloud() {
    CloudOptions options;
    options.link.broker = *ParseBroker(broker_->url());
    options.models.folder = kModels;
    options.workers = 2;
    auto cloud = Cloud::Start(options, *store_, [] {});
    ASSERT_TRUE(cloud) << cloud.error().ToString();
    cloud_ = *std::move(cloud);
  }

  Process StartEdge(std::vector<std::string> flags,
                    const std::filesystem::path& source = kPictures) {
    std::vector<std::string> command{FOGLINE_BINARY,  "edge",         "--json",
                                     "--broker",      broker_->url(), "--model",
                                     kModel.string(), "--source",     source.string()};
    command.insert(command.end(), flags.begin(), flags.end());
    auto process = Process::Start(
        {.command = command, .capture_stdout = true, .stderr_to = dir_.path() / "edge.log"});
    EXPECT_TRUE(process) << process.error().ToString();
    return *std::move(process);
  }

  /// Runs an edge to its end; its report.
  nlohmann::json RunEdge(std::vector<std::string> flags,
                         const std::filesystem::path& source = kPictures) {
    Process edge = StartEdge(std::move(flags), source);
    return Report(edge);
  }
  nlohmann::json Report(Process& edge) {
    const auto text = edge.ReadStdout();
    status_ = edge.Wait();
    return text ? nlohmann::json::parse(*text, nullptr, false) : nlohmann::json();
  }
  std::string Log() const { return ReadTextFile(dir_.path() / "edge.log").value_or(""); }

  std::vector<StoredDetection> Stored(const std::string& device) {
    Filter filter;
    filter.devices = {device};
    return store_->Query(filter, Order::kOldestFirst, 10000).value();
  }

  TempDir dir_;
  std::unique_ptr<LocalBroker> broker_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Cloud> cloud_;
  int status_ = 0;
};

}  // namespace fogline
