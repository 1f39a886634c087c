// Networks of the kernel's for a test: a namespace for its servers, and hosts joined to it by lines
// of which one direction can be made to let nothing through.
#pragma once

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/descriptor.h"
#include "base/paths.h"
#include "base/process.h"

namespace fogline {

using Words = std::vector<std::string>;

/// Runs a command to its end; whether it went well.
inline bool Did(const Words& command) {
  auto process = Process::Start({.command = command, .stderr_to = "/dev/null"});
  return process && process->Wait() == 0;
}

/// While it lives, this thread and what it starts are in a network namespace of their own.
class Town {
 public:
  /// Null where namespaces are not allowed.
  static std::unique_ptr<Town> Enter() {
    Descriptor home(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    if (!home || unshare(CLONE_NEWNET) != 0) return nullptr;
    std::unique_ptr<Town> town(new Town(std::move(home)));
    return Did({"ip", "link", "set", "lo", "up"}) ? std::move(town) : nullptr;
  }
  ~Town() { (void)setns(home_.get(), CLONE_NEWNET); }

 private:
  explicit Town(Descriptor home) : home_(std::move(home)) {}
  Descriptor home_;
};

/// A namespace beside the town's, with lines to it. It ends with this object, its lines with it.
class Host {
 public:
  enum class Way { kAsks, kAnswers };  // from the host to the town, and back

  /// Host number `number` of the town that this thread is in, with so many lines.
  static std::unique_ptr<Host> Make(int number, int lines) {
    auto holder = Process::Start(
        {.command = {"unshare", "--net", "sleep", "infinity"}, .stderr_to = "/dev/null"});
    if (!holder) return nullptr;
    std::unique_ptr<Host> host(new Host(*std::move(holder), number));
    const auto town = LinkTarget("/proc/thread-self/ns/net");
    for (auto its = town; its.empty() || its == town;) {
      if (!host->holder_.Running()) return nullptr;
      its = LinkTarget(fmt::format("/proc/{}/ns/net", host->holder_.pid()));
    }
    for (int line = 0; line < lines; ++line) {
      if (!host->Join(line)) return nullptr;
    }
    return host;
  }

  /// What comes before a command that runs on this host.
  Words enter() const { return {"nsenter", "-t", std::to_string(holder_.pid()), "-n", "--"}; }
  /// The town's address at the other end of a line.
  std::string TownAt(int line) const { return fmt::format("10.77.{}.{}", number_, 4 * line + 1); }

  /// Lets nothing through in one direction of a line, or everything again.
  bool Drop(int line, Way way, bool drop) const {
    Words command = way == Way::kAsks ? enter() : Words();
    const std::string end = way == Way::kAsks ? End("h", line) : End("t", line);
    // A queue without a place, or with some.
    for (const std::string& word : Words{"tc", "qdisc", "replace", "dev", end, "root", "pfifo",
                                         "limit", drop ? "0" : "1000"}) {
      command.push_back(word);
    }
    return Did(command);
  }

 private:
  Host(Process holder, int number) : holder_(std::move(holder)), number_(number) {}

  std::string End(const char* side, int line) const {
    return fmt::format("{}{}line{}", side, number_, line);
  }
  bool Inside(const Words& command) const {
    Words all = enter();
    all.insert(all.end(), command.begin(), command.end());
    return Did(all);
  }
  bool Join(int line) const {
    const std::string here = End("t", line), there = End("h", line);
    const std::string own = fmt::format("10.77.{}.{}/30", number_, 4 * line + 2);
    return Did({"ip", "link", "add", here, "type", "veth", "peer", "name", there, "netns",
                std::to_string(holder_.pid())}) &&
           Did({"ip", "address", "add", TownAt(line) + "/30", "dev", here}) &&
           Did({"ip", "link", "set", here, "up"}) &&
           Inside({"ip", "address", "add", own, "dev", there}) &&
           Inside({"ip", "link", "set", there, "up"});
  }

  Process holder_;
  const int number_;
};

}  // namespace fogline
