// The file of a SQLite store that is only read.
#pragma once

#include <memory>
#include <string>

#include "base/paths.h"
#include "base/result.h"
#include "store/sqlite_handle.h"

namespace fogline {

/// Where SQLite may not put its files for readers beside the store (a read-only folder or medium),
/// it reads one that lies still: nobody writes it, nothing is locked. Thread-safe.
class SqliteFileToRead {
 public:
  /// Tries it once. kNotFound where there is no such file, kInvalid for what is no store's.
  static Result<SqliteFileToRead> Find(const std::string& path);

  /// A connection, prepared to read.
  Result<std::unique_ptr<SqliteDatabase>> Connect() const;
  /// kUnavailable once somebody writes a file that was lying still: what is read would be wrong.
  Status Check() const;

 private:
  SqliteFileToRead(std::string path, bool still);

  std::string path_;
  bool still_ = false;
  FileStamp stamp_;
};

}  // namespace fogline
