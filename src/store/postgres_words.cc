#include "store/postgres_words.h"

namespace fogline {
Result<int64_t> PostgresWords::NumberOf(const std::string& text) {
  if (const int64_t known = known_.NumberOf(text); known != 0) return known;
  FOGLINE_TRY(int64_t number, Find(text));
  if (number == 0) {
    FOGLINE_TRY(const PostgresRows given,
                postgres_.Run("INSERT INTO fogline.word (text) VALUES ($1::text) RETURNING id",
                              PostgresParameters().Add(text)));
    number = given.Integer(0, 0);
  }
  if (known_.full()) known_.Forget();
  known_.Remember(number, text);
  return number;
}

Result<int64_t> PostgresWords::Find(const std::string& text) {
  if (const int64_t known = known_.NumberOf(text); known != 0) return known;
  FOGLINE_TRY(const PostgresRows found,
              postgres_.Run("SELECT id FROM fogline.word WHERE text = $1::text",
                            PostgresParameters().Add(text)));
  return found.size() == 0 ? 0 : found.Integer(0, 0);
}

Status PostgresWords::Learn(const std::vector<int64_t>& numbers) {
  std::vector<int64_t> unknown;
  for (const int64_t number : numbers) {
    if (known_.TextOf(number) == nullptr) unknown.push_back(number);
  }
  if (unknown.empty()) return {};
  if (known_.full()) {
    known_.Forget();
    unknown = numbers;
  }
  FOGLINE_TRY(const PostgresRows found,
              postgres_.Run("SELECT id, text FROM fogline.word WHERE id = ANY($1::int[])",
                            PostgresParameters().AddArray(std::span<const int64_t>(unknown))));
  for (size_t i = 0; i < found.size(); ++i) known_.Remember(found.Integer(i, 0), found.Text(i, 1));
  return {};
}

Result<std::string> PostgresWords::TextOf(int64_t number) {
  if (const std::string* known = known_.TextOf(number)) return *known;
  return Fail(ErrorCode::kInvalid, postgres_.where(), "row names unknown word {}", number);
}

}  // namespace fogline
