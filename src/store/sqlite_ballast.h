// Room on the disk that is kept for the moment when there is none left.
#pragma once

#include <cstdint>
#include <string>

namespace fogline {

/// A file of zeros beside a store. To forget rows, SQLite must first write: to its log, and from
/// there to the file. On a full disk it can do neither, and the store would stay full for ever;
/// then the ballast goes over board. Harmless when several processes share a store, and without a
/// disk (":memory:").
class SqliteBallast {
 public:
  explicit SqliteBallast(const std::string& store_path);

  /// Lays it when it is not there; a disk that has no room for it may have some later.
  void Take(uint64_t keep_bytes);
  void Drop();

 private:
  std::string path_;  // empty: none
};

}  // namespace fogline
