#include "web/readiness.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "store/forwarding_store.h"

namespace fogline {
namespace {

using nlohmann::json;

/// Fails where it is told to, and counts how often it was tried.
class MoodyStore final : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;
  Result<uint64_t> LastId() override {
    if (!reads) return Fail(ErrorCode::kUnavailable, "redis://10.0.0.7", "does not answer");
    return ForwardingStore::LastId();
  }
  Status Probe() override {
    ++probes;
    return written;
  }
  bool reads = true;
  Status written;
  int probes = 0;
};

class ReadinessTest : public ::testing::Test {
 protected:
  json Ask(const std::optional<CloudState>& cloud) {
    clock_.Advance(std::chrono::seconds(3));
    return json::parse(probe_.Ask(cloud).ToJson());
  }
  static CloudState Well() {
    return {.runs = true, .connected = true, .committed_us = 1'700'000'000'000'000};
  }

  std::unique_ptr<Store> kept_ = OpenStore("sqlite::memory:").value();
  MoodyStore store_{*kept_};
  FakeClock clock_;
  ReadinessProbe probe_{store_, clock_};
};

TEST_F(ReadinessTest, AMapIsReadyWhenItsStoreCanBeRead) {
  EXPECT_EQ(Ask(std::nullopt), json::parse(R"({"ready":true,"store":{"reads":true}})"));
  EXPECT_EQ(store_.probes, 0);  // it writes nothing
  store_.reads = false;
  EXPECT_EQ(Ask(std::nullopt), json::parse(R"({"ready":false,"why":"the store does not answer",
                                               "store":{"reads":false}})"));
}

TEST_F(ReadinessTest, ACloudIsReadyWhenWhatItIsSentWouldBeStored) {
  EXPECT_EQ(Ask(Well()), json::parse(R"({"ready":true,"broker":{"connected":true},
      "store":{"reads":true,"writes":true,"last_commit":1700000000000}})"));
  EXPECT_EQ(Ask(CloudState{})["why"], "the cloud is starting, or ending");
  CloudState cloud = Well();
  cloud.connected = false;
  EXPECT_EQ(Ask(cloud)["why"], "the broker is not connected");
  EXPECT_EQ(Ask(cloud)["broker"]["connected"], false);
  cloud = Well();
  cloud.commit_failed = true;
  EXPECT_EQ(Ask(cloud)["why"], "the last commit failed");
  cloud = Well();
  cloud.committed_us = 0;
  EXPECT_TRUE(Ask(cloud)["store"]["last_commit"].is_null());
  store_.written = Fail(ErrorCode::kUnavailable, "/srv/fogline.db", "disk I/O error");
  EXPECT_EQ(Ask(Well())["why"], "the store cannot be written");
  store_.written = Fail(ErrorCode::kExhausted, "/srv/fogline.db", "no space left");
  const json full = Ask(Well());
  EXPECT_EQ(full["why"], "the store has no room for more");
  EXPECT_EQ(full["store"]["writes"], false);
  EXPECT_THAT(full.dump(), ::testing::Not(::testing::HasSubstr("/srv")));
}

TEST_F(ReadinessTest, HoweverManyAskTheStoreIsTriedNowAndThen) {
  for (int i = 0; i < 100; ++i) probe_.Ask(Well());
  EXPECT_EQ(store_.probes, 1);
  Ask(Well());
  EXPECT_EQ(store_.probes, 2);
}

}  // namespace
}  // namespace fogline
