// The table "What bounds memory" of docs/operations.md, walked by whoever wants a process dead: a
// cloud and a map under the memory limits of their own units are named every cut of a large model,
// flooded with frames as large as may be, given names without end, and asked for more than
// anybody reads. Nothing dies, what is honest is stored, and the metrics that the table names are
// there.
#include <cstdlib>
#include <limits>
#include <regex>
#include <set>
#include <sstream>

#include "base/random.h"
#include "frame/ack.h"
#include "frame/topics.h"
#include "graph/test_model.h"
#include "link/link.h"
#include "tests/line/http.h"
#include "tests/line/memory_limit.h"
#include "tests/line/reliability.h"
#include "vision/network.h"

namespace fogline {
namespace {

using fogline::test::TestModel;

/// One connection that sends frames of any device and hears what became of them.
class Attacker final : private LinkHandler {
 public:
  explicit Attacker(const std::string& broker) {
    LinkOptions options;
    options.broker = *ParseBroker(broker);
    options.name = "attacker";
    link_ = Link::Make(options, *this).value();
    link_->Start();
    EXPECT_TRUE(Until([&] { return ready_.load(); }));
  }
  ~Attacker() override { link_->Stop(); }

  void Send(Frame& frame) {
    std::vector<std::byte> bytes;
    ASSERT_TRUE(WriteFrame(frame, bytes));
    (void)link_->Publish(FrameTopic(frame.device), bytes, 1, AckTopic(frame.device, 1));
  }
  /// Until it is stored.
  void Insist(Frame& frame) {
    const uint64_t before = stored_;
    ASSERT_TRUE(Until([&] {
      const uint64_t answered = answered_;
      Send(frame);
      // Nobody answers one that was sent before the cloud listened.
      Until([&] { return answered_ > answered; }, std::chrono::seconds(1));
      return stored_ > before;
    })) << frame.device
        << " " << frame.sequence;
  }

  uint64_t stored() const { return stored_; }
  uint64_t answered() const { return answered_; }

 private:
  void OnConnected() override {
    ready_ = link_->Subscribe(AckTopicPrefix("+") + "#", 0).has_value();
  }
  void OnDisconnected() override {}
  void OnMessage(const Message& message) override {
    const auto ack = ParseAck(message.payload);
    if (!ack) return;
    if (ack->status == AckStatus::kStored || ack->status == AckStatus::kDuplicate) ++stored_;
    ++answered_;
  }

  std::unique_ptr<Link> link_;
  std::atomic<bool> ready_{false};
  std::atomic<uint64_t> stored_{0}, answered_{0};
};

/// The cells of a row of a table in Markdown, without blanks around them.
std::vector<std::string> CellsOf(const std::string& row) {
  std::vector<std::string> cells;
  std::istringstream rest(row.substr(1));
  for (std::string cell; std::getline(rest, cell, '|');) {
    const size_t begin = std::min(cell.find_first_not_of(' '), cell.size());
    cells.push_back(cell.substr(begin, cell.find_last_not_of(' ') + 1 - begin));
  }
  return cells;
}

/// The metrics that the table names for a process, with their labels.
std::set<std::string> MetricsOf(const std::string& process) {
  const auto file = std::filesystem::path(FOGLINE_SOURCE_DIR) / "docs/operations.md";
  const std::string text = ReadTextFile(file).value();
  std::istringstream lines(text.substr(text.find("### What bounds memory")));
  std::set<std::string> names;
  bool inside = false;
  for (std::string line; std::getline(lines, line) && !(inside && line.empty());) {
    if (line.starts_with("| process |")) inside = true;
    if (!inside || line.starts_with("|---") || line.starts_with("| process |")) continue;
    const std::vector<std::string> cells = CellsOf(line);
    EXPECT_EQ(cells.size(), 5U) << line;
    const std::string& metrics = cells.back();
    EXPECT_TRUE(metrics.starts_with("`fogline_") || metrics.starts_with("none: ")) << line;
    if (cells[0].find(process) == std::string::npos) continue;
    const std::regex name("`(fogline_[^`]+)`");
    for (std::sregex_iterator at(metrics.begin(), metrics.end(), name), end; at != end; ++at) {
      names.insert((*at)[1]);
    }
  }
  return names;
}

/// A page of metrics has every one that the table names.
void ExpectMetricsOf(const std::string& process, const std::string& page) {
  const std::set<std::string> names = MetricsOf(process);
  EXPECT_GE(names.size(), 5U);
  for (const std::string& name : names) {
    const bool labelled = name.ends_with('}');
    const bool there = page.find("\n" + name + " ") != std::string::npos ||
                       (!labelled && page.find("\n" + name + "{") != std::string::npos);
    EXPECT_TRUE(there) << process << " has no " << name;
  }
}

class Budgets : public Reliability {
 protected:
  static constexpr int kLayers = 24, kWide = 1024;  // 4 MiB of weights a layer

  /// Layers one after the other; what crosses between them is 16 KiB.
  void WriteLargeNetwork() {
    TestModel m;
    m.Input("x", {"1", "3", "2", "2"});
    std::string last = "x";
    for (int i = 0; i < kLayers; ++i) {
      const std::string n = std::to_string(i);
      m.Conv(last, "c" + n, i == 0 ? 3 : kWide, kWide, 1);
      last = "r" + n;
      m.Node("Relu", {"c" + n}, {last});
    }
    m.Output(last);
    ASSERT_TRUE(WriteFile(folder_ / "large.onnx", m.Bytes()));
  }

  Process StartUnder(const MemoryLimit& limit, std::vector<std::string> command) {
    std::vector<std::string> words = limit.words();
    words.insert(words.end(), command.begin(), command.end());
    auto started = Process::Start(
        {.command = words, .capture_stdout = true, .stderr_to = dir_.path() / "cloud.log"});
    EXPECT_TRUE(started) << started.error().ToString();
    return *std::move(started);
  }
  std::string CloudLog() const { return ReadTextFile(dir_.path() / "cloud.log").value_or(""); }

  /// Connections that ask for much and read nothing.
  void AskAndNeverRead(int port, const std::string& target, int connections) {
    const std::string request = "GET " + target + " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    for (int i = 0; i < connections; ++i) {
      const int fd = Dial(port);
      ASSERT_GE(fd, 0);
      deaf_.push_back(fd);
      EXPECT_GT(send(fd, request.data(), request.size(), MSG_NOSIGNAL), 0);
    }
  }
  void HangUp() {
    for (const int fd : deaf_) close(fd);
    deaf_.clear();
  }
  void TearDown() override {
    HangUp();
    Reliability::TearDown();
  }
  static bool Answers(int port, const std::string& target) {
    std::string answer;
    const bool answers = Until([&] {
      answer = HttpGet(port, target);
      return answer.starts_with("HTTP/1.1 200 ");
    });
    EXPECT_TRUE(answers) << target << "\n"
                         << answer.substr(answer.size() - std::min<size_t>(answer.size(), 300));
    return answers;
  }
  /// As soon as there is one: who has asked for much is turned away first.
  static std::string Metrics(int port) {
    std::string page;
    EXPECT_TRUE(Until([&] {
      page = HttpGet(port, "/metrics");
      return page.find("\nfogline_http_connections ") != page.npos;
    })) << page.substr(0, 200);
    return page;
  }

  static std::string RandomText(size_t bytes) {
    std::string text = std::to_string(RandomBits());
    text.resize(bytes, 'x');
    return text;
  }

  /// A gauge of a process's /metrics now; nothing where it has none of this name.
  static double Gauge(int port, const std::string& name) {
    const std::string page = Metrics(port);
    const size_t at = page.find("\n" + name + " ");
    if (at == page.npos) return std::numeric_limits<double>::quiet_NaN();
    return std::atof(page.c_str() + at + name.size() + 2);
  }
  /// What docs/operations.md says of a cloud.
  static void ExpectWithinBounds(int port) {
    constexpr double kMiB = 1 << 20;
    EXPECT_LE(Gauge(port, "fogline_cloud_network_bytes"), 1024 * kMiB);
    EXPECT_LE(Gauge(port, "fogline_cloud_waiting_bytes"), 64 * kMiB);
    EXPECT_LE(Gauge(port, "fogline_cloud_result_bytes"), 64 * kMiB);
    EXPECT_LE(Gauge(port, "fogline_cloud_unsent_bytes"), 256 * kMiB);
    EXPECT_LE(Gauge(port, "fogline_cloud_window_bytes"), 16 * kMiB);
    EXPECT_LE(Gauge(port, R"(fogline_cloud_remembered{what="watched devices"})"), 100'000);
    EXPECT_LE(Gauge(port, R"(fogline_cloud_remembered{what="devices in trouble"})"), 1000);
    EXPECT_LE(Gauge(port, R"(fogline_cloud_remembered{what="costs"})"), 1024);
    ExpectWebWithinBounds(port, 2e6);
  }
  /// And of what a server of pages has.
  static void ExpectWebWithinBounds(int port, double mirrored_rows) {
    constexpr double kMiB = 1 << 20;
    EXPECT_LE(Gauge(port, "fogline_http_answer_bytes"), 128 * kMiB);
    EXPECT_LE(Gauge(port, "fogline_store_mirrored_rows"), mirrored_rows);
    EXPECT_LE(Gauge(port, "fogline_store_mirrored_bytes"), mirrored_rows * 60 + 160 * kMiB);
    EXPECT_LE(Gauge(port, "fogline_store_name_bytes"), 3 * 33 * kMiB);
    EXPECT_LE(Gauge(port, R"(fogline_web_remembered{what="time lines"})"), 64);
    EXPECT_LE(Gauge(port, R"(fogline_web_remembered{what="devices of the fleet"})"), 2000);
  }

  const std::filesystem::path folder_ = dir_.path() / "models";
  std::vector<int> deaf_;
};

TEST_F(Budgets, ACloudLivesThroughWhateverItIsSentWithinItsUnitsMemory) {
  std::filesystem::create_directory(folder_);
  WriteLargeNetwork();
  std::filesystem::copy_file(kModel, folder_ / "litter.onnx");
  std::filesystem::copy_file(kModels / "litter.toml", folder_ / "litter.toml");
  const MemoryLimit limit("fogline-cloud");
  const int port = FreePort();
  const std::string store = "sqlite:" + (dir_.path() / "test.db").string();
  Process cloud = StartUnder(
      limit, {FOGLINE_BINARY, "cloud", "--json", "--broker", broker_->url(), "--models",
              folder_.string(), "--store", store, "--http", "127.0.0.1:" + std::to_string(port)});
  Attacker attacker(broker_->url());

  // Every cut of the large network: without sharing and without --memory they are 2.3 GiB.
  const Network large = LoadNetwork(folder_ / "large.onnx").value();
  Frame frame;
  frame.device = "cuts";
  frame.model = ShortId(large.model.hash());
  const std::vector<std::byte> numbers(static_cast<size_t>(kWide) * 4 * sizeof(float));
  for (int i = 0; i < kLayers - 1; ++i) {
    const Cut cut = FindCut(large.model, "r" + std::to_string(i)).value();
    frame.cut = cut.id;
    frame.payloads = {{Role::kActivation, static_cast<uint8_t>(CodecKind::kF32), 0,
                       cut.tensors[0].dtype, cut.tensors[0].shape, numbers,
                       TensorId(cut.tensors[0].name)}};
    attacker.Insist(frame);
    ++frame.sequence;
  }

  constexpr double kWeights = double{kLayers - 1} * kWide * kWide * sizeof(float);
  EXPECT_GE(Gauge(port, "fogline_cloud_network_bytes"), kWeights);
  ExpectWithinBounds(port);

  // Frames as large as they may be, of several devices.
  const std::vector<std::byte> much(15 << 20);
  frame.payloads[0].bytes = much;
  const uint64_t answered = attacker.answered();
  for (uint64_t i = 0; i < 12; ++i) {
    frame.device = "large" + std::to_string(i % 3);
    frame.sequence = i;
    attacker.Send(frame);
  }
  ExpectWithinBounds(port);
  EXPECT_TRUE(Until([&] { return attacker.answered() >= answered + 12; }));

  // Names of devices, labels and boxes, never the same twice.
  const Network litter = LoadNetwork(kModel).value();
  frame.model = ShortId(litter.model.hash());
  frame.cut = ListCuts(litter.model)->back().id;
  constexpr uint64_t kNames = 3000;
  const uint64_t stored = attacker.stored();
  for (uint64_t i = 0; i < kNames; ++i) {
    frame.device = RandomText(Frame::kMaxDeviceName);
    std::vector<FoundBox> boxes(20, {"", 0.5F, 0, 0, 1, 1});
    for (FoundBox& box : boxes) box.label = RandomText(200);
    std::vector<std::byte> result;
    WriteResult({1, 0.5F, true, RandomText(200), BoxFindings{boxes, 0}}, result);
    frame.payloads = {{Role::kResult, 0, 0, DType::kUndefined, {}, result}};
    attacker.Send(frame);
  }
  ExpectWithinBounds(port);
  EXPECT_TRUE(Until([&] { return attacker.stored() >= stored + kNames; }));

  // Counts over all of those names, and more answers than anybody takes.
  for (const char* target :
       {"/api/hexagons?level=8", "/api/found", "/api/timeline", "/api/inventory"}) {
    EXPECT_TRUE(Answers(port, target)) << target;
  }
  AskAndNeverRead(port, "/api/detections?limit=10000", 60);
  AskAndNeverRead(port, "/api/events", 60);
  EXPECT_NE(HttpGet(port, "/healthz").find("200 OK"), std::string::npos);

  std::vector<std::byte> result;
  WriteResult({1, 0.5F, true, "litter", {}}, result);
  frame.payloads = {{Role::kResult, 0, 0, DType::kUndefined, {}, result}};
  frame.device = "honest";
  frame.sequence = 0;
  attacker.Insist(frame);
  HangUp();
  ExpectWithinBounds(port);
  EXPECT_GE(Gauge(port, "fogline_store_mirrored_rows"), kNames);
  ExpectMetricsOf("cloud", Metrics(port));
  EXPECT_TRUE(cloud.Running());
  EXPECT_EQ(cloud.Stop(std::chrono::seconds(60)), 0) << CloudLog();
  limit.ExpectHeld(cloud);
}

TEST_F(Budgets, AMapLivesThroughWhateverItIsAskedWithinItsUnitsMemory) {
  // Rows with names that are all different, and as many boxes as a mirror takes.
  constexpr size_t kRows = 20'000, kBatch = 1000;
  for (uint64_t first = 0; first < kRows; first += kBatch) {
    std::vector<Detection> batch(kBatch);
    for (size_t i = 0; i < kBatch; ++i) {
      Detection& d = batch[i];
      d.device = RandomText(kMaxDeviceBytes);
      d.sequence = first + i;
      d.label = RandomText(kMaxTextBytes);
      d.mechanism = "edge-only";
      std::vector<FoundBox> boxes(8, {"", 0.5F, 0, 0, 1, 1});
      for (FoundBox& box : boxes) box.label = RandomText(40);
      d.findings = BoxFindings{std::move(boxes), 0};
    }
    ASSERT_TRUE(store_->Put(batch));
  }
  const MemoryLimit limit("fogline-map");
  const int port = FreePort();
  Process map = StartUnder(
      limit, {FOGLINE_BINARY, "map", "--store", "sqlite:" + (dir_.path() / "test.db").string(),
              "--http", "127.0.0.1:" + std::to_string(port)});
  ASSERT_TRUE(Until([&] { return !HttpGet(port, "/healthz").empty(); })) << CloudLog();
  for (int i = 0; i < 70; ++i) {  // more time lines and filters than are kept
    EXPECT_TRUE(Answers(port, "/api/timeline?bins=1000&label=" + std::to_string(i)));
  }
  EXPECT_TRUE(Answers(port, "/api/found?found_least=1"));
  AskAndNeverRead(port, "/api/detections?limit=10000", 250);
  AskAndNeverRead(port, "/api/detections?limit=10000&format=csv", 50);
  AskAndNeverRead(port, "/api/events?after=" + store_->epoch() + "-1", 250);
  EXPECT_NE(HttpGet(port, "/healthz").find("200 OK"), std::string::npos);
  HangUp();
  ExpectWebWithinBounds(port, 6e6);
  EXPECT_EQ(Gauge(port, "fogline_store_mirrored_rows"), kRows);
  EXPECT_GT(Gauge(port, R"(fogline_web_remembered{what="time lines"})"), 1);
  ExpectMetricsOf("map", Metrics(port));
  EXPECT_EQ(map.Stop(std::chrono::seconds(60)), 0) << CloudLog();
  limit.ExpectHeld(map);
}

TEST_F(Budgets, AnEdgeTellsOfEveryRowOfTheTable) {
  const std::filesystem::path file = dir_.path() / "edge.prom";
  RunEdge({"--cut", "split13", "--count", "2", "--drain", "0", "--metrics", file.string(),
           "--spool", SpoolOf("cam").string(), "--device", "cam"});
  EXPECT_EQ(status_, 0) << Log();
  ExpectMetricsOf("edge", ReadTextFile(file).value_or(""));
}

}  // namespace
}  // namespace fogline
