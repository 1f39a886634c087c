// Preloaded, makes the wall clock jump a day back or forth every few readings or, with
// CLOCK_AHEAD=SECONDS, be ahead by so much all the time; every other clock stays as it is.
#include <dlfcn.h>

#include <atomic>
#include <cstdlib>
#include <ctime>

extern "C" int clock_gettime(clockid_t clock, timespec* now) noexcept {
  using Real = int (*)(clockid_t, timespec*);
  static const Real real = reinterpret_cast<Real>(dlsym(RTLD_NEXT, "clock_gettime"));
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing here writes to the environment
  static const char* const ahead = std::getenv("CLOCK_AHEAD");
  static const long seconds = ahead == nullptr ? 0 : std::atol(ahead);
  static std::atomic<unsigned> readings{0};
  const int result = real(clock, now);
  if (clock == CLOCK_REALTIME && ahead != nullptr) {
    now->tv_sec += seconds;
  } else if (clock == CLOCK_REALTIME) {
    const unsigned n = readings++ / 3 % 3;
    now->tv_sec += n == 1 ? 86400 : n == 2 ? -86400 : 0;
  }
  return result;
}
