#include "link/session.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>
#include <vector>

namespace fogline {
namespace {

using namespace std::chrono_literals;

PacketBytes Hex(std::string_view text) {
  PacketBytes out;
  for (size_t i = 0; i + 1 < text.size(); i += text[i] == ' ' ? 1 : 2) {
    if (text[i] == ' ') continue;
    out.push_back(static_cast<std::byte>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16)));
  }
  return out;
}

class Heard final : public SessionListener {
 public:
  void OnConnack(uint32_t most) override { most_packet = most, ++connacks; }
  void OnPuback(uint8_t) override { ++pubacks; }
  void OnSuback(uint8_t reason) override { suback = reason; }
  void OnUnsuback() override { ++unsubacks; }
  void OnPublish(const Message& m) override {
    messages.emplace_back(m.topic);
    payload.assign(reinterpret_cast<const char*>(m.payload.data()), m.payload.size());
    response = m.response_topic;
  }
  int connacks = 0, pubacks = 0, unsubacks = 0;
  int suback = -1;
  uint32_t most_packet = 0;
  std::vector<std::string> messages;
  std::string payload, response;
};

Status Feed(MqttSession& session, std::span<const std::byte> bytes, Nanos now = 0s) {
  while (!bytes.empty()) {
    const auto space = session.Space();
    const size_t count = std::min(space.size(), bytes.size());
    std::copy_n(bytes.begin(), count, space.begin());
    FOGLINE_CHECK(session.Filled(count, now));
    bytes = bytes.subspan(count);
  }
  return {};
}

/// The kinds of the packets that wait to be sent, which then are.
std::string Drain(MqttSession& session) {
  std::string kinds;
  for (auto bytes = session.Pending(); !bytes.empty();) {
    const PacketView packet = FirstPacket(bytes);
    kinds += "?CKPA???S?U?I?D"[static_cast<size_t>(packet.kind)];
    bytes = bytes.subspan(packet.bytes);
  }
  session.Sent(session.Pending().size(), Nanos(0));
  return kinds;
}

const PacketBytes kConnack = Hex("20 06 00 00 03 21 00 02");  // takes two at a time

struct Standing {
  Standing() { EXPECT_TRUE(Feed(session, kConnack)); }
  Heard heard;
  MqttSession session{{.client_id = "id", .user = "", .password = ""}, heard, 0s};
};

TEST(Session, ConnectsListensAndSpeaks) {
  Heard heard;
  MqttSession session({.client_id = "id", .user = "me", .password = "secret"}, heard, 0s);
  EXPECT_FALSE(session.standing());
  EXPECT_EQ(PacketBytes(session.Pending().begin(), session.Pending().end()),
            Hex("10 1e 00 04 4d515454 05 c2 00 0f 03 21 ffff"
                "00 02 6964 00 02 6d65 00 06 736563726574"));
  Drain(session);
  ASSERT_TRUE(Feed(session, Hex("20 08 00 00 05 27 00 00 07 d0")));
  EXPECT_TRUE(session.standing());
  EXPECT_EQ(heard.most_packet, 2000U);
  // QoS 1, number 7, with a topic to answer to, byte by byte.
  for (const std::byte b : Hex("32 0e 00 01 61 00 07 06 08 00 03 782f79 68 69")) {
    ASSERT_TRUE(Feed(session, std::span(&b, 1)));
  }
  EXPECT_EQ(heard.messages, std::vector<std::string>{"a"});
  EXPECT_EQ(heard.payload, "hi");
  EXPECT_EQ(heard.response, "x/y");
  EXPECT_EQ(PacketBytes(session.Pending().begin(), session.Pending().end()), Hex("40 02 00 07"));
}

// The broker says how many messages it takes without an acknowledgement.
TEST(Session, KeepsToWhatTheBrokerTakes) {
  Standing s;
  Drain(s.session);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(s.session.Publish("a", {}, 1, ""));
  EXPECT_EQ(Drain(s.session), "PP");
  ASSERT_TRUE(Feed(s.session, Hex("40 02 00 01")));
  EXPECT_EQ(Drain(s.session), "P");
  ASSERT_TRUE(Feed(s.session, Hex("40 02 00 01")));  // an answer to nothing
  EXPECT_EQ(Drain(s.session), "");
  ASSERT_TRUE(Feed(s.session, Hex("40 02 00 02 40 03 00 03 10 40 04 00 04 00 00")));
  EXPECT_EQ(Drain(s.session), "PP");
  EXPECT_EQ(s.heard.pubacks, 4);
  ASSERT_TRUE(s.session.Publish("a", {}, 0, ""));
  EXPECT_EQ(Drain(s.session), "P");
}

TEST(Session, PingsAndMissesAnAnswer) {
  Standing s;
  Drain(s.session);
  ASSERT_TRUE(s.session.Tick(14s));
  EXPECT_EQ(Drain(s.session), "");
  ASSERT_TRUE(s.session.Tick(15s));
  EXPECT_EQ(Drain(s.session), "I");
  ASSERT_TRUE(Feed(s.session, Hex("d0 00"), 16s));
  ASSERT_TRUE(s.session.Tick(31s));
  ASSERT_TRUE(s.session.Tick(45s));
  const Status silent = s.session.Tick(46s);
  ASSERT_FALSE(silent);
  EXPECT_NE(silent.error().message.find("silent"), std::string::npos);
}

// What once ended the process, and its kin: each is an error in words.
TEST(Session, WhatMqttDoesNotKnowIsAnErrorInWords) {
  const struct {
    const char* bytes;
    const char* words;
  } cases[] = {
      {"20 05 00 00 02 7f 00", "property 0x7f"},  // an assertion in libmosquitto 2.0.11
      {"20 03 00 00 ff", "too early"},
      {"20 03 00 87 00", "not authorized"},
      {"20 02 00 05", "reason 0x05"},
      {"20 06 00 00 03 21 00 00", "CONNACK that is none"},
      {"30 04 00 01 61 00", "before the connection stood"},
      {"ff ff ff ff ff ff", "length is none"},
  };
  for (const auto& c : cases) {
    Heard heard;
    MqttSession session({.client_id = "id", .user = "", .password = ""}, heard, 0s);
    const Status status = Feed(session, Hex(c.bytes));
    ASSERT_FALSE(status) << c.bytes;
    EXPECT_NE(status.error().message.find(c.words), std::string::npos)
        << c.bytes << ": " << status.error().message;
  }
  const struct {
    const char* bytes;
    const char* words;
  } later[] = {
      {"20 03 00 00 00", "though the connection stood"},
      {"34 06 00 01 61 00 07 00", "PUBLISH that is none"},     // QoS 2
      {"30 04 00 01 00 00", "PUBLISH that is none"},           // a zero in a topic
      {"30 04 00 01 2b 00", "PUBLISH that is none"},           // a wildcard
      {"30 03 00 00 00", "PUBLISH that is none"},              // no topic
      {"32 06 00 01 61 00 00 00", "PUBLISH that is none"},     // number 0
      {"30 07 00 01 61 03 23 00 01", "PUBLISH that is none"},  // an alias
      {"30 06 00 01 61 02 50 00", "property 0x50"},
      {"40 02 00 00", "acknowledgement that is none"},
      {"90 03 00 01 00", "acknowledgement that is none"},
      {"e0 02 8b 00", "the server shuts down"},
      {"f0 00", "not for clients"},
      {"10 00", "not for clients"},
      {"00 00", "not for clients"},
      {"30 ff ff ff 7f", "where 1000 are taken"},
  };
  for (const auto& c : later) {
    Heard heard;
    MqttSession session({.client_id = "id", .user = "", .password = "", .most_packet = 1000}, heard,
                        0s);
    ASSERT_TRUE(Feed(session, kConnack));
    const Status status = Feed(session, Hex(c.bytes));
    ASSERT_FALSE(status) << c.bytes;
    EXPECT_NE(status.error().message.find(c.words), std::string::npos)
        << c.bytes << ": " << status.error().message;
    EXPECT_TRUE(heard.messages.empty());
  }
}

// However the stream is cut, and whatever of it is changed, the session gives an error or goes on;
// cut differently, the same bytes say the same.
TEST(Session, AHostileBrokerGetsNoFurtherThanItsSession) {
  const std::vector<PacketBytes> seeds = {
      kConnack,
      Hex("20 29 00 00 26 11 0000 000a 21 0014 24 01 25 00 27 0000 2000 12 0003 616263 22 000a"
          "1f 0001 61 28 01 29 00 2a 01 13 000f"),
      Hex("32 0e 0001 61 0007 06 08 0003 782f79 6869"),
      Hex("30 1a 0003 612f62 0c 26 0001 6b 0001 76 0b ff ff 03 09 0000 7061796c6f"),
      Hex("40 02 0001"),
      Hex("40 04 0002 10 00"),
      Hex("90 04 0003 00 01"),
      Hex("b0 04 0004 00 00"),
      Hex("d0 00"),
      Hex("e0 02 8b 00"),
  };
  std::mt19937 random(7);
  const auto below = [&](size_t n) {
    return std::uniform_int_distribution<size_t>(0, n - 1)(random);
  };
  size_t failed = 0, went_on = 0;
  std::set<std::string> words;
  for (int round = 0; round < 20'000; ++round) {
    PacketBytes stream = below(4) > 0 ? kConnack : PacketBytes();
    for (size_t n = 1 + below(6); n > 0; --n) {
      PacketBytes packet = seeds[below(seeds.size())];
      for (size_t changes = below(4); changes > 0; --changes) {
        const size_t at = below(packet.size());
        switch (below(4)) {
          case 0:
            packet[at] ^= static_cast<std::byte>(1U << below(8));
            break;
          case 1:
            packet[at] = static_cast<std::byte>(below(256));
            break;
          case 2:
            packet.insert(packet.begin() + static_cast<ptrdiff_t>(at),
                          static_cast<std::byte>(below(256)));
            break;
          default:
            if (packet.size() > 1) packet.erase(packet.begin() + static_cast<ptrdiff_t>(at));
        }
      }
      stream.insert(stream.end(), packet.begin(), packet.end());
    }
    std::string said[2];
    std::vector<std::string> messages[2];
    for (const bool whole : {true, false}) {
      Heard heard;
      MqttSession session({.client_id = "id", .user = "", .password = ""}, heard, 0s);
      Status status;
      for (std::span<const std::byte> rest = stream; status && !rest.empty();) {
        const size_t count = whole ? rest.size() : 1 + below(std::min<size_t>(rest.size(), 9));
        status =
            Feed(session, PacketBytes(rest.begin(), rest.begin() + static_cast<ptrdiff_t>(count)));
        rest = rest.subspan(count);
      }
      if (!status) said[whole] = status.error().message;
      messages[whole] = heard.messages;
      ++(status ? went_on : failed);
      words.insert(said[whole]);
    }
    ASSERT_EQ(said[0], said[1]);
    ASSERT_EQ(messages[0], messages[1]);
  }
  EXPECT_GT(failed, 1000U);
  EXPECT_GT(went_on, 1000U);
  EXPECT_GT(words.size(), 20U);
}

}  // namespace
}  // namespace fogline
