// One entry of what recorded_disk.cc writes down and power_cut.h reads.
#pragma once

#include <cstdint>

namespace fogline {

/// Behind it in the record come the path and then the bytes.
struct DiskRecord {
  enum Kind : uint32_t {
    kCreate,  // a file at a path
    kFolder,  // likewise
    kWrite,   // bytes into a file, at a place
    kResize,  // a file, to `at` bytes
    kSync,    // of a file or a folder: the disk keeps what was done to it before
    kRemove,  // a path
    kRename,  // a path to another, which is the bytes
    kSent,    // bytes on a socket
  };
  Kind kind = kCreate;
  uint32_t path_bytes = 0;
  uint64_t file = 0;  // its inode, or the socket's descriptor
  uint64_t at = 0;
  uint64_t bytes = 0;
};

}  // namespace fogline
