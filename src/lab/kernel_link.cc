#include "lab/kernel_link.h"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "base/process.h"

namespace fogline {
namespace {

using namespace std::chrono_literals;
using Words = std::vector<std::string>;

/// IP, TCP and its time stamps take 52 bytes of a packet, Ethernet 14 more of a frame: rates are
/// goodput, the kernel counts frames.
constexpr int kHeaders = 52, kEthernet = 14;
/// tbf lets a bucket of bytes leave at once after a rest, which then arrive early by the time that
/// they should have taken; a bucket holds a frame at least. On slow links frames are small, so that
/// this stays at a millisecond.
constexpr double kSlowMbps = 20;
constexpr int kMtu = 1500, kSmallMtu = 576;
/// Besides a frame the bucket holds what comes in while the kernel is late to wake.
constexpr double kLateUs = 200;
constexpr int kQueueMs = 4000;

int MtuOf(const LinkShape& shape) {
  const auto slow = [](double mbps) { return mbps > 0 && mbps < kSlowMbps; };
  return slow(shape.up_mbps) || slow(shape.down_mbps) ? kSmallMtu : kMtu;
}

/// Runs a command; its complaint as an error.
Status Must(const Words& command) {
  auto process =
      Process::Start({.command = command, .capture_stdout = true, .stderr_to = "/dev/null"});
  if (!process) return Forward(std::move(process));
  FOGLINE_TRY(const std::string text, process->ReadStdout());
  if (const int status = process->Wait(); status != 0) {
    return Fail(ErrorCode::kUnavailable, fmt::format("{}", fmt::join(command, " ")),
                "is not allowed here (status {})", status);
  }
  return {};
}

std::string NamespaceOf(pid_t pid) {
  std::error_code error;
  const auto link = std::filesystem::read_symlink(fmt::format("/proc/{}/ns/net", pid), error);
  return error ? std::string() : link.string();
}

class KernelLinkImpl final : public KernelLink {
 public:
  Status Open(const LinkShape& shape) {
    if (shape.up_trace) {
      return Fail(ErrorCode::kUnavailable, "kernel link", "cannot replay a recorded trace");
    }
    // The namespace lives as long as this process, which dies with us: nothing is left behind.
    FOGLINE_TRY(holder_, Process::Start({.command = {"unshare", "--net", "sleep", "infinity"},
                                         .capture_stdout = false,
                                         .stderr_to = "/dev/null"}));
    const std::string ours = NamespaceOf(getpid());
    const auto deadline = std::chrono::steady_clock::now() + 5s;
    for (std::string its; its.empty() || its == ours; its = NamespaceOf(holder_.pid())) {
      if (!holder_.Running() || std::chrono::steady_clock::now() > deadline) {
        return Fail(ErrorCode::kUnavailable, "kernel link",
                    "no network namespace may be made here");
      }
      std::this_thread::sleep_for(1ms);
    }
    // Names and addresses that no other lab on this machine has: by process and count.
    static std::atomic<int> count{0};
    const int number = count++ % 64;
    const int pid = getpid();
    const std::string ours_if = fmt::format("fl{}a{}", pid % 1000000, number);
    const std::string its_if = fmt::format("fl{}b{}", pid % 1000000, number);
    const std::string net = fmt::format("10.{}.{}.", 192 + (pid >> 8) % 64, pid & 255);
    address_ = net + std::to_string(4 * number + 1);
    const std::string its_address = net + std::to_string(4 * number + 2);
    const std::string holder = std::to_string(holder_.pid());
    enter_ = {"nsenter", "-t", holder, "-n", "--"};
    FOGLINE_CHECK(Must(
        {"ip", "link", "add", ours_if, "type", "veth", "peer", "name", its_if, "netns", holder}));
    FOGLINE_CHECK(Must({"ip", "addr", "add", address_ + "/30", "dev", ours_if}));
    mtu_ = MtuOf(shape);
    FOGLINE_CHECK(Must({"ip", "link", "set", ours_if, "mtu", std::to_string(mtu_), "up"}));
    FOGLINE_CHECK(Must(Inside({"ip", "addr", "add", its_address + "/30", "dev", its_if})));
    FOGLINE_CHECK(Must(Inside({"ip", "link", "set", its_if, "mtu", std::to_string(mtu_), "up"})));
    FOGLINE_CHECK(Must(Inside({"ip", "link", "set", "lo", "up"})));
    netem_ = Delay(shape, its_if, true) && Delay(shape, ours_if, false);
    if (!netem_) {
      FOGLINE_CHECK(Rate(shape.up_mbps, its_if, true));
      FOGLINE_CHECK(Rate(shape.down_mbps, ours_if, false));
    }
    return {};
  }

  const Words& enter() const override { return enter_; }
  const std::string& address() const override { return address_; }
  bool has_netem() const override { return netem_; }

 private:
  Words Inside(Words command) const {
    command.insert(command.begin(), enter_.begin(), enter_.end());
    return command;
  }
  Words Where(Words command, bool inside) const {
    return inside ? Inside(std::move(command)) : command;
  }

  Status Rate(double mbps, const std::string& interface, bool inside) const {
    if (mbps <= 0) return {};
    const int frame = mtu_ + kEthernet;
    const double bits = mbps * 1e6 * frame / (mtu_ - kHeaders);
    return Must(Where({"tc", "qdisc", "replace", "dev", interface, "root", "handle", "1:", "tbf",
                       "rate", fmt::format("{:.0f}bit", bits), "burst",
                       fmt::format("{:.0f}", frame + bits / 8e6 * kLateUs), "latency",
                       fmt::format("{}ms", kQueueMs)},
                      inside));
  }

  /// Rate with netem below it; false where the kernel has no netem.
  bool Delay(const LinkShape& shape, const std::string& interface, bool inside) const {
    if (!Rate(inside ? shape.up_mbps : shape.down_mbps, interface, inside)) return false;
    const bool has_rate = (inside ? shape.up_mbps : shape.down_mbps) > 0;
    Words netem{"tc", "qdisc", "add", "dev", interface};
    if (has_rate) {
      netem.insert(netem.end(), {"parent", "1:1", "handle", "10:"});
    } else {
      netem.emplace_back("root");
    }
    netem.insert(netem.end(), {"netem", "limit", "100000", "delay",
                               fmt::format("{}us", static_cast<int>(shape.delay_ms * 1000)),
                               fmt::format("{}us", static_cast<int>(shape.jitter_ms * 500))});
    if (shape.loss > 0) {
      netem.insert(netem.end(), {"loss", fmt::format("{:.4f}%", shape.loss * 100)});
    }
    return Must(Where(netem, inside)).has_value();
  }

  Process holder_ = Process::None();
  Words enter_;
  std::string address_;
  int mtu_ = kMtu;
  bool netem_ = false;
};

}  // namespace

Result<std::unique_ptr<KernelLink>> KernelLink::Make(const LinkShape& shape) {
  auto link = std::make_unique<KernelLinkImpl>();
  FOGLINE_CHECK(link->Open(shape));
  return link;
}

}  // namespace fogline
