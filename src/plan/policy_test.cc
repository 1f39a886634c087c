#include "plan/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "base/hash.h"
#include "engine/shapes.h"
#include "plan/request.h"
#include "profile/library.h"
#include "vision/network.h"

namespace fogline {
namespace {

using testing::HasSubstr;

const std::filesystem::path kLitterFile =
    std::filesystem::path(FOGLINE_SOURCE_DIR) / "models/litter.onnx";

struct Made {
  Network network;
  std::optional<Bundle> bundle;
  Scenario scenario;
  Plan plan;
};

std::unique_ptr<Made> MakeFor(const PlanRequest& request,
                              const std::string& edge = "raspberry-pi-4") {
  auto network = LoadNetwork(kLitterFile);
  EXPECT_TRUE(network) << network.error().ToString();
  auto made = std::make_unique<Made>(Made{*std::move(network), {}, {}, {}});
  made->bundle = BundleBeside(made->network.model, kLitterFile);
  auto scenario = MakeScenario(
      request, made->network, *ListCuts(made->network.model),
      made->bundle ? &*made->bundle : nullptr, *LibrarySide(made->network.model, edge, "--edge"),
      *LibrarySide(made->network.model, "c6i.large", "--cloud"), *FindLink("4g", "--link"));
  EXPECT_TRUE(scenario) << scenario.error().ToString();
  made->scenario = *std::move(scenario);
  auto plan = MakePlan(made->scenario);
  EXPECT_TRUE(plan) << plan.error().ToString();
  made->plan = *std::move(plan);
  return made;
}

double Cost(double edge, double bytes, double cloud, double mbps, double stretch) {
  return edge + bytes * 8e-3 / mbps + cloud * stretch;
}

TEST(Policy, AFewRoutesAreNearTheBestAtEveryUplinkAndLoad) {
  const auto made = MakeFor({});
  const auto policy = PolicyOf(made->scenario, made->plan);
  ASSERT_TRUE(policy) << policy.error().ToString();
  EXPECT_GE(policy->routes.size(), 3U);
  EXPECT_LE(policy->routes.size(), 8U);
  EXPECT_EQ(policy->device, "raspberry-pi-4");
  EXPECT_EQ(policy->model, ToHex(made->network.model.hash()));
  const double delay = made->scenario.link.rtt.value();
  for (int step = 0; step < 39; ++step) {  // from 20 kbit/s to 500 Mbit/s
    const double mbps = 0.02 * std::pow(1.3, step);
    for (const double stretch : {1.0, 3.0, 10.0}) {
      double best = std::numeric_limits<double>::infinity(), have = best;
      for (const Candidate& c : made->plan.candidates) {
        if (!c.runnable() || !c.feasible()) continue;
        best = std::min(best, Cost((c.latency.edge + c.latency.encode).value(),
                                   (c.up + kMessageOverhead).value(),
                                   (c.latency.decode + c.latency.cloud).value(), mbps, stretch));
      }
      for (const PolicyRoute& r : policy->routes) {
        have = std::min(have, Cost(r.edge_ms, r.bytes, r.cloud_ms, mbps, stretch));
      }
      EXPECT_LE(have + delay, 1.05 * (best + delay)) << mbps << " Mbit/s, load times " << stretch;
    }
  }
}

TEST(Policy, IsReadAsItWasWritten) {
  PlanRequest request;
  request.max_latency = 120;
  const auto made = MakeFor(request);
  const auto policy = PolicyOf(made->scenario, made->plan);
  ASSERT_TRUE(policy) << policy.error().ToString();
  const bool limited = std::ranges::any_of(
      policy->routes, [](const PolicyRoute& r) { return r.least_mbps && *r.least_mbps > 0; });
  EXPECT_TRUE(limited) << "a limit on latency is one on the uplink";
  const auto read = Policy::Parse(policy->ToJson(), "p");
  ASSERT_TRUE(read) << read.error().ToString();
  EXPECT_EQ(read->ToJson(), policy->ToJson());
}

TEST(Policy, WhatIsNoneIsRefusedInOneLine) {
  const auto made = MakeFor({});
  const std::string good = PolicyOf(made->scenario, made->plan)->ToJson();
  const auto refused = [](const std::string& text, const char* word) {
    const auto policy = Policy::Parse(text, "line.policy");
    ASSERT_FALSE(policy) << text;
    EXPECT_THAT(policy.error().ToString(), HasSubstr(word));
    EXPECT_THAT(policy.error().ToString(), HasSubstr("line.policy"));
    EXPECT_THAT(policy.error().ToString(), testing::Not(HasSubstr("\n")));
  };
  const auto with = [&](const std::string& old, const std::string& other) {
    std::string text = good;
    const size_t at = text.find(old);
    EXPECT_NE(at, std::string::npos) << old;
    return text.replace(at, old.size(), other);
  };
  refused("", "line.policy");
  refused("[]", "no policy");
  refused("{\"routes\":[]}", "no policy");
  refused(with("\"fogline_policy\": 1", "\"fogline_policy\": 2"), "version 2");
  refused(with("\"device\"", "\"devise\""), "'device'");
  refused(with("\"model\": \"", "\"model\": \"x"), "SHA-256");
  refused(with("\"edge_ms\": ", "\"edge_ms\": -"), "edge_ms");
  refused(with("\"bytes\": ", "\"bytes\": \"much\", \"b\": "), "bytes");
  refused(with("\"sure_share\": 0", "\"sure_share\": 7"), "prices");
  refused(with("\"route\": \"", "\"route\": \"::"), "the model is missing");
  refused(good.substr(0, good.find("\"routes\"")) + "\"routes\": []}", "no routes");
}

TEST(Policy, WeighsTimeAlone) {
  PlanRequest request;
  request.objective = "cost";
  const auto made = MakeFor(request);
  const auto policy = PolicyOf(made->scenario, made->plan);
  ASSERT_FALSE(policy);
  EXPECT_THAT(policy.error().ToString(), HasSubstr("--objective latency"));
}

}  // namespace
}  // namespace fogline
