#include "store/postgres_words.h"

namespace fogline {
namespace {

/// As many as SqliteWords remembers: names come from the network.
constexpr size_t kMostPostgresWords = 131'072;

}  // namespace

Result<int64_t> PostgresWords::NumberOf(const std::string& text) {
  if (const auto known = numbers_.find(text); known != numbers_.end()) return known->second;
  FOGLINE_TRY(int64_t number, Find(text));
  if (number == 0) {
    FOGLINE_TRY(const PostgresRows given,
                postgres_.Run("INSERT INTO fogline.word (text) VALUES ($1::text) RETURNING id",
                              PostgresParameters().Add(text)));
    number = given.Integer(0, 0);
  }
  Remember(number, text);
  return number;
}

Result<int64_t> PostgresWords::Find(const std::string& text) {
  if (const auto known = numbers_.find(text); known != numbers_.end()) return known->second;
  FOGLINE_TRY(const PostgresRows found,
              postgres_.Run("SELECT id FROM fogline.word WHERE text = $1::text",
                            PostgresParameters().Add(text)));
  return found.size() == 0 ? 0 : found.Integer(0, 0);
}

Status PostgresWords::Learn(const std::vector<int64_t>& numbers) {
  std::vector<int64_t> unknown;
  for (const int64_t number : numbers) {
    if (!texts_.contains(number)) unknown.push_back(number);
  }
  if (unknown.empty()) return {};
  if (texts_.size() + unknown.size() > kMostPostgresWords) {
    Forget();
    unknown = numbers;
  }
  FOGLINE_TRY(const PostgresRows found,
              postgres_.Run("SELECT id, text FROM fogline.word WHERE id = ANY($1::int[])",
                            PostgresParameters().AddArray(std::span<const int64_t>(unknown))));
  for (size_t i = 0; i < found.size(); ++i) Remember(found.Integer(i, 0), found.Text(i, 1));
  return {};
}

Result<std::string> PostgresWords::TextOf(int64_t number) {
  const auto known = texts_.find(number);
  if (known != texts_.end()) return known->second;
  return Fail(ErrorCode::kInvalid, postgres_.where(), "row names unknown word {}", number);
}

void PostgresWords::Forget() {
  numbers_.clear();
  texts_.clear();
}

void PostgresWords::Remember(int64_t number, const std::string& text) {
  numbers_[text] = number;
  texts_[number] = text;
}

}  // namespace fogline
