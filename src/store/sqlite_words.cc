#include "store/sqlite_words.h"

namespace fogline {

Result<int64_t> SqliteWords::NumberOf(const std::string& text) {
  if (const int64_t known = known_.NumberOf(text); known != 0) return known;
  if (!find_) {
    FOGLINE_TRY(find_, database_.Prepare("SELECT id FROM word WHERE text = ?"));
    FOGLINE_TRY(add_, database_.Prepare("INSERT INTO word (text) VALUES (?)"));
  }
  find_->Bind(1, text);
  Result<bool> row = find_->Step();
  int64_t number = row && *row ? find_->Integer(0) : 0;
  find_->Reset();
  if (!row) return Forward(std::move(row));
  if (!*row) {
    add_->Bind(1, text);
    FOGLINE_CHECK(add_->Run());
    number = database_.last_insert_id();
  }
  Remember(number, text);
  return number;
}

Result<const std::string*> SqliteWords::TextOf(int64_t number) {
  if (const std::string* known = known_.TextOf(number)) return known;
  FOGLINE_TRY(SqliteStatement find, database_.Prepare("SELECT text FROM word WHERE id = ?"));
  find.Bind(1, number);
  FOGLINE_TRY(const bool row, find.Step());
  if (!row) return Fail(ErrorCode::kInvalid, database_.path(), "row names unknown word {}", number);
  Remember(number, std::string(find.Text(0)));
  return known_.TextOf(number);
}

void SqliteWords::Remember(int64_t number, const std::string& text) {
  if (known_.full()) known_.Forget();
  known_.Remember(number, text);
}

}  // namespace fogline
