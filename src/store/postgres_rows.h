// What is sent to PostgreSQL and what comes back, in its binary form.
#pragma once

#include <libpq-fe.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fogline {

/// PostgreSQL's texts hold every character but U+0000. That one is written as U+E000 '0', and
/// U+E000, which nobody uses, as U+E000 '1'; every other text stays as it is.
std::string ToPostgresText(std::string_view text);
std::string FromPostgresText(std::string_view text);

/// The values of one statement, $1 first. Numbers go as texts: the statement casts them.
class PostgresParameters {
 public:
  PostgresParameters& Add(int64_t value);
  PostgresParameters& AddUnsigned(uint64_t value) { return Add(static_cast<int64_t>(value)); }
  PostgresParameters& Add(double value);
  PostgresParameters& Add(std::string_view text);
  /// An array of integers or numbers.
  PostgresParameters& AddArray(std::span<const int64_t> values);
  PostgresParameters& AddArray(std::span<const float> values);

  size_t size() const { return texts_.size(); }
  std::vector<const char*> values() const;

 private:
  std::vector<std::string> texts_;
};

/// Rows of an answer, in binary. Columns count from 0.
class PostgresRows {
 public:
  PostgresRows() = default;
  explicit PostgresRows(PGresult* result) : result_(result) {}

  size_t size() const { return static_cast<size_t>(PQntuples(result_.get())); }
  bool IsNull(size_t row, int column) const;
  /// Of smallint, integer, bigint and boolean.
  int64_t Integer(size_t row, int column) const;
  uint64_t Unsigned(size_t row, int column) const {
    return static_cast<uint64_t>(Integer(row, column));
  }
  /// Of real and double precision; 0 for NULL.
  double Real(size_t row, int column) const;
  /// Decoded; valid as long as it is kept.
  std::string Text(size_t row, int column) const;
  /// Valid as long as the rows.
  std::span<const std::byte> Bytes(size_t row, int column) const;

 private:
  struct Clear {
    void operator()(PGresult* result) const { PQclear(result); }
  };
  std::unique_ptr<PGresult, Clear> result_;
};

/// Rows for COPY … FROM STDIN (FORMAT binary).
class PostgresCopy {
 public:
  PostgresCopy();
  /// Begins a row of so many values, which must follow.
  void Row(int values);
  void Null();
  void Small(int16_t value);
  /// As an integer of 32 bits.
  void Int(int64_t value);
  void Big(int64_t value);
  void BigUnsigned(uint64_t value) { Big(static_cast<int64_t>(value)); }
  void Bool(bool value);
  void Float(float value);
  /// NULL for NaN.
  void Known(float value);
  void Double(double value);
  void Text(std::string_view text);
  void Bytes(std::span<const std::byte> bytes);

  bool empty() const { return rows_ == 0; }
  /// All of it, with its end; nothing may be added afterwards.
  std::string_view Finish();

 private:
  template <typename Integer>
  void Number(Integer value);

  std::string bytes_;
  size_t rows_ = 0;
};

}  // namespace fogline
