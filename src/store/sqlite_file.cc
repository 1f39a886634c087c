#include "store/sqlite_file.h"

#include "base/file.h"
#include "store/sqlite_schema.h"

namespace fogline {

SqliteFileToRead::SqliteFileToRead(std::string path, bool still)
    : path_(std::move(path)), still_(still), stamp_(StampOf(path_)) {}

Result<SqliteFileToRead> SqliteFileToRead::Find(const std::string& path) {
  FOGLINE_CHECK(CheckRegularFile(path));
  SqliteFileToRead file(path, false);
  auto shared = file.Connect();
  if (shared) return file;
  // What it cannot open, or make, is not the file, which is there, but what it needs beside it.
  const ErrorCode code = shared.error().code;
  const bool beside = code == ErrorCode::kNotFound || code == ErrorCode::kUnavailable;
  if (!beside || Exists(path + "-wal")) return Forward(std::move(shared));
  file.still_ = true;
  FOGLINE_CHECK(file.Connect().map([](const auto&) {}));
  return file;
}

Result<std::unique_ptr<SqliteDatabase>> SqliteFileToRead::Connect() const {
  FOGLINE_TRY(auto database,
              SqliteDatabase::Open(path_, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, still_));
  FOGLINE_CHECK(PrepareReader(*database));
  return database;
}

Status SqliteFileToRead::Check() const {
  if (!still_ || (StampOf(path_) == stamp_ && !Exists(path_ + "-wal"))) return {};
  return Fail(ErrorCode::kUnavailable, path_,
              "is being written by now, in a folder where this process cannot follow; start it "
              "again once nobody writes, or let it write to the folder");
}

}  // namespace fogline
