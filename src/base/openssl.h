// OpenSSL, before it is used.
#pragma once

namespace fogline {

/// To be called before its functions. OpenSSL sets itself up when the first of them is; where it
/// has no memory for that it crashes or stands still for ever, so that the process ends instead
/// (EndWithoutMemory). std::bad_alloc where it could not for another reason, and never can.
/// Thread-safe.
void SetUpOpenssl();

}  // namespace fogline
