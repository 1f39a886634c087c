// What becomes of the process when an exception is caught by nobody, in whichever thread.
#pragma once

namespace fogline {

/// From now on such an exception ends the process without unwinding, stopping or waiting for
/// anything. Want of memory or of threads (std::bad_alloc; std::system_error with EAGAIN or ENOMEM)
/// is nobody's fault: `no_memory`, a whole line, is written to stderr and the exit status is 1,
/// without a core. What is half done then is half done as after a kill, which spool and store are
/// made for. Anything else is a fault of this program: its words, and SIGABRT. `no_memory` must
/// live for ever. Call it before threads start; a later call changes the line.
void EndOnUncaught(const char* no_memory);

/// Ends so, at once: for what cannot be undone nor tried again.
[[noreturn]] void EndWithoutMemory();

}  // namespace fogline
