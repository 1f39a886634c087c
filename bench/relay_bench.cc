// The same transfers over the kernel's token bucket and over the relay, which must take the same
// time: what the lab measures over the one holds for the other. Needs leave to make network
// namespaces. The fastest of a few counts: what load does to one of them, it does not do to all.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/process.h"
#include "lab/kernel_link.h"
#include "lab/relay.h"
#include "lab/test_sink.h"

namespace fogline {
namespace {

constexpr int kTransfers = 5;

/// From the kernel link's namespace to us. Time is taken inside, where starting bash does not
/// count.
double OverKernelMs(const KernelLink& link, int port, size_t bytes) {
  const std::string send =
      fmt::format("exec 3<>/dev/tcp/{}/{}; head -c {} /dev/zero >&3; head -c 1 <&3 >/dev/null",
                  link.address(), port, bytes);
  std::vector<std::string> command = link.enter();
  command.insert(
      command.end(),
      {"bash", "-c", "s=$(date +%s%N); " + send + "; e=$(date +%s%N); echo $(((e - s) / 1000))"});
  auto process = Process::Start({.command = command, .capture_stdout = true, .stderr_to = {}});
  const auto text = process ? process->ReadStdout() : Result<std::string>("0");
  return std::atof(text->c_str()) / 1000;
}

/// Of a link of so many Mbit/s, transferring so many bytes.
void RelayOverKernel(benchmark::State& state) {
  const auto mbps = static_cast<double>(state.range(0));
  const auto bytes = static_cast<size_t>(state.range(1));
  LinkShape shape;
  shape.up_mbps = shape.down_mbps = mbps;
  const auto kernel = KernelLink::Make(shape);
  if (!kernel) return state.SkipWithError(kernel.error().ToString().c_str());
  const Sink sink(bytes);
  const auto relay = Relay::Start("127.0.0.1", sink.port(), shape);
  if (!relay) return state.SkipWithError(relay.error().ToString().c_str());
  double in_kernel = INFINITY, in_user = INFINITY;
  for ([[maybe_unused]] auto once : state) {
    for (int i = 0; i < kTransfers; ++i) {
      in_kernel = std::min(in_kernel, OverKernelMs(**kernel, sink.port(), bytes));
      in_user = std::min(in_user, TransferMs("127.0.0.1", (*relay)->port(), bytes));
    }
  }
  state.counters["told_ms"] = static_cast<double>(bytes) * 8 / (mbps * 1000);
  state.counters["kernel_ms"] = in_kernel;
  state.counters["relay_ms"] = in_user;
  state.counters["ratio"] = in_user / in_kernel;
}
BENCHMARK(RelayOverKernel)
    ->Args({5, 10'000})
    ->Args({5, 60'000})
    ->Args({40, 300'000})
    ->Iterations(2)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace fogline
