#include "store/sqlite_handle.h"

#include <cerrno>
#include <cstring>

namespace fogline {
namespace {

ErrorCode CodeOf(int sqlite_code, int system_errno) {
  // A full disk arrives as FULL, or as an I/O error with the system's own word for it.
  if (system_errno == ENOSPC || system_errno == EDQUOT || system_errno == EFBIG) {
    if ((sqlite_code & 0xff) == SQLITE_IOERR || (sqlite_code & 0xff) == SQLITE_FULL) {
      return ErrorCode::kExhausted;
    }
  }
  switch (sqlite_code & 0xff) {
    case SQLITE_FULL:
    case SQLITE_NOMEM:
    case SQLITE_TOOBIG:
    case SQLITE_INTERRUPT:
      return ErrorCode::kExhausted;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return ErrorCode::kInvalid;
    case SQLITE_CANTOPEN:
      return ErrorCode::kNotFound;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_IOERR:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return ErrorCode::kUnavailable;
    default:
      return ErrorCode::kInternal;
  }
}

tl::unexpected<Error> Failure(sqlite3* database, const std::string& where) {
  const int code = sqlite3_extended_errcode(database);
  const int system_errno = sqlite3_system_errno(database);
  const ErrorCode ours = CodeOf(code, system_errno);
  if (ours == ErrorCode::kExhausted) {
    switch (code & 0xff) {
      case SQLITE_INTERRUPT:
        return Fail(ours, where, "the query took too long; narrow its box, time or filters");
      case SQLITE_FULL:
      case SQLITE_IOERR:
        return Fail(ours, where, "no space left to store more; free some or move the store");
      default:
        break;
    }
  }
  if ((code & 0xff) == SQLITE_CANTOPEN) {
    return Fail(ours, where, "cannot be opened ({})", std::strerror(system_errno));
  }
  return Fail(ours, where, "{}", sqlite3_errmsg(database));
}

std::string StillUri(const std::string& path) {
  std::string uri = "file:";
  for (const char c : path) {
    if (c == '%' || c == '?' || c == '#') {
      uri += fmt::format("%{:02x}", static_cast<unsigned>(c));
    } else {
      uri += c;
    }
  }
  return uri + "?immutable=1";
}

}  // namespace

void SqliteStatement::Bind(int at, std::string_view text) {
  sqlite3_bind_text64(get(), at, text.data() == nullptr ? "" : text.data(), text.size(),
                      SQLITE_STATIC, SQLITE_UTF8);
}

void SqliteStatement::Bind(int at, std::span<const std::byte> bytes) {
  sqlite3_bind_blob64(get(), at, bytes.data(), bytes.size(), SQLITE_STATIC);
}

Result<bool> SqliteStatement::Step() {
  switch (sqlite3_step(get())) {
    case SQLITE_ROW:
      return true;
    case SQLITE_DONE:
      return false;
    default:
      return Failure(sqlite3_db_handle(get()), *where_);
  }
}

Status SqliteStatement::Run() {
  Result<bool> row = Step();
  while (row && *row) row = Step();
  Reset();
  if (!row) return Forward(std::move(row));
  return {};
}

void SqliteStatement::Reset() { sqlite3_reset(get()); }

std::string_view SqliteStatement::Text(int at) {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(get(), at));
  if (text == nullptr) return {};
  return {text, static_cast<size_t>(sqlite3_column_bytes(get(), at))};
}

std::span<const std::byte> SqliteStatement::Blob(int at) {
  const auto* bytes = static_cast<const std::byte*>(sqlite3_column_blob(get(), at));
  if (bytes == nullptr) return {};
  return {bytes, static_cast<size_t>(sqlite3_column_bytes(get(), at))};
}

Result<std::unique_ptr<SqliteDatabase>> SqliteDatabase::Open(const std::string& path, int flags,
                                                             bool still) {
  sqlite3* opened = nullptr;
  const std::string name = still ? StillUri(path) : path;
  if (still) flags |= SQLITE_OPEN_URI;
  const int code = sqlite3_open_v2(name.c_str(), &opened, flags, nullptr);
  std::unique_ptr<SqliteDatabase> database(new SqliteDatabase(opened, path));
  if (opened == nullptr) return Fail(ErrorCode::kExhausted, path, "no memory to open it");
  if (code != SQLITE_OK) return Failure(opened, path);
  sqlite3_extended_result_codes(opened, 1);
  sqlite3_busy_timeout(opened, 5000);
  return database;
}

Result<SqliteStatement> SqliteDatabase::Prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v2(database_.get(), sql.data(), static_cast<int>(sql.size()),
                                      &statement, nullptr);
  if (code != SQLITE_OK) return Failure(database_.get(), path_);
  return SqliteStatement(statement, &path_);
}

Status SqliteDatabase::Execute(const std::string& sql) {
  if (sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    return Failure(database_.get(), path_);
  }
  return {};
}

Result<int64_t> SqliteDatabase::QueryInteger(std::string_view sql) {
  FOGLINE_TRY(SqliteStatement statement, Prepare(sql));
  FOGLINE_TRY(const bool row, statement.Step());
  return row ? statement.Integer(0) : 0;
}

}  // namespace fogline
