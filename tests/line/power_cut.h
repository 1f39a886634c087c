// A disk whose power fails: what it would hold, from the record that recorded_disk.cc made.
#pragma once

#include <fmt/format.h>
#include <sys/stat.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "tests/line/disk_record.h"

namespace fogline {

struct DiskEvent {
  DiskRecord what;
  std::string path, bytes;
};

inline std::vector<DiskEvent> ReadDiskLog(const std::filesystem::path& log) {
  const std::string text = ReadTextFile(log).value_or("");
  std::vector<DiskEvent> events;
  for (size_t at = 0; at + sizeof(DiskRecord) <= text.size();) {
    DiskEvent event;
    std::memcpy(&event.what, text.data() + at, sizeof(DiskRecord));
    at += sizeof(DiskRecord);
    event.path = text.substr(at, event.what.path_bytes);
    at += event.what.path_bytes;
    event.bytes = text.substr(at, event.what.bytes);
    at += event.what.bytes;
    if (at <= text.size()) events.push_back(std::move(event));
  }
  return events;
}

/// What is sure is what was synced: of a file its bytes, of a folder its names. All that was done
/// since is kept, dropped or, of a write, torn into sectors, in any combination: more than any file
/// system does, and no less than POSIX allows. Files that are mapped are not seen.
class CutDisk {
 public:
  explicit CutDisk(const std::filesystem::path& root) : root_(root) {
    struct stat info {};
    if (stat(root.c_str(), &info) == 0) Add(info.st_ino, root.string());
  }

  void Apply(const DiskEvent& event) {
    const DiskRecord& what = event.what;
    switch (what.kind) {
      case DiskRecord::kCreate:
        Name(event.path, Add(what.file, ""));
        break;
      case DiskRecord::kFolder:
        Name(event.path, Add(what.file, event.path));
        break;
      case DiskRecord::kWrite:
        NodeOf(what.file).pending.push_back({what.at, event.bytes, false});
        break;
      case DiskRecord::kResize:
        NodeOf(what.file).pending.push_back({what.at, {}, true});
        break;
      case DiskRecord::kSync:
        Sync(NodeOf(what.file));
        break;
      case DiskRecord::kRemove:
        Name(event.path, kNone);
        break;
      case DiskRecord::kRename:
        Rename(event.path, event.bytes);
        break;
      case DiskRecord::kSent:
        break;
    }
  }

  /// What is sure of each file that has a name now, by its path.
  std::map<std::string, std::string> SureBytes() const {
    std::map<std::string, std::string> sure;
    for (const auto& [path, node] : now_) {
      if (node != kNone && nodes_[node].folder.empty()) sure[path] = nodes_[node].sure;
    }
    return sure;
  }

  enum class Fate { kDropped, kKept, kAnything };
  /// Makes `to` what the disk holds after the power failed now.
  void Rebuild(const std::filesystem::path& to, Fate fate, std::mt19937& random) const {
    std::filesystem::remove_all(to);
    std::filesystem::create_directories(to);
    std::map<std::string, size_t> names;
    for (const Node& folder : nodes_) {
      for (const auto& [path, node] : folder.sure_names) names[path] = node;
      for (const auto& change : folder.pending_names) {
        if (!Kept(fate, random)) continue;
        for (const auto& [path, node] : change) names[path] = node;
      }
    }
    for (const auto& [path, node] : names) {  // folders come before what is in them
      if (node == kNone) continue;
      const auto place = to / std::filesystem::relative(path, root_);
      if (!std::filesystem::exists(place.parent_path())) continue;  // the folder has no name
      if (!nodes_[node].folder.empty()) {
        std::filesystem::create_directory(place);
        continue;
      }
      const std::string bytes = After(nodes_[node], fate, random);
      std::ofstream(place, std::ios::binary) << bytes;
    }
  }

 private:
  static constexpr size_t kNone = SIZE_MAX, kSector = 512;
  struct Change {
    uint64_t at = 0;
    std::string bytes;
    bool resize = false;
  };
  using Names = std::vector<std::pair<std::string, size_t>>;
  struct Node {
    std::string folder;  // its path; empty: a file
    std::string sure;
    std::vector<Change> pending;
    std::map<std::string, size_t> sure_names;
    std::vector<Names> pending_names;  // what is renamed is two names at once
  };

  size_t Add(uint64_t inode, const std::string& folder) {
    nodes_.emplace_back().folder = folder;
    return inodes_[inode] = nodes_.size() - 1;
  }
  Node& NodeOf(uint64_t inode) {
    if (!inodes_.contains(inode)) Add(inode, "");
    return nodes_[inodes_[inode]];
  }
  void ChangeNames(const Names& names) {
    const std::string folder = std::filesystem::path(names[0].first).parent_path().string();
    for (Node& node : nodes_) {
      if (node.folder == folder) node.pending_names.push_back(names);
    }
    for (const auto& [path, node] : names) now_[path] = node;
  }
  void Name(const std::string& path, size_t node) { ChangeNames({{path, node}}); }
  void Rename(const std::string& from, const std::string& to) {
    ChangeNames({{from, kNone}, {to, now_[from]}});
  }
  static void Do(const Change& change, std::string& bytes) {
    if (change.resize) {
      bytes.resize(change.at);
      return;
    }
    const size_t end = change.at + change.bytes.size();
    if (bytes.size() < end) bytes.resize(end);
    bytes.replace(change.at, change.bytes.size(), change.bytes);
  }
  static void Sync(Node& node) {
    for (const Change& change : node.pending) Do(change, node.sure);
    node.pending.clear();
    for (const Names& names : node.pending_names) {
      for (const auto& [path, other] : names) node.sure_names[path] = other;
    }
    node.pending_names.clear();
  }
  static bool Kept(Fate fate, std::mt19937& random) {
    return fate == Fate::kKept || (fate == Fate::kAnything && random() % 2 == 0);
  }
  static std::string After(const Node& node, Fate fate, std::mt19937& random) {
    std::string bytes = node.sure;
    for (const Change& change : node.pending) {
      if (fate != Fate::kAnything || change.resize || random() % 2 == 0) {
        if (Kept(fate, random)) Do(change, bytes);
        continue;
      }
      for (size_t at = 0; at < change.bytes.size();) {  // torn where sectors meet
        const size_t size =
            std::min(kSector - (change.at + at) % kSector, change.bytes.size() - at);
        if (random() % 2 == 0) Do({change.at + at, change.bytes.substr(at, size), false}, bytes);
        at += size;
      }
    }
    return bytes;
  }

  const std::filesystem::path root_;
  std::vector<Node> nodes_;
  std::map<uint64_t, size_t> inodes_;  // which node an inode is now
  std::map<std::string, size_t> now_;  // as the running system sees it
};

}  // namespace fogline
