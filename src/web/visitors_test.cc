#include "web/visitors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace fogline {
namespace {

using boost::asio::ip::make_address;

std::string NameFrom(const ClientNames& names, const char* peer, std::string_view forwarded = "") {
  return names.Of(make_address(peer), forwarded);
}

TEST(ClientNames, AreAddressesAndOfIpv6WhatAHouseholdHas) {
  const ClientNames names = ClientNames::Make({}).value();
  EXPECT_EQ(NameFrom(names, "203.0.113.7"), "203.0.113.7");
  EXPECT_EQ(NameFrom(names, "::ffff:203.0.113.7"), "203.0.113.7");
  EXPECT_EQ(NameFrom(names, "2001:db8::1:2:3:4"), NameFrom(names, "2001:db8::ffff"));
  EXPECT_NE(NameFrom(names, "2001:db8::1"), NameFrom(names, "2001:db8:0:1::1"));
}

TEST(ClientNames, OnLoopbackNobodyIsOneClient) {
  const ClientNames names = ClientNames::Make({}).value();
  EXPECT_EQ(NameFrom(names, "127.0.0.1", "203.0.113.7"), "");
  EXPECT_EQ(NameFrom(names, "::1"), "");
}

TEST(ClientNames, WhatIsForwardedIsBelievedOfNamedProxiesOnly) {
  const ClientNames names = ClientNames::Make({"127.0.0.1", "10.0.0.2"}).value();
  EXPECT_EQ(NameFrom(names, "127.0.0.1", "203.0.113.7"), "203.0.113.7");
  EXPECT_EQ(NameFrom(names, "203.0.113.9", "203.0.113.7"), "203.0.113.9");
  // What the client wrote there itself stands before what the proxy added.
  EXPECT_EQ(NameFrom(names, "127.0.0.1", "198.51.100.1, 203.0.113.7"), "203.0.113.7");
  EXPECT_EQ(NameFrom(names, "127.0.0.1", "198.51.100.1, 203.0.113.7 ,10.0.0.2"), "203.0.113.7");
  EXPECT_EQ(NameFrom(names, "127.0.0.1", "203.0.113.7:4711"), "203.0.113.7");
  EXPECT_EQ(NameFrom(names, "127.0.0.1", "[2001:db8::1]:4711"), NameFrom(names, "2001:db8::2"));
  EXPECT_EQ(NameFrom(names, "10.0.0.2", "unknown"), "10.0.0.2");
  EXPECT_EQ(NameFrom(names, "10.0.0.2", ""), "10.0.0.2");
  EXPECT_EQ(names.OfPeer(make_address("10.0.0.2")), "");
  EXPECT_EQ(names.OfPeer(make_address("203.0.113.7")), "203.0.113.7");
}

TEST(ClientNames, AProxyThatIsNoAddressIsRefused) {
  const auto names = ClientNames::Make({"proxy.example"});
  ASSERT_FALSE(names);
  EXPECT_EQ(names.error().code, ErrorCode::kUsage);
  EXPECT_EQ(names.error().where, "proxy.example");
}

class VisitorsTest : public ::testing::Test {
 protected:
  using Kind = Visitors::Kind;
  WebCounters counters_;
  Visitors visitors_{{WebLimit{3, 2}, {3, 2}, {3, 2}, {100, 40}}, counters_};
};

TEST_F(VisitorsTest, OneClientLeavesPlacesToOthers) {
  auto first = visitors_.Enter(Kind::kStreams, "a");
  const auto second = visitors_.Enter(Kind::kStreams, "a");
  EXPECT_TRUE(first);
  EXPECT_TRUE(second);
  EXPECT_FALSE(visitors_.Enter(Kind::kStreams, "a"));
  EXPECT_TRUE(visitors_.Enter(Kind::kConnections, "a"));  // of another kind
  const auto third = visitors_.Enter(Kind::kStreams, "b");
  EXPECT_TRUE(third);
  EXPECT_FALSE(visitors_.Enter(Kind::kStreams, "c"));  // all of them are taken
  EXPECT_EQ(counters_.limited[static_cast<size_t>(Kind::kStreams)], 2U);
  EXPECT_EQ(counters_.held[static_cast<size_t>(Kind::kStreams)], 3U);
  first = {};
  EXPECT_TRUE(visitors_.Enter(Kind::kStreams, "a"));
}

TEST_F(VisitorsTest, WhoHasNoNameHasTheCommonLimitOnly) {
  std::array<Visitors::Held, 3> held;
  for (auto& place : held) place = visitors_.Enter(Kind::kQuestions, "");
  EXPECT_TRUE(held.back());
  EXPECT_FALSE(visitors_.Enter(Kind::kQuestions, ""));
}

TEST_F(VisitorsTest, BytesThatAreThereCountAndNoMoreAreBegunBeyondTheBudget) {
  EXPECT_TRUE(visitors_.HasRoom(Kind::kBytes, "a"));
  {
    const auto answer = visitors_.Take(Kind::kBytes, "a", 41);
    EXPECT_FALSE(visitors_.HasRoom(Kind::kBytes, "a"));
    EXPECT_TRUE(visitors_.HasRoom(Kind::kBytes, "b"));
    const auto large = visitors_.Take(Kind::kBytes, "", 60);
    EXPECT_FALSE(visitors_.HasRoom(Kind::kBytes, "b"));
    EXPECT_TRUE(visitors_.Full(Kind::kBytes));
  }
  EXPECT_FALSE(visitors_.Full(Kind::kBytes));
  EXPECT_TRUE(visitors_.HasRoom(Kind::kBytes, "a"));
  EXPECT_EQ(counters_.held[static_cast<size_t>(Kind::kBytes)], 0U);
}

}  // namespace
}  // namespace fogline
