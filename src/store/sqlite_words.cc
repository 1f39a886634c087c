#include "store/sqlite_words.h"

namespace fogline {
namespace {

// Device names and labels come from the network: remember many, not any number, nor any length. A
// fleet larger than this (some 100,000 names) would look every device up again each time round.
constexpr size_t kMostRemembered = size_t{32} << 20;

}  // namespace

Result<int64_t> SqliteWords::NumberOf(const std::string& text) {
  if (const auto known = numbers_.find(text); known != numbers_.end()) return known->second;
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
  bytes_ = 0;
}

void SqliteWords::Remember(int64_t number, const std::string& text) {
  constexpr size_t kNode = 80;  // what an entry of either map takes beside its text
  bytes_ += 2 * (kNode + text.size());
  if (bytes_ > kMostRemembered) {
    Forget();
    bytes_ = 2 * (kNode + text.size());
  }
  numbers_[text] = number;
  texts_[number] = text;
}

}  // namespace fogline
