// Preloaded, lets one call of this process for memory fail: the first from the n-th place that asks
// for some once main has begun, a place being the innermost functions that led to malloc, calloc,
// realloc or operator new (which calls malloc). What a process asks for is the same few thousand
// places' over and over: each of them can be tried.
//   FAIL_PLACE=3           which; 0: none
//   FAIL_MARK=/tmp/failed  a file that is made when it has failed; it holds an "e" where the engine
//                          (ONNX Runtime) is among the functions that led there
//   FAIL_COUNT=/tmp/count  a file that holds the count of places as one byte each, where it is
//   given
// Programs that it starts are left alone.
#include <dlfcn.h>
#include <fcntl.h>
#include <malloc.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <unwind.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>

extern "C" {
void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* old, size_t size);
void* __libc_memalign(size_t alignment, size_t size);
}

namespace {

constexpr int kDepth = 4;  // functions that make a place, the shim's own two among them
std::atomic<long> asked{0}, seen{0};
std::atomic<const char*> mark{nullptr};
std::atomic<int> count_file{-1};
std::array<std::atomic<uintptr_t>, 1 << 18> places;
[[gnu::tls_model("initial-exec")]] thread_local bool inside = false;

struct Place {
  uintptr_t hash = 0;
  int depth = 0;
};

_Unwind_Reason_Code AddFrame(_Unwind_Context* context, void* into) {
  auto* const place = static_cast<Place*>(into);
  place->hash = (place->hash ^ _Unwind_GetIP(context)) * 0x9E3779B97F4A7C15U;
  place->hash ^= place->hash >> 29;
  return ++place->depth < kDepth ? _URC_NO_REASON : _URC_END_OF_STACK;
}

_Unwind_Reason_Code LookForEngine(_Unwind_Context* context, void* found) {
  Dl_info where{};
  if (dladdr(reinterpret_cast<void*>(_Unwind_GetIP(context)), &where) != 0 &&
      where.dli_fname != nullptr && std::strstr(where.dli_fname, "libonnxruntime") != nullptr) {
    *static_cast<bool*>(found) = true;
  }
  return _URC_NO_REASON;
}

void Mark() {
  bool engine = false;
  _Unwind_Backtrace(LookForEngine, &engine);
  const long file = syscall(SYS_openat, AT_FDCWD, mark.load(), O_CREAT | O_WRONLY, 0600);
  if (engine) syscall(SYS_write, file, "e", 1);
  syscall(SYS_close, file);
}

/// True for a place that was not seen before.
bool IsNew(uintptr_t place) {
  if (place == 0) place = 1;
  for (size_t i = 0; i < places.size(); ++i) {
    auto& slot = places[(place + i) % places.size()];
    uintptr_t there = slot.load(std::memory_order_relaxed);
    if (there == 0 && slot.compare_exchange_strong(there, place)) return true;
    if (there == place) return false;
  }
  return false;
}

bool Fails() {
  const long which = asked.load(std::memory_order_relaxed);
  if ((which <= seen && count_file < 0) || inside) return false;
  inside = true;
  Place place;
  _Unwind_Backtrace(AddFrame, &place);
  bool fails = false;
  if (IsNew(place.hash)) {
    if (count_file >= 0) syscall(SYS_write, count_file.load(), ".", 1);
    fails = ++seen == which;
  }
  if (fails && mark != nullptr) Mark();
  inside = false;
  if (fails) errno = ENOMEM;
  return fails;
}

using Main = int (*)(int, char**, char**);
Main real_main = nullptr;

int MainOfOurs(int argc, char** argv, char** environment) {
  // NOLINTBEGIN(concurrency-mt-unsafe): before the first thread
  const char* const n = std::getenv("FAIL_PLACE");
  const char* const count = std::getenv("FAIL_COUNT");
  mark = std::getenv("FAIL_MARK");
  unsetenv("LD_PRELOAD");
  // NOLINTEND(concurrency-mt-unsafe)
  Place warm;  // the unwinder may ask for memory itself the first time
  _Unwind_Backtrace(AddFrame, &warm);
  if (count != nullptr) count_file = open(count, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
  asked = n == nullptr ? 0 : std::atol(n);
  return real_main(argc, argv, environment);
}

}  // namespace

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
void* aligned_alloc(size_t alignment, size_t size) noexcept { return memalign(alignment, size); }
int posix_memalign(void** into, size_t alignment, size_t size) noexcept {
  void* const made = memalign(alignment, size);
  if (made == nullptr) return ENOMEM;
  *into = made;
  return 0;
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
