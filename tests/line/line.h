// A running line for tests: a broker, a cloud with its store, and edges as processes of the built
// binary.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "base/file.h"
#include "base/process.h"
#include "cloud/cloud.h"
#include "servers/local_broker.h"
#include "store/store.h"
#include "vision/folder.h"

namespace fogline {

inline const std::filesystem::path kModels = std::filesystem::path(FOGLINE_SOURCE_DIR) / "models";
inline const std::filesystem::path kModel = kModels / "litter.onnx";
inline const std::filesystem::path kPictures = kModels / "demo";

/// Waits for a condition that another thread or process brings about.
template <typename F>
bool Until(F condition, std::chrono::seconds most = std::chrono::seconds(60)) {
  const auto deadline = std::chrono::steady_clock::now() + most;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

/// How many pictures of the demo there are.
inline size_t PictureCount() { return ListImages(kPictures)->size(); }

/// How often a word occurs in a text.
inline size_t CountOf(const std::string& text, const std::string& word) {
  size_t count = 0;
  for (size_t at = text.find(word); at != text.npos; at = text.find(word, at + 1)) ++count;
  return count;
}

/// No sequence number stored twice, none missing below `count`.
inline void ExpectEachOnce(const std::vector<StoredDetection>& rows, size_t count) {
  std::set<uint64_t> seen;
  for (const auto& row : rows) EXPECT_TRUE(seen.insert(row.detection.sequence).second);
  EXPECT_EQ(seen.size(), count);
  EXPECT_TRUE(seen.empty() || *seen.rbegin() == count - 1);
}

/// How often a test does what it does: a few times, or as often as FOGLINE_SOAK_ROUNDS says.
inline int Rounds(int few) {
  const char* many = std::getenv("FOGLINE_SOAK_ROUNDS");
  return many != nullptr ? std::atoi(many) : few;
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
    options.thumbnail = 320;
    auto cloud = Cloud::Start(options, *store_, [] {});
    ASSERT_TRUE(cloud) << cloud.error().ToString();
    cloud_ = *std::move(cloud);
  }

  Process StartEdge(std::vector<std::string> flags,
                    const std::filesystem::path& source = kPictures) {
    std::vector<std::string> command = before_edge_;
    for (const std::string& word :
         std::vector<std::string>{FOGLINE_BINARY, "edge", "--json", "--broker",
                                  edge_broker_.empty() ? broker_->url() : edge_broker_, "--model",
                                  edge_model_.string(), "--source", source.string()}) {
      command.push_back(word);
    }
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
    std::vector<StoredDetection> all;
    for (;;) {
      constexpr size_t kPage = 10'000;
      const auto rows = store_->Query(filter, Order::kOldestFirst, kPage);
      if (!rows) {
        ADD_FAILURE() << rows.error().ToString();
        return all;
      }
      all.insert(all.end(), rows->begin(), rows->end());
      if (rows->size() < kPage) return all;
      filter.after_id = all.back().id;
    }
  }
  /// How many rows the store holds in all; as many as before while it does not answer.
  uint64_t CountStored() {
    if (const auto stock = store_->Stock()) last_count_ = stock->count;
    return last_count_;
  }

  TempDir dir_;
  std::unique_ptr<LocalBroker> broker_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Cloud> cloud_;
  int status_ = 0;
  uint64_t last_count_ = 0;
  std::string edge_broker_;  // what edges connect to, where it is not the broker itself
  std::filesystem::path edge_model_ = kModel;
  std::vector<std::string> before_edge_;  // words before an edge's command line
};

}  // namespace fogline
