// Hostile devices against a fleet that is run as docs/operations.md says: deploy/'s own broker
// configuration and access list, certificates by `fogline keys`, cloud and edges as processes of
// the built binary. Whoever has no certificate, or one but wants more than its own topics, gets
// nowhere; each attempt leaves a line in a log, and honest devices are served all along.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <set>
#include <thread>

#include "base/file.h"
#include "base/hash.h"
#include "base/process.h"
#include "edge/mechanism.h"
#include "frame/frame.h"
#include "frame/topics.h"
#include "link/link.h"
#include "store/store.h"
#include "tests/line/http.h"
#include "tests/line/line.h"
#include "vision/folder.h"

namespace fogline {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

const std::filesystem::path kSource = FOGLINE_SOURCE_DIR;

void Replace(std::string& text, const std::string& from, const std::string& to) {
  ASSERT_NE(text.find(from), text.npos) << from << " is not in deploy/mosquitto/mosquitto.conf";
  for (size_t at = text.find(from); at != text.npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

/// Bytes of memory that a process holds now.
size_t Resident(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/statm");
  size_t pages = 0, resident = 0;
  status >> pages >> resident;
  return resident * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

class Client : public LinkHandler {
 public:
  void OnConnected() override {
    for (const std::string& filter : filters) (void)link->Subscribe(filter, 1);
    connected = true;
  }
  void OnDisconnected() override { connected = false; }
  void OnMessage(const Message& message) override {
    const std::lock_guard lock(mutex);
    topics.emplace(message.topic);
  }
  std::set<std::string> Topics() {
    const std::lock_guard lock(mutex);
    return topics;
  }
  std::vector<std::string> filters;
  std::atomic<bool> connected{false};
  std::unique_ptr<Link> link;

 private:
  std::mutex mutex;
  std::set<std::string> topics;
};

class Hostile : public ::testing::Test {
 protected:
  void SetUp() override {
    Run({"keys", Keys().string(), "--device", "cam-1", "cam-2"});
    Run({"keys", (dir_.path() / "foreign").string(), "--device", "cam-1"});
    acl_ = ReadTextFile(kSource / "deploy/mosquitto/acl").value();
    ASSERT_TRUE(WriteFile(dir_.path() / "acl", acl_));
    StartBroker("broker");
  }

  std::filesystem::path Keys() const { return dir_.path() / "keys"; }
  std::string Broker() const { return "mqtts://localhost:" + std::to_string(port_); }
  std::string EdgeLog() const { return Read(edge_log_); }
  std::string Read(const std::string& name) const {
    return ReadTextFile(dir_.path() / name).value_or("");
  }

  /// `certificate`.crt and .key of the keys folder are what it shows to its clients.
  void StartBroker(const std::string& certificate) {
    port_ = FreePort();
    std::string config = ReadTextFile(kSource / "deploy/mosquitto/mosquitto.conf").value();
    Replace(config, "listener 8883", "listener " + std::to_string(port_) + " 127.0.0.1");
    Replace(config, "/etc/fogline/keys/broker", (Keys() / certificate).string());
    Replace(config, "/etc/fogline/keys", Keys().string());
    Replace(config, "/etc/fogline/acl", (dir_.path() / "acl").string());
    // What is refused is told as debug only.
    config += "\nlog_type debug\nlog_type information\n";
    if (geteuid() == 0) config += "user root\n";
    ASSERT_TRUE(WriteFile(dir_.path() / "mosquitto.conf", config));
    auto process = Process::Start(
        {.command = {"/usr/sbin/mosquitto", "-c", (dir_.path() / "mosquitto.conf").string()},
         .capture_stdout = false,
         .stderr_to = dir_.path() / "broker.log"});
    ASSERT_TRUE(process) << process.error().ToString();
    broker_ = *std::move(process);
    ASSERT_TRUE(Until([&] { return Read("broker.log").find(" running") != std::string::npos; }))
        << Read("broker.log");
  }

  void StartCloud(const std::vector<std::string>& more = {}) {
    std::vector<std::string> command{FOGLINE_BINARY, "cloud",
                                     "--models",     (kSource / "models").string(),
                                     "--store",      "sqlite:" + (dir_.path() / "s.db").string(),
                                     "--broker",     Broker(),
                                     "--ca",         (Keys() / "ca.crt").string(),
                                     "--cert",       (Keys() / "cloud.crt").string(),
                                     "--key",        (Keys() / "cloud.key").string()};
    command.insert(command.end(), more.begin(), more.end());
    auto process = Process::Start(
        {.command = command, .capture_stdout = false, .stderr_to = dir_.path() / "cloud.log"});
    ASSERT_TRUE(process) << process.error().ToString();
    cloud_ = *std::move(process);
    ASSERT_TRUE(Until([&] { return Read("broker.log").find("u'cloud'") != std::string::npos; }))
        << Read("cloud.log") << Read("broker.log");
  }

  std::vector<std::string> EdgeCommand(const std::string& device,
                                       const std::filesystem::path& certificate) const {
    std::vector<std::string> command{FOGLINE_BINARY,
                                     "edge",
                                     "--json",
                                     "--device",
                                     device,
                                     "--broker",
                                     Broker(),
                                     "--model",
                                     kModel.string(),
                                     "--source",
                                     (kSource / "models/demo").string(),
                                     "--mechanism",
                                     "cloud-only",
                                     "--ca",
                                     (Keys() / "ca.crt").string()};
    if (!certificate.empty()) {
      command.insert(command.end(), {"--cert", certificate.string() + ".crt", "--key",
                                     certificate.string() + ".key"});
    }
    return command;
  }
  /// Its log is EdgeLog() until the next one starts.
  Process StartEdge(const std::string& device, const std::filesystem::path& certificate) {
    edge_log_ = "edge-" + std::to_string(++edges_) + ".log";
    auto process = Process::Start({.command = EdgeCommand(device, certificate),
                                   .capture_stdout = true,
                                   .stderr_to = dir_.path() / edge_log_});
    EXPECT_TRUE(process) << process.error().ToString();
    return *std::move(process);
  }
  /// An honest device, from its first picture to its last answer.
  void ExpectServed(const std::string& device) {
    const size_t before = Stored(device);
    Process edge = StartEdge(device, Keys() / "devices" / device);
    (void)edge.ReadStdout();
    EXPECT_EQ(edge.Wait(), 0) << EdgeLog();
    EXPECT_EQ(Stored(device), before + ListImages(kSource / "models/demo")->size());
  }

  size_t Stored(const std::string& device) {
    const auto store = OpenStore("sqlite:" + (dir_.path() / "s.db").string());
    EXPECT_TRUE(store) << store.error().ToString();
    if (!store) return 0;
    return (*store)->Query({.devices = {device}}, Order::kOldestFirst, 10'000)->size();
  }

  std::unique_ptr<Client> Connect(const std::string& name, std::vector<std::string> filters) {
    auto client = std::make_unique<Client>();
    client->filters = std::move(filters);
    LinkOptions options;
    options.broker = *ParseBroker(Broker());
    options.name = "hostile-" + name;
    options.ca_file = Keys() / "ca.crt";
    options.cert_file = Keys() / "devices" / (name + ".crt");
    options.key_file = Keys() / "devices" / (name + ".key");
    client->link = Link::Make(options, *client).value();
    client->link->Start();
    EXPECT_TRUE(Until([&] { return client->connected.load(); })) << Read("broker.log");
    return client;
  }

  void Run(std::vector<std::string> command) {
    command.insert(command.begin(), FOGLINE_BINARY);
    auto process = Process::Start({.command = command, .capture_stdout = true, .stderr_to = {}});
    ASSERT_TRUE(process);
    (void)process->ReadStdout();
    ASSERT_EQ(process->Wait(), 0);
  }

  TempDir dir_;
  int port_ = 0;
  std::string acl_, edge_log_;
  int edges_ = 0;
  Process broker_ = Process::None();
  Process cloud_ = Process::None();
};

TEST_F(Hostile, WithoutACertificateOfTheFleetNobodyConnects) {
  StartCloud();
  for (const auto& certificate : {std::filesystem::path(), dir_.path() / "foreign/devices/cam-1"}) {
    Process edge = StartEdge("cam-1", certificate);
    ASSERT_TRUE(Until([&] { return CountOf(EdgeLog(), "trying again") > 0; }));
    EXPECT_TRUE(edge.Running()) << "it goes on trying";
    ASSERT_TRUE(Until([&] {
      return CountOf(Read("broker.log"), certificate.empty() ? "peer did not return a certificate"
                                                             : "certificate verify failed") > 1;
    })) << Read("broker.log");
    EXPECT_EQ(CountOf(EdgeLog(), "trying again"), 1U) << EdgeLog();
  }
  ExpectServed("cam-1");
}

// A broker lets each write below the name on its certificate alone.
TEST_F(Hostile, TwoCamerasOfOneEdgeShowACertificateEach) {
  StartCloud();
  std::vector<std::string> command = EdgeCommand("", Keys() / "devices/{device}");
  const auto device = std::ranges::find(command, "--device");
  command.erase(device, device + 2);
  const std::string pictures = (kSource / "models/demo").string();
  *(std::ranges::find(command, "--source") + 1) = "cam-1=" + pictures;
  command.insert(command.end(), {"--source", "cam-2=" + pictures});
  edge_log_ = "edge.log";
  auto edge = Process::Start(
      {.command = command, .capture_stdout = true, .stderr_to = dir_.path() / edge_log_});
  ASSERT_TRUE(edge) << edge.error().ToString();
  (void)edge->ReadStdout();
  EXPECT_EQ(edge->Wait(), 0) << EdgeLog() << Read("broker.log");
  for (const char* name : {"cam-1", "cam-2"}) {
    EXPECT_EQ(Stored(name), ListImages(pictures)->size());
    EXPECT_THAT(Read("broker.log"), HasSubstr(fmt::format("u'{}'", name)));
  }
}

// A device's certificate was taken out of its box and now answers for the broker.
TEST_F(Hostile, ADeviceCannotPoseAsTheBroker) {
  broker_.Stop();
  StartBroker("devices/cam-2");
  Process edge = StartEdge("cam-1", Keys() / "devices/cam-1");
  ASSERT_TRUE(Until([&] { return CountOf(EdgeLog(), "trying again") > 0; }));
  EXPECT_THAT(Read("broker.log"), Not(HasSubstr("u'cam-1'")));
}

TEST_F(Hostile, ADeviceWritesItsOwnTopicsOnlyAndIsToldSo) {
  StartCloud();
  Process edge = StartEdge("cam-2", Keys() / "devices/cam-1");
  ASSERT_TRUE(Until([&] { return CountOf(EdgeLog(), "refuses what is published") > 0; }))
      << EdgeLog() << Read("broker.log");
  edge.Stop();
  EXPECT_EQ(CountOf(EdgeLog(), "refuses what is published"), 1U);
  EXPECT_EQ(CountOf(EdgeLog(), "trying again"), 0U) << EdgeLog();
  EXPECT_THAT(EdgeLog(), HasSubstr("cam-1.crt: is cam-1's"));
  EXPECT_THAT(Read("broker.log"), HasSubstr("Denied PUBLISH from"));
  // Answers are the cloud's to give, and its topics are not there to be listened to. The broker
  // takes every subscription: a share of a group whose name is known would be frames gone.
  const auto spy = Connect("cam-2", {"#", "fogline/v1/+/frame", "fogline/v1/cam-1/ack/+",
                                     "$share/cloud/fogline/v1/+/frame"});
  for (const std::string topic : {"fogline/v1/cam-1/ack/0000000000000000", "fogline/v1/cam-1/hello",
                                  "fogline/v1/cam-2/ack/0000000000000000", "$SYS/x"}) {
    (void)spy->link->Publish(topic, std::as_bytes(std::span("lie")), 1);
  }
  ExpectServed("cam-1");
  spy->link->Stop();
  for (const std::string& topic : spy->Topics()) {
    EXPECT_TRUE(topic.starts_with("fogline/v1/cam-2/")) << "heard " << topic;
  }
  EXPECT_EQ(Stored("cam-2"), 0U);
}

TEST_F(Hostile, FramesOfOthersAndRepeatedOnesAreStoredOnce) {
  StartCloud();
  ExpectServed("cam-1");
  const Network network = LoadNetwork(kModel).value();
  MechanismOptions options;
  options.cut = "input";
  const auto mechanism = Mechanism::Make(network, options).value();
  const Picture picture = LoadPicture(ListImages(kSource / "models/demo")->at(0), 320).value();
  Prepared prepared;
  ASSERT_TRUE(mechanism->Process(picture.image, prepared));
  Frame frame;
  frame.device = "cam-2";
  frame.run = 99;
  mechanism->Stamp(frame);
  frame.payloads = prepared.payloads;
  std::vector<std::byte> mine, others;
  ASSERT_TRUE(WriteFrame(frame, mine));
  frame.device = "cam-1";
  ASSERT_TRUE(WriteFrame(frame, others));

  const auto device = Connect("cam-2", {});
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(device->link->Publish(FrameTopic("cam-2"), mine, 1));
    ASSERT_TRUE(device->link->Publish(FrameTopic("cam-2"), others, 1));
  }
  ASSERT_TRUE(Until([&] { return Stored("cam-2") > 0; })) << Read("cloud.log");
  ASSERT_TRUE(Until([&] {
    return Read("cloud.log").find("names another device than its topic") != std::string::npos;
  }));
  ExpectServed("cam-1");  // and every frame before it has been looked at
  EXPECT_EQ(Stored("cam-2"), 1U);
}

TEST_F(Hostile, WhatIsLargerThanAFrameEndsTheConnection) {
  StartCloud();
  const std::filesystem::path large = dir_.path() / "large";
  ASSERT_TRUE(WriteFile(large, std::string(17 << 20, 'x')));
  // An MQTT 3 client is not told of the limit, and tries.
  auto publisher = Process::Start(
      {.command = {"mosquitto_pub", "-V", "mqttv311", "-h", "localhost", "-p",
                   std::to_string(port_), "--cafile", Keys() / "ca.crt", "--cert",
                   Keys() / "devices/cam-2.crt", "--key", Keys() / "devices/cam-2.key", "-q", "1",
                   "-t", FrameTopic("cam-2"), "-f", large},
       .capture_stdout = false,
       .stderr_to = dir_.path() / "publisher.log"});
  ASSERT_TRUE(publisher) << publisher.error().ToString();
  ASSERT_TRUE(Until([&] {
    return Read("broker.log").find("oversize packet") != std::string::npos;
  })) << Read("broker.log");
  publisher->Stop();
  ExpectServed("cam-1");
  EXPECT_EQ(Stored("cam-2"), 0U);
}

/// A JPEG that says it is 65500 pixels each way: its header, and nothing behind.
std::vector<std::byte> JpegBomb() {
  auto jpeg = ReadFile(ListImages(kSource / "models/demo")->at(0)).value();
  for (size_t i = 0; i + 8 < jpeg.size(); ++i) {
    const auto marker = std::to_integer<int>(jpeg[i + 1]);
    if (jpeg[i] != std::byte{0xff} || (marker != 0xc0 && marker != 0xc2)) continue;
    for (const size_t at : {i + 5, i + 7})
      jpeg[at] = std::byte{0xff}, jpeg[at + 1] = std::byte{0xdc};
    return jpeg;
  }
  return jpeg;
}

TEST_F(Hostile, BombsAreRefusedUnopened) {
  StartCloud();
  ExpectServed("cam-1");
  const size_t before = Resident(cloud_.pid());
  const auto device = Connect("cam-2", {});
  const Network network = LoadNetwork(kModel).value();
  const std::vector<std::byte> bomb = JpegBomb();
  const std::vector<std::byte> noise(20'000, std::byte{0x7f});
  uint64_t sequence = 0;
  const auto send = [&](const std::string& cut, const Payload& payload) {
    MechanismOptions options;
    options.cut = cut;
    const auto mechanism = Mechanism::Make(network, options).value();
    Frame frame;
    frame.device = "cam-2";
    frame.sequence = sequence++;
    mechanism->Stamp(frame);
    frame.payloads.assign(Frame::kMaxPayloads, payload);
    for (size_t i = 1; i < frame.payloads.size(); ++i) frame.payloads[i].role = Role::kThumbnail;
    std::vector<std::byte> bytes;
    if (WriteFrame(frame, bytes)) {
      ASSERT_TRUE(device->link->Publish(FrameTopic("cam-2"), bytes, 1));
    }
  };
  const Shape huge{46340, 46340, 1}, exact{network.card.height, network.card.width, 3};
  send("input", {Role::kActivation, 4, 90, DType::kU8, exact, bomb});
  send("input", {Role::kActivation, 5, 90, DType::kU8, exact, noise});
  send("input", {Role::kActivation, 4, 90, DType::kU8, huge, bomb});
  send("split13", {Role::kActivation, 3, 4, DType::kF32, huge, noise});
  send("split13", {Role::kActivation, 3, 8, DType::kF32, Shape{1, 160, 5, 5}, noise});
  send("split13", {Role::kActivation, 1, 0, DType::kF32, Shape{1, 160, 5, 5}, noise});
  send("output", {Role::kResult, 0, 0, DType::kF32, huge, noise});
  // Under the same sequences, so that they would be duplicates if the first had been stored.
  ExpectServed("cam-1");
  EXPECT_EQ(Stored("cam-2"), 0U);
  EXPECT_GE(CountOf(Read("cloud.log"), "device cam-2"), 1U) << Read("cloud.log");
  EXPECT_LT(Resident(cloud_.pid()), before + (200 << 20));
  EXPECT_TRUE(cloud_.Running());
}

TEST_F(Hostile, AStolenDeviceIsLockedOutByTwoLinesAndASignal) {
  StartCloud();
  ExpectServed("cam-2");
  const size_t before = Stored("cam-2");
  ASSERT_TRUE(WriteFile(dir_.path() / "acl", acl_ + "\nuser cam-2\ntopic deny fogline/v1/#\n"));
  broker_.Signal(SIGHUP);
  ASSERT_TRUE(Until([&] {
    return Read("broker.log").find("Reloading config") != std::string::npos;
  })) << Read("broker.log");
  Process edge = StartEdge("cam-2", Keys() / "devices/cam-2");
  ASSERT_TRUE(Until([&] { return CountOf(EdgeLog(), "refuses what is published") > 0; }))
      << EdgeLog();
  edge.Stop();
  ExpectServed("cam-1");
  EXPECT_EQ(Stored("cam-2"), before);
}

// Whoever can connect can throw others off by their client ids, or fill the broker.
TEST_F(Hostile, ARevokedDeviceCannotConnectAndItsNameCanBeGivenAnew) {
  StartCloud();
  ExpectServed("cam-2");
  // What the thief holds.
  const auto stolen = dir_.path() / "stolen";
  for (const char* end : {".crt", ".key"}) {
    std::filesystem::copy_file(Keys() / "devices" / ("cam-2" + std::string(end)),
                               stolen.string() + end);
  }
  Run({"keys", Keys().string(), "--revoke", "cam-2"});
  broker_.Signal(SIGHUP);
  ASSERT_TRUE(Until([&] {
    return Read("broker.log").find("Reloading config") != std::string::npos;
  })) << Read("broker.log");
  Process edge = StartEdge("cam-2", stolen);
  ASSERT_TRUE(Until([&] { return CountOf(EdgeLog(), "trying again") > 0; })) << EdgeLog();
  EXPECT_THAT(Read("broker.log"), HasSubstr("certificate verify failed"));
  edge.Stop();
  ExpectServed("cam-1");
  Run({"keys", Keys().string(), "--device", "cam-2"});
  ExpectServed("cam-2");
}

bool IsHealthy(int port) {
  auto health =
      Process::Start({.command = {FOGLINE_BINARY, "health",
                                  "http://127.0.0.1:" + std::to_string(port) + "/healthz"},
                      .capture_stdout = false,
                      .stderr_to = "/dev/null"});
  return health && health->Wait() == 0;
}

// 300 connections that drip their requests: the others are served meanwhile, and the drips end.
TEST_F(Hostile, SlowRequestsHoldUpNobodyAndEnd) {
  const int http = FreePort();
  StartCloud({"--http", "127.0.0.1:" + std::to_string(http)});
  ASSERT_TRUE(Until([&] { return IsHealthy(http); })) << Read("cloud.log");
  std::vector<pollfd> drips;
  for (int i = 0; i < 300; ++i) {
    const int fd = Dial(http);
    ASSERT_GE(fd, 0);
    constexpr std::string_view kHalf = "GET / HTTP/1.1\r\nHost: 127.0";
    ASSERT_EQ(send(fd, kHalf.data(), kHalf.size(), MSG_NOSIGNAL), ssize_t{kHalf.size()});
    drips.push_back({fd, POLLIN, 0});
  }
  EXPECT_TRUE(IsHealthy(http));
  // Nothing is written to the map: there is no method for it.
  const int fd = Dial(http);
  constexpr std::string_view kPost =
      "POST /api/detections HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
  ASSERT_EQ(send(fd, kPost.data(), kPost.size(), MSG_NOSIGNAL), ssize_t{kPost.size()});
  char answer[64] = {};
  EXPECT_GT(recv(fd, answer, sizeof(answer) - 1, 0), 0);
  EXPECT_THAT(answer, HasSubstr("405"));
  close(fd);
  // Every one of them hears the end of its connection.
  EXPECT_TRUE(Until([&] {
    poll(drips.data(), drips.size(), 100);
    return std::all_of(drips.begin(), drips.end(), [](const pollfd& p) { return p.revents != 0; });
  }));
  for (const pollfd& drip : drips) close(drip.fd);
  EXPECT_TRUE(IsHealthy(http));
  EXPECT_EQ(CountOf(Read("cloud.log"), "cut off before their request was whole"), 1U);
}

// Addresses with passwords, in every way that they could end up in a log.
TEST_F(Hostile, NoLogRepeatsAPassword) {
  const std::string port = std::to_string(FreePort());
  const std::vector<std::vector<std::string>> uses{
      {"edge", "--broker", "mqtt://me:hunter2@127.0.0.1:" + port, "--drain", "0.1", "--count", "1",
       "--model", kModel.string(), "--source", (kSource / "models/demo").string(), "--mechanism",
       "cloud-only", "--verbose"},
      {"edge", "--broker", "mqtt//me:hunter2@x", "--model", kModel.string(), "--source", "/",
       "--mechanism", "cloud-only"},
      {"cloud", "--models", (kSource / "models").string(), "--store",
       "redis://:hunter2@127.0.0.1:" + port},
      {"cloud", "--models", (kSource / "models").string(), "--store", "redis:/:hunter2@127.0.0.1"},
      {"map", "--store", "mysql://me:hunter2@127.0.0.1"},
  };
  for (const auto& use : uses) {
    std::vector<std::string> command = use;
    command.insert(command.begin(), FOGLINE_BINARY);
    auto process = Process::Start(
        {.command = command, .capture_stdout = true, .stderr_to = dir_.path() / "secret.log"});
    ASSERT_TRUE(process);
    const std::string out = process->ReadStdout().value_or("");
    EXPECT_NE(process->Wait(), 0);
    EXPECT_THAT(out, Not(HasSubstr("hunter2")));
    EXPECT_THAT(Read("secret.log"), Not(HasSubstr("hunter2")));
    EXPECT_THAT(Read("secret.log"), Not(::testing::IsEmpty()));
  }
}

TEST_F(Hostile, KeysAreTheOwnersAloneAndKeptWhenDevicesAreAdded) {
  const auto first = ReadTextFile(Keys() / "devices/cam-1.key").value();
  Run({"keys", Keys().string(), "--device", "cam-1", "cam-3"});
  EXPECT_EQ(ReadTextFile(Keys() / "devices/cam-1.key").value(), first);
  for (const char* key : {"ca.key", "broker.key", "cloud.key", "devices/cam-3.key"}) {
    EXPECT_EQ(std::filesystem::status(Keys() / key).permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write)
        << key;
  }
  for (const char* taken : {"cloud", "broker", "../ca", "a,b"}) {
    auto refused =
        Process::Start({.command = {FOGLINE_BINARY, "keys", Keys().string(), "--device", taken},
                        .capture_stdout = true,
                        .stderr_to = dir_.path() / "keys.log"});
    ASSERT_TRUE(refused);
    (void)refused->ReadStdout();
    EXPECT_EQ(refused->Wait(), 2) << taken;
  }
}

}  // namespace
}  // namespace fogline
