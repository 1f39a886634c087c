#include "store/sqlite_words.h"

namespace fogline {
namespace {

// Device names and labels come from the network: remember many, not any number.
constexpr size_t kMostRemembered = 16'384;

}  // namespace

Result<int64_t> SqliteWords::NumberOf(const std::string& text) {
  if (const auto known = numbers_.find(text); known != numbers_.end()) return known->second;
  FOGLINE_TRY(SqliteStatement find, database_.Prepare("SELECT id FROM word WHERE text = ?"));
  find.Bind(1, text);
  FOGLINE_TRY(const bool row, find.Step());
  int64_t number = 0;
  if (row) {
    number = find.Integer(0);
  } else {
    FOGLINE_TRY(SqliteStatement add, database_.Prepare("INSERT INTO word (text) VALUES (?)"));
    add.Bind(1, text);
    FOGLINE_CHECK(add.Run());
    number = database_.last_insert_id();
  }
  Remember(number, text);
  return number;
}

Result<const std::string*> SqliteWords::TextOf(int64_t number) {
  if (const auto known = texts_.find(number); known != texts_.end()) return &known->second;
  FOGLINE_TRY(SqliteStatement find, database_.Prepare("SELECT text FROM word WHERE id = ?"));
  find.Bind(1, number);
  FOGLINE_TRY(const bool row, find.Step());
  if (!row) return Fail(ErrorCode::kInvalid, database_.path(), "row names unknown word {}", number);
  Remember(number, std::string(find.Text(0)));
  return &texts_.at(number);
}

void SqliteWords::Forget() {
  numbers_.clear();
  texts_.clear();
}

void SqliteWords::Remember(int64_t number, const std::string& text) {
  if (numbers_.size() >= kMostRemembered) Forget();
  numbers_[text] = number;
  texts_[number] = text;
}

}  // namespace fogline
