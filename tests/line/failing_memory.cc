// Preloaded, lets calls of this process for memory fail, from main on: each place that asks for
// some, once in the life of a file that its runs share. A place is the innermost function that led
// to operator new, or the two that led to malloc, calloc or realloc, and the innermost one of the
// program itself (but for the engine, ONNX Runtime, whose own suffice), each as an offset into what
// holds it, so that it is the same in every run. What a process asks for is the same few thousand
// places' over and over: each of them can be tried. Having lacked memory once, the process gets
// what it asks for for a while: what is tried is one want at a time, and what follows of it.
//   FAIL_PLACES=/tmp/places  the file (places.h)
//   FAIL_ONE_IN=400          which of the places not tried yet fail: one in so many, chosen by
//   FAIL_SEED=7              this number; 0: none, they are counted
//   FAIL_LOG=/tmp/failed     a file to which each that fails adds its place and the functions that
//                            led there
//   FAIL_SPARES=engine       but for those within the engine
//   FAIL_FORKS=1             of a program that ends by itself, for as long as there is one thread:
//                            at each place a child goes on without its memory, to its end, and the
//                            process itself with it, to the next place; it ends where a second
//                            thread would begin. The log has a line of each child: "ended", its
//                            status as a shell has it, and how many bytes it wrote to stderr,
//                            which is a file
// Programs that it starts are left alone.
#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <malloc.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <unwind.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <new>

#include "tests/line/places.h"

extern "C" {
void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* old, size_t size);
void* __libc_memalign(size_t alignment, size_t size);
}

namespace {

using fogline::Places;

constexpr int kShim = 2;                  // functions of this file: Fails, and what calls it
constexpr int kMost = 48;                 // that are looked at
constexpr int64_t kApartNs = 20'000'000;  // between two failures of a process
constexpr unsigned kMostSeconds = 60;     // that a child goes on

std::atomic<Places*> places{nullptr};
uint64_t one_in = 0, seed = 0;
bool spares_engine = false;
std::atomic<bool> forks{false};
const char* log_file = nullptr;
std::atomic<int64_t> generous_until{0};
/// Stacks, as they are in this process alone, of which nothing is left to be done.
std::array<std::atomic<uintptr_t>, 1 << 18> settled;
[[gnu::tls_model("initial-exec")]] thread_local bool inside = false;

/// Functions from the innermost one on.
struct Stack {
  std::array<void*, kMost> functions;
  int depth = 0;
};

_Unwind_Reason_Code AddFunction(_Unwind_Context* context, void* into) {
  auto* const stack = static_cast<Stack*>(into);
  const auto at = static_cast<size_t>(stack->depth++);
  stack->functions[at] = reinterpret_cast<void*>(_Unwind_GetIP(context));
  return stack->depth < kMost ? _URC_NO_REASON : _URC_END_OF_STACK;
}

/// Where a library lies, or the program itself.
struct Range {
  uintptr_t begin = 0, end = 0;
  bool Has(uintptr_t function) const { return function >= begin && function < end; }
};
Range ours, engine;

int FindEngine(dl_phdr_info* library, size_t /*size*/, void* /*nothing*/) {
  if (std::strstr(library->dlpi_name, "libonnxruntime") == nullptr) return 0;
  for (int i = 0; i < library->dlpi_phnum; ++i) {
    const auto& part = library->dlpi_phdr[i];
    dl_find_object found{};
    if (part.p_type != PT_LOAD || (part.p_flags & PF_X) == 0) continue;
    if (_dl_find_object(reinterpret_cast<void*>(library->dlpi_addr + part.p_vaddr), &found) != 0) {
      continue;
    }
    engine = {reinterpret_cast<uintptr_t>(found.dlfo_map_start),
              reinterpret_cast<uintptr_t>(found.dlfo_map_end)};
  }
  return 1;
}

/// Those that make a place.
struct Caller {
  std::array<void*, 3> functions{};  // the last is the program's own
  int innermost = 2, seen = -kShim;
  bool in_engine = false;

  bool Whole(int at, uintptr_t function) const {
    return at >= innermost - 1 && (ours.Has(function) || engine.Has(function));
  }
};

_Unwind_Reason_Code AddCaller(_Unwind_Context* context, void* into) {
  auto* const caller = static_cast<Caller*>(into);
  const auto function = static_cast<uintptr_t>(_Unwind_GetIP(context));
  const int at = caller->seen++;
  if (at < 0) return _URC_NO_REASON;
  caller->in_engine = caller->in_engine || engine.Has(function);
  if (at < caller->innermost) {
    caller->functions[static_cast<size_t>(at)] = reinterpret_cast<void*>(function);
  } else if (ours.Has(function)) {
    caller->functions.back() = reinterpret_cast<void*>(function);
  }
  return caller->Whole(at, function) || at >= kMost ? _URC_END_OF_STACK : _URC_NO_REASON;
}

uint64_t Mixed(uint64_t hash, uint64_t more) {
  hash = (hash ^ more) * 0x9E3779B97F4A7C15U;
  return hash ^ (hash >> 29);
}

uint64_t HashOf(const char* text) {
  uint64_t hash = 0;
  for (; *text != '\0'; ++text) hash = Mixed(hash, static_cast<uint64_t>(*text));
  return hash;
}

/// Wherever the libraries lie this time.
uint64_t PlaceOf(const Caller& caller) {
  uint64_t place = 0;
  for (void* const function : caller.functions) {
    dl_find_object found{};
    if (function == nullptr || _dl_find_object(function, &found) != 0) continue;
    place = Mixed(place, HashOf(found.dlfo_link_map->l_name));
    place = Mixed(place, reinterpret_cast<uintptr_t>(function) - found.dlfo_link_map->l_addr);
  }
  return place;
}

/// Where a stack is remembered; null where there is no room.
std::atomic<uintptr_t>* SettledSlot(uintptr_t hash) {
  for (size_t i = 0; i < settled.size(); ++i) {
    auto& slot = settled[(hash + i) % settled.size()];
    const uintptr_t there = slot.load(std::memory_order_relaxed);
    if (there == 0 || there == hash) return &slot;
  }
  return nullptr;
}

int64_t Now() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

void Write(const char* text, int size) {
  const auto file = static_cast<int>(
      syscall(SYS_openat, AT_FDCWD, log_file, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600));
  syscall(SYS_write, file, text, size);
  syscall(SYS_close, file);
}

void Log(uint64_t place) {
  Stack whole;
  _Unwind_Backtrace(AddFunction, &whole);
  std::array<char, 32> line{};
  Write(line.data(), std::snprintf(line.data(), line.size(), "place %016lx\n", place));
  const auto file = static_cast<int>(
      syscall(SYS_openat, AT_FDCWD, log_file, O_WRONLY | O_APPEND | O_CLOEXEC, 0600));
  backtrace_symbols_fd(whole.functions.data() + 1, whole.depth - 1, file);
  syscall(SYS_close, file);
}

/// True in a child that is to go on without; false when it has ended.
bool ForkedOff() {
  const off_t before = lseek(STDERR_FILENO, 0, SEEK_END);
  const pid_t child = fork();
  if (child <= 0) {
    forks = false;
    one_in = 0;
    alarm(kMostSeconds);
    return child == 0;
  }
  int status = 0;
  waitpid(child, &status, 0);
  const int code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  std::array<char, 64> line{};
  Write(line.data(), std::snprintf(line.data(), line.size(), "ended %d %ld\n", code,
                                   lseek(STDERR_FILENO, 0, SEEK_END) - before));
  return false;
}

/// Of a stack that has something left to be done.
bool FailsAt(const Caller& caller, std::atomic<uintptr_t>* slot, uintptr_t hash) {
  const uint64_t place = PlaceOf(caller);
  std::atomic<uint64_t>* const known = places.load()->Find(place);
  const bool chosen = known != nullptr && one_in != 0 && !Places::tried(*known) &&
                      Mixed(seed, place) % one_in == 0 && !(spares_engine && caller.in_engine);
  if (!chosen) {
    if (slot != nullptr) *slot = hash;
    return false;
  }
  if (forks) {
    if (!Places::Try(*known)) return false;
    Log(place);
    return ForkedOff();
  }
  int64_t until = generous_until;
  const int64_t now = Now();
  if (now < until || !generous_until.compare_exchange_strong(until, now + kApartNs)) return false;
  if (!Places::Try(*known)) return false;
  Log(place);
  return true;
}

/// `new_of`: who called operator new, which is most of what is asked for and mostly says it all.
[[gnu::noinline]] bool Fails(void* new_of = nullptr) {
  if (places.load(std::memory_order_relaxed) == nullptr || inside) return false;
  inside = true;
  Caller caller;
  if (new_of != nullptr) caller.innermost = 1;
  if (caller.Whole(0, reinterpret_cast<uintptr_t>(new_of))) {
    caller.functions[0] = new_of;
    caller.in_engine = engine.Has(reinterpret_cast<uintptr_t>(new_of));
  } else {
    _Unwind_Backtrace(AddCaller, &caller);
  }
  uintptr_t hash = 1;
  for (void* const function : caller.functions) {
    hash = Mixed(hash, reinterpret_cast<uintptr_t>(function));
  }
  std::atomic<uintptr_t>* const slot = SettledSlot(hash);
  const bool fails = (slot == nullptr || *slot != hash) && FailsAt(caller, slot, hash);
  inside = false;
  if (fails) errno = ENOMEM;
  return fails;
}

[[gnu::always_inline]] inline void* New(size_t size, void* caller) {
  void* const made = Fails(caller) ? nullptr : __libc_malloc(size == 0 ? 1 : size);
  if (made == nullptr) throw std::bad_alloc();
  return made;
}

using Main = int (*)(int, char**, char**);
Main real_main = nullptr;

int MainOfOurs(int argc, char** argv, char** environment) {
  // NOLINTBEGIN(concurrency-mt-unsafe): before the first thread
  const auto number = [](const char* name) -> uint64_t {
    const char* const text = std::getenv(name);
    return text == nullptr ? 0 : std::strtoull(text, nullptr, 10);
  };
  one_in = number("FAIL_ONE_IN");
  seed = number("FAIL_SEED");
  log_file = std::getenv("FAIL_LOG");
  spares_engine = std::getenv("FAIL_SPARES") != nullptr;
  forks = number("FAIL_FORKS") != 0;
  const char* const file = std::getenv("FAIL_PLACES");
  unsetenv("LD_PRELOAD");
  // NOLINTEND(concurrency-mt-unsafe)
  Stack warm;  // the unwinder may ask for memory itself the first time
  _Unwind_Backtrace(AddFunction, &warm);
  dl_find_object program{};
  if (_dl_find_object(reinterpret_cast<void*>(real_main), &program) == 0) {
    ours = {reinterpret_cast<uintptr_t>(program.dlfo_map_start),
            reinterpret_cast<uintptr_t>(program.dlfo_map_end)};
  }
  dl_iterate_phdr(FindEngine, nullptr);
  if (file != nullptr) places = Places::Map(file);
  return real_main(argc, argv, environment);
}

}  // namespace

void* operator new(size_t size) { return New(size, __builtin_return_address(0)); }
void* operator new[](size_t size) { return New(size, __builtin_return_address(0)); }

extern "C" {

void* malloc(size_t size) noexcept { return Fails() ? nullptr : __libc_malloc(size); }
void* calloc(size_t count, size_t size) noexcept {
  return Fails() ? nullptr : __libc_calloc(count, size);
}
void* realloc(void* old, size_t size) noexcept {
  return size > 0 && Fails() ? nullptr : __libc_realloc(old, size);
}
void* memalign(size_t alignment, size_t size) noexcept {
  return Fails() ? nullptr : __libc_memalign(alignment, size);
}
void* aligned_alloc(size_t alignment, size_t size) noexcept {
  return Fails() ? nullptr : __libc_memalign(alignment, size);
}
int posix_memalign(void** into, size_t alignment, size_t size) noexcept {
  if (Fails()) return ENOMEM;
  void* const made = __libc_memalign(alignment, size);
  if (made == nullptr) return ENOMEM;
  *into = made;
  return 0;
}

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*run)(void*),
                   void* with) noexcept {
  if (forks) _exit(0);
  using Create = int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
  static const auto real = reinterpret_cast<Create>(dlsym(RTLD_NEXT, "pthread_create"));
  return real(thread, attributes, run, with);
}

// NOLINTNEXTLINE(bugprone-reserved-identifier): the C library calls it so
int __libc_start_main(Main main, int argc, char** argv, int (*init)(int, char**, char**),
                      void (*fini)(), void (*end_of_linker)(), void* stack) {
  using Start =
      int (*)(Main, int, char**, int (*)(int, char**, char**), void (*)(), void (*)(), void*);
  real_main = main;
  const auto real = reinterpret_cast<Start>(dlsym(RTLD_NEXT, "__libc_start_main"));
  return real(MainOfOurs, argc, argv, init, fini, end_of_linker, stack);
}

}  // extern "C"
