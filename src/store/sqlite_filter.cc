#include "store/sqlite_filter.h"

#include <algorithm>

namespace fogline {
namespace {

// Up to this many rows of a box are fetched through the R*Tree; above, the scan by id meets enough
// of them soon.
constexpr int64_t kSelectiveRows = 20'000;

using Where = SqliteWhere;

void Add(Where& where, std::string_view condition) {
  where.sql += where.sql.empty() ? "WHERE " : " AND ";
  where.sql += condition;
}

Status AddWords(Where& where, SqliteDatabase& database, const char* column,
                const std::vector<std::string>& texts) {
  if (texts.empty()) return {};
  FOGLINE_TRY(SqliteStatement find, database.Prepare("SELECT id FROM word WHERE text = ?"));
  std::string numbers;
  for (const std::string& text : texts) {
    find.Bind(1, text);
    FOGLINE_TRY(const bool row, find.Step());
    if (row) numbers += fmt::format("{}{}", numbers.empty() ? "" : ",", find.Integer(0));
    find.Reset();
  }
  if (numbers.empty()) {
    where.never = true;
  } else {
    Add(where, fmt::format("{} IN ({})", column, numbers));
  }
  return {};
}

Status AddBox(Where& where, SqliteDatabase& database, const Box& box) {
  const bool crosses = box.west > box.east;
  const std::string tree =
      fmt::format("SELECT id FROM place WHERE south <= {:.17g} AND north >= {:.17g} AND ({})",
                  box.north, box.south,
                  crosses ? fmt::format("east >= {:.17g} OR west <= {:.17g}", box.west, box.east)
                          : fmt::format("east >= {:.17g} AND west <= {:.17g}", box.west, box.east));
  // The tree holds floats rounded outwards, so these comparisons let every true member pass.
  FOGLINE_TRY(const int64_t members,
              database.QueryInteger(
                  fmt::format("SELECT count(*) FROM ({} LIMIT {})", tree, kSelectiveRows)));
  if (members == 0) {
    where.never = true;
    return {};
  }
  if (members < kSelectiveRows) Add(where, fmt::format("id IN ({})", tree));
  Add(where, "lat >= ? AND lat <= ?");
  Add(where, crosses ? "(lon >= ? OR lon <= ?)" : "lon >= ? AND lon <= ?");
  for (const double edge : {box.south, box.north, box.west, box.east}) where.values.push_back(edge);
  return {};
}

}  // namespace

void SqliteWhere::BindTo(SqliteStatement& statement) const {
  int at = 0;
  for (const auto& value : values) {
    ++at;
    std::visit([&](auto number) { statement.Bind(at, number); }, value);
  }
}

Result<SqliteWhere> TranslateFilter(SqliteDatabase& database, const Filter& filter,
                                    bool positioned) {
  Where where;
  const auto add = [&](std::string_view condition, std::variant<int64_t, double> value) {
    Add(where, condition);
    where.values.push_back(value);
  };
  constexpr auto kMost = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  if (filter.ByTime()) Add(where, "captured_from <> 0");
  if (filter.after_id > 0) {
    add("id > ?", static_cast<int64_t>(std::min(filter.after_id, kMost)));
  }
  if (filter.before_id < kMost) add("id < ?", static_cast<int64_t>(filter.before_id));
  if (filter.ByTime()) {
    add("captured_us >= ?", filter.first_us());
    add("captured_us < ?", filter.end_us());
  }
  if (filter.min_score > 0) add("score >= ?", static_cast<double>(filter.min_score));
  if (filter.max_score < 1) add("score <= ?", static_cast<double>(filter.max_score));
  if (filter.positive_only) Add(where, "positive = 1");
  FOGLINE_CHECK(AddWords(where, database, "label", filter.labels));
  FOGLINE_CHECK(AddWords(where, database, "device", filter.devices));
  FOGLINE_CHECK(AddWords(where, database, "mechanism", filter.mechanisms));
  if (positioned || filter.box) Add(where, "lat IS NOT NULL");
  if (filter.box) FOGLINE_CHECK(AddBox(where, database, *filter.box));
  return where;
}

}  // namespace fogline
