// Thin owners of SQLite's handles, and its errors as ours.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace fogline {

/// One prepared statement. Binds count from 1, columns from 0, as in SQLite. Not thread-safe.
class SqliteStatement {
 public:
  SqliteStatement() = default;

  void Bind(int at, int64_t value) { sqlite3_bind_int64(get(), at, value); }
  void BindUnsigned(int at, uint64_t value) { Bind(at, static_cast<int64_t>(value)); }
  void Bind(int at, double value) { sqlite3_bind_double(get(), at, value); }
  void BindNull(int at) { sqlite3_bind_null(get(), at); }
  /// Text and bytes are not copied: they live until the next Reset().
  void Bind(int at, std::string_view text);
  void Bind(int at, std::span<const std::byte> bytes);

  /// True for a row, false at the end.
  Result<bool> Step();
  /// Runs to the end and is ready to be bound anew, also after a failure.
  Status Run();
  /// Ready to be bound anew.
  void Reset();

  int64_t Integer(int at) { return sqlite3_column_int64(get(), at); }
  double Real(int at) { return sqlite3_column_double(get(), at); }
  bool IsNull(int at) { return sqlite3_column_type(get(), at) == SQLITE_NULL; }
  /// Valid until the next Step() or Reset().
  std::string_view Text(int at);
  std::span<const std::byte> Blob(int at);

 private:
  friend class SqliteDatabase;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  SqliteStatement(sqlite3_stmt* statement, const std::string* where)
      : statement_(statement), where_(where) {}
  sqlite3_stmt* get() { return statement_.get(); }

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  const std::string* where_ = nullptr;  // the database's path, for errors
};

/// One connection. Not thread-safe; statements must not outlive it.
class SqliteDatabase {
 public:
  /// `flags` as for sqlite3_open_v2. Waits up to five seconds for other processes' locks; `still`:
  /// nobody writes the file, so that it is read without any.
  static Result<std::unique_ptr<SqliteDatabase>> Open(const std::string& path, int flags,
                                                      bool still = false);

  Result<SqliteStatement> Prepare(std::string_view sql);
  /// Runs statements without parameters or rows.
  Status Execute(const std::string& sql);
  /// The one integer that a statement answers with; 0 without a row.
  Result<int64_t> QueryInteger(std::string_view sql);

  int64_t last_insert_id() const { return sqlite3_last_insert_rowid(database_.get()); }
  const std::string& path() const { return path_; }
  sqlite3* handle() { return database_.get(); }

 private:
  struct Close {
    void operator()(sqlite3* database) const { sqlite3_close(database); }
  };
  SqliteDatabase(sqlite3* database, std::string path)
      : database_(database), path_(std::move(path)) {}

  std::unique_ptr<sqlite3, Close> database_;
  std::string path_;
};

}  // namespace fogline
