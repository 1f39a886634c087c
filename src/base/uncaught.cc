#include "base/uncaught.h"

#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>
#include <system_error>

namespace fogline {
namespace {

std::atomic<const char*> no_memory_line{""};

/// There may be no memory for anything.
void Write(const char* text) {
  [[maybe_unused]] const ssize_t n = write(STDERR_FILENO, text, std::strlen(text));
}

[[noreturn]] void OnTerminate() {
  if (const std::exception_ptr thrown = std::current_exception()) {
    try {
      std::rethrow_exception(thrown);
    } catch (const std::bad_alloc&) {
      EndWithoutMemory();
    } catch (const std::system_error& e) {
      if (e.code() == std::errc::resource_unavailable_try_again ||
          e.code() == std::errc::not_enough_memory) {
        EndWithoutMemory();
      }
      Write("fogline: ends by a fault of its own: ");
      Write(e.what());
    } catch (const std::exception& e) {
      Write("fogline: ends by a fault of its own: ");
      Write(e.what());
    } catch (...) {
      Write("fogline: ends by a fault of its own, which says nothing");
    }
    Write("\n");
  }
  std::abort();
}

}  // namespace

void EndWithoutMemory() {
  Write(no_memory_line);
  _exit(1);
}

void EndOnUncaught(const char* no_memory) {
  no_memory_line = no_memory;
  std::set_terminate(OnTerminate);
}

}  // namespace fogline
