#include "engine/last_words.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstring>
#include <string_view>

#include "base/paths.h"

namespace fogline {
namespace {

// Everything that the handler touches has static storage: it may not allocate, lock or wait.
using Slot = std::atomic<const Epitaph*>;
std::array<Slot, 256> slots;  // what runs, by thread
std::atomic<size_t> threads{0};
std::array<char, 4096> memory_file;  // empty: none

/// This thread's. Threads past the last share: what one of them says may then be lost, but a slot
/// never holds what no longer runs, since who ends empties it.
Slot& Mine() {
  thread_local Slot& mine = slots[threads.fetch_add(1, std::memory_order_relaxed) % slots.size()];
  return mine;
}

/// Whose death it is: what this thread runs, or, in a thread of the engine's own, the only one that
/// runs.
const Epitaph* Running() {
  if (const Epitaph* mine = Mine().load(std::memory_order_relaxed)) return mine;
  const Epitaph* only = nullptr;
  for (const Slot& slot : slots) {
    const Epitaph* other = slot.load(std::memory_order_relaxed);
    if (other == nullptr) continue;
    if (only != nullptr) return nullptr;
    only = other;
  }
  return only;
}

void Write(int file, const std::string& text) {
  // Whatever goes wrong now cannot be told any more.
  [[maybe_unused]] const ssize_t written = write(file, text.data(), text.size());
}

/// Writes the epitaph of what runs, if anything does.
void Tell() {
  const Epitaph* epitaph = Running();
  if (epitaph == nullptr) return;
  if (memory_file[0] != '\0' && !epitaph->line.empty()) {
    const int file = open(memory_file.data(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (file >= 0) {
      Write(file, epitaph->line);
      close(file);
    }
  }
  Write(STDERR_FILENO, epitaph->said);
}

/// After it the signal does what it would have done: SA_RESETHAND. One that another process sent,
/// as a watchdog does, is nobody's fault here.
void OnDeath(int signal, siginfo_t* info, void* /*context*/) {
  const bool fault = info->si_code > 0;  // the kernel's: it comes again where this returns to
  const bool aborted = info->si_code == SI_TKILL && info->si_pid == getpid();
  if (fault || aborted) Tell();
  if (!fault) raise(signal);  // dealt out once this has returned
}

}  // namespace

void TellLastWords(const std::filesystem::path& memory) {
  memory_file[0] = '\0';
  const std::string name = memory.string();
  if (!name.empty() && name.size() < memory_file.size() && MakeFolders(memory.parent_path())) {
    std::memcpy(memory_file.data(), name.c_str(), name.size() + 1);
  }
  struct sigaction action {};
  action.sa_sigaction = OnDeath;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_SIGINFO);
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) {
    sigaction(signal, &action, nullptr);
  }
}

RunningNow::RunningNow(const Epitaph& epitaph) noexcept {
  Mine().store(&epitaph, std::memory_order_relaxed);
}

RunningNow::~RunningNow() { Mine().store(nullptr, std::memory_order_relaxed); }

}  // namespace fogline
