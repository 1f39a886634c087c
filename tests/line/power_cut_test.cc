// The power fails: at any moment of a run, what the disk then holds is rebuilt from the record of
// what was done to it (power_cut.h), with all that was not synced kept, dropped or torn. What was
// answered as stored is in the store, and what the spool has synced is in the spool.
#include <deque>
#include <functional>

#include "bench/mqtt_packets.h"
#include "edge/outbox.h"
#include "edge/spool_record.h"
#include "frame/ack.h"
#include "tests/line/power_cut.h"
#include "tests/line/reliability.h"

namespace fogline {
namespace {

namespace fs = std::filesystem;

class PowerCut : public Reliability {
 protected:
  void SetUp() override {
    Reliability::SetUp();
    fs::create_directory(root_);
  }
  std::vector<std::string> Recorded() const {
    return {"env", std::string("LD_PRELOAD=") + RECORDED_DISK, "DISK_ROOT=" + root_.string(),
            "DISK_LOG=" + (dir_.path() / "disk.log").string()};
  }

  /// Cuts the power at moments all over what was recorded: `seen` is told every event before it,
  /// `check` what the disk holds then.
  void CutOften(const std::function<void(const DiskEvent&, const CutDisk&)>& seen,
                const std::function<void()>& check) {
    const auto events = ReadDiskLog(dir_.path() / "disk.log");
    const size_t cuts = std::min<size_t>(events.size(), static_cast<size_t>(Rounds(30)));
    ASSERT_GT(cuts, 0U);
    CutDisk disk(root_);
    std::mt19937 random(std::random_device{}());
    const size_t every = events.size() / cuts, first = random() % every;
    for (size_t i = 0; i < events.size(); ++i) {
      if (i % every == first || i + 1 == events.size()) {
        for (const auto fate :
             {CutDisk::Fate::kDropped, CutDisk::Fate::kKept, CutDisk::Fate::kAnything}) {
          SCOPED_TRACE(fmt::format("before {} of {} events, fate {}", i, events.size(),
                                   static_cast<int>(fate)));
          disk.Rebuild(after_, fate, random);
          check();
          if (HasFailure()) return;
        }
      }
      disk.Apply(events[i]);
      seen(events[i], disk);
    }
  }

  const fs::path root_ = dir_.path() / "disk", after_ = dir_.path() / "after";
};

/// The answers in what a cloud sends to its broker, a stream of MQTT packets.
class AnswersSent {
 public:
  /// Stored or stored before, as far as whole packets came.
  const std::set<Name>& stored() const { return stored_; }

  void Add(const std::string& bytes) {
    stream_ += bytes;
    for (;;) {
      size_t length = 0, at = 1;
      for (;; ++at) {
        if (at >= stream_.size()) return;
        const auto digit = static_cast<unsigned char>(stream_[at]);
        length |= (digit & 127U) << (7 * (at - 1));
        if (digit < 128) break;
      }
      ++at;
      if (stream_.size() < at + length) return;
      const auto kind = static_cast<unsigned char>(stream_[0]);
      if (kind >> 4 == 3) Read((kind >> 1) & 3, stream_.substr(at, length));
      stream_.erase(0, at + length);
    }
  }

 private:
  void Read(int qos, std::string body) {
    const auto view = std::as_bytes(std::span(body));
    // Of QoS 1 a packet's number stands behind the topic.
    if (qos > 0) body.erase(2 + MqttPackets::Topic(view).size(), 2);
    const auto ack = ParseAck(MqttPackets::Payload(std::as_bytes(std::span(body))));
    // What only tells times is no frame to be stored.
    if (ack && ack->sequence < Outbox::kFirstTelling &&
        (ack->status == AckStatus::kStored || ack->status == AckStatus::kDuplicate)) {
      stored_.emplace(ack->run, ack->sequence);
    }
  }

  std::string stream_;
  std::set<Name> stored_;
};

TEST_F(PowerCut, WhatWasAnsweredAsStoredIsInTheStore) {
  before_cloud_ = Recorded();
  Process cloud = NewCloud("sqlite:" + (root_ / "s.db").string());
  RunEdge({"--mechanism", "edge-only", "--report", "all", "--loop", "--count", "300", "--device",
           "cam", "--drain", "60"});
  ASSERT_EQ(status_, 0) << Log();
  ASSERT_EQ(cloud.Stop(), 0);
  AnswersSent answers;
  size_t most = 0;
  const auto seen = [&](const DiskEvent& event, const CutDisk&) {
    if (event.what.kind == DiskRecord::kSent) answers.Add(event.bytes);
  };
  CutOften(seen, [&] {
    auto opened = OpenStore("sqlite:" + (after_ / "s.db").string());
    ASSERT_TRUE(opened) << opened.error().ToString();
    store_ = *std::move(opened);
    std::vector<Detection> rows;
    std::set<Name> names;
    for (const auto& row : Stored("cam")) {
      rows.push_back(row.detection);
      EXPECT_TRUE(names.emplace(row.detection.run, row.detection.sequence).second) << "twice";
    }
    for (const auto& [run, sequence] : answers.stored()) {
      EXPECT_TRUE(names.contains({run, sequence})) << sequence << " was answered, and is gone";
    }
    // Devices send again what they were not told of: none of that is new.
    if (!rows.empty()) {
      ASSERT_TRUE(store_->Put(rows));
      EXPECT_EQ(Stored("cam").size(), rows.size());
    }
    most = std::max(most, answers.stored().size());
  });
  EXPECT_EQ(most, 300U);
}

/// Which frames a spool's disk must keep, from what is done to it.
class SpoolWatch {
 public:
  /// Frames that were synced. A file's name is synced after its bytes, in the same round, and a
  /// round is no more than a few files: what was synced kRound syncs ago is wholly so.
  const std::set<Name>& kept() const { return kept_; }

  void See(const DiskEvent& event, const CutDisk& disk) {
    const DiskRecord& what = event.what;
    if (what.kind == DiskRecord::kCreate && event.path.ends_with(".spool")) {
      segments_[what.file] = std::stoull(fs::path(event.path).stem().string(), nullptr, 16);
    }
    if (what.kind == DiskRecord::kWrite && segments_.contains(what.file)) Written(event);
    if (what.kind == DiskRecord::kRemove) Removed(event.path);
    if (event.what.kind != DiskRecord::kSync) return;
    std::set<Name> synced;
    for (const auto& [path, bytes] : disk.SureBytes()) {
      if (path.ends_with(".spool")) Read(path, bytes, synced);
    }
    rounds_.push_back(std::move(synced));
    if (rounds_.size() < kRound) return;
    kept_.insert(rounds_.front().begin(), rounds_.front().end());
    rounds_.pop_front();
    for (const Name& name : done_) kept_.erase(name);
  }
  size_t done() const { return done_.size(); }

 private:
  static constexpr size_t kRound = 12;

  void Read(const std::string& path, const std::string& bytes, std::set<Name>& synced) {
    const auto view = std::as_bytes(std::span(bytes));
    size_t at = 0;
    while (const auto item = NextSpoolItem(view, at)) {
      at = item->end;
      if (!item->is_frame) continue;
      const Name name(item->frame.run, item->frame.sequence);
      if (!done_.contains(name)) synced.insert(name);
      files_[path].insert(name);
    }
  }
  /// Frames in it have a place from now on, those that it marks are done.
  void Written(const DiskEvent& event) {
    const auto view = std::as_bytes(std::span(event.bytes));
    size_t at = 0;
    while (const auto item = NextSpoolItem(view, at)) {
      at = item->end;
      if (item->is_frame) {
        places_[{segments_[event.what.file], event.what.at + item->offset}] = {
            item->frame.run, item->frame.sequence};
      } else if (const auto place = places_.find({item->mark.segment, item->mark.offset});
                 place != places_.end()) {
        done_.insert(place->second);
        kept_.erase(place->second);
      }
    }
  }
  /// A file goes when all its frames are done.
  void Removed(const std::string& path) {
    for (const Name& name : files_[path]) {
      done_.insert(name);
      kept_.erase(name);
    }
  }

  std::deque<std::set<Name>> rounds_;
  std::map<std::string, std::set<Name>> files_;
  std::map<uint64_t, uint64_t> segments_;                 // by inode
  std::map<std::pair<uint64_t, uint64_t>, Name> places_;  // by segment and offset
  std::set<Name> kept_, done_;
};

TEST_F(PowerCut, WhatASpoolHasSyncedIsInTheSpool) {
  const std::string spool = (root_ / "spool").string();
  const std::vector<std::string> flags{"--cut",    "split13",       "--codec", "f16",
                                       "--device", "cam",           "--spool", spool,
                                       "--loop",   "--spool-limit", "4MiB"};
  const auto run = [&](std::vector<std::string> more) {
    more.insert(more.end(), flags.begin(), flags.end());
    return RunEdge(more);
  };
  before_edge_ = Recorded();
  run({"--count", "150", "--rate", "60", "--drain", "1"});  // nobody takes frames
  ASSERT_EQ(status_, 0) << Log();
  StartCloudProcess();
  const auto report = run({"--count", "20", "--rate", "60", "--drain", "60"});
  ASSERT_EQ(report["kept"], 0) << Log();
  SpoolWatch watch;
  size_t most = 0;
  const auto seen = [&](const DiskEvent& event, const CutDisk& disk) { watch.See(event, disk); };
  CutOften(seen, [&] {
    std::set<Name> left;
    auto opened = Spool::Open({.folder = after_ / "spool"}, "cam");
    ASSERT_TRUE(opened) << opened.error().ToString();
    SpoolFrame frame;
    while ((*opened)->Take(frame)) left.emplace(frame.run, frame.sequence);
    most = std::max(most, watch.kept().size());
    for (const auto& [name_run, sequence] : watch.kept()) {
      EXPECT_TRUE(left.contains({name_run, sequence})) << sequence << " was synced, and is gone";
    }
  });
  EXPECT_GT(most, 20U);
  EXPECT_GT(watch.done(), 50U);
}

}  // namespace
}  // namespace fogline
