#include "store/postgres_counts.h"

#include <cmath>
#include <numbers>

#include "frame/capture_time.h"
#include "store/postgres_filter.h"

namespace fogline {
namespace {

/// Where the values of a statement stand that come after those of its filter.
class Values {
 public:
  explicit Values(PostgresParameters& values) : values_(values) {}
  std::string Real(double value) {
    values_.Add(value);
    return fmt::format("${}::float8", values_.size());
  }
  std::string Integer(int64_t value) {
    values_.Add(value);
    return fmt::format("${}::bigint", values_.size());
  }

 private:
  PostgresParameters& values_;
};

/// As std::round: PostgreSQL's own takes the even neighbour of what lies halfway.
std::string Round(const std::string& value) {
  return fmt::format(
      "(trunc({0}) + CASE WHEN abs({0} - trunc({0})) >= 0.5 THEN sign({0}) ELSE 0"
      " END)",
      value);
}

/// Whether a row has a time, and one that can be (frame/capture_time.h).
std::string Timed() {
  return fmt::format("(d.captured_from <> 0 AND d.captured_us >= {} AND d.captured_us < {})",
                     kYear2000Us, kYear2100Us);
}

/// A condition more behind a filter's.
std::string And(const std::string& where, std::string_view condition) {
  return fmt::format("{}{}", where.empty() ? " WHERE " : where + " AND ", condition);
}

/// Columns lon and lat of the places that pass, rounded where that is asked for.
std::string Placed(const Filter& filter, const PostgresWhere& where, Values& values) {
  std::string lon = "d.lon", lat = "d.lat";
  if (filter.decimals) {
    const std::string scale = values.Real(std::pow(10.0, *filter.decimals));
    for (std::string* degrees : {&lon, &lat}) {
      *degrees = fmt::format("{} / {}", Round(fmt::format("({} * {})", *degrees, scale)), scale);
    }
  }
  return fmt::format(
      "SELECT {} AS lon, {} AS lat, d.score, d.positive, CASE WHEN {} THEN d.captured_us END"
      " AS captured_us FROM fogline.detection d{}",
      lon, lat, Timed(), And(where.sql, "d.lat IS NOT NULL"));
}

/// Columns more, worked out of those of `rows`. OFFSET 0 keeps the planner from putting each
/// expression into every place that names it: there were hundreds of arcsines a row.
std::string With(const std::string& columns, const std::string& rows) {
  return fmt::format("SELECT *, {} FROM ({}) AS r OFFSET 0", columns, rows);
}

/// What HexGrid::AtMercator does, step by step: `placed` with "hex_row" and "hex_column". The
/// nearest centre is in one of the two rows around the place, a and b.
std::string InHexagons(std::string placed, const HexGrid& grid, Values& values) {
  const std::string most = values.Real(kMaxMercatorLat), pi = values.Real(std::numbers::pi);
  const std::string two_pi = values.Real(2 * std::numbers::pi);
  const std::string columns = values.Real(grid.columns()), width = values.Real(grid.width());
  const std::string height = values.Real(grid.row_height());
  placed = With(fmt::format("(0.5 - asinh(tan(least(greatest(lat, -{0}), {0}) * {1} / 180)) / {2})"
                            " / {3} AS row_at, (lon / 360 + 0.5) * {4} AS column_at",
                            most, pi, two_pi, height, columns),
                placed);
  placed = With("floor(row_at) AS row_a, floor(row_at) + 1 AS row_b", placed);
  for (const char row : {'a', 'b'}) {
    placed = With(fmt::format("column_at - CASE WHEN row_{0}::int & 1 = 1 THEN 0.5 ELSE 0.0 END"
                              "::float8 AS at_{0}",
                              row),
                  placed);
    placed = With(fmt::format("{1} AS column_{0}", row, Round(fmt::format("at_{}", row))), placed);
    placed = With(fmt::format("(at_{0} - column_{0}) * {1} AS dx_{0},"
                              " (row_at - row_{0}) * {2} AS dy_{0}",
                              row, width, height),
                  placed);
  }
  placed = With("dx_b * dx_b + dy_b * dy_b < dx_a * dx_a + dy_a * dy_a AS near_b", placed);
  return With(fmt::format("CASE WHEN near_b THEN row_b ELSE row_a END::int AS hex_row,"
                          " (CASE WHEN near_b THEN column_b ELSE column_a END::int % {0}::int"
                          " + {0}::int) % {0}::int AS hex_column",
                          columns),
              placed);
}

}  // namespace

Result<std::vector<HexCount>> CountHexagons(PostgresConnection& postgres, const Filter& filter,
                                            const HexGrid& grid) {
  PostgresWhere where = ToPostgres(filter);
  if (where.never) return std::vector<HexCount>();
  Values values(where.values);
  const std::string hexed = InHexagons(Placed(filter, where, values), grid, values);
  const std::string sql = fmt::format(
      "SELECT hex_row, hex_column, count(*), count(*) FILTER (WHERE positive), max(score),"
      " coalesce(max(captured_us), 0) FROM ({}) AS r GROUP BY 1, 2",
      hexed);
  FOGLINE_TRY(const PostgresRows rows, postgres.Run(sql, where.values));
  std::vector<HexCount> counts;
  counts.reserve(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    counts.push_back({.cell = {.column = static_cast<int32_t>(rows.Integer(i, 1)),
                               .row = static_cast<int32_t>(rows.Integer(i, 0))},
                      .count = rows.Unsigned(i, 2),
                      .positives = rows.Unsigned(i, 3),
                      .max_score = static_cast<float>(rows.Real(i, 4)),
                      .newest_us = rows.Integer(i, 5)});
  }
  return counts;
}

Result<TimeCounts> CountTimeline(PostgresConnection& postgres, const Filter& filter,
                                 int64_t from_us, int64_t to_us, size_t bins) {
  TimeCounts counts{.bins = std::vector<TimeBin>(bins)};
  PostgresWhere where = ToPostgres(filter);
  if (where.never) return counts;
  Values values(where.values);
  const double from = static_cast<double>(from_us), width = static_cast<double>(to_us) - from;
  const std::string low = values.Integer(from_us), high = values.Integer(to_us);
  const std::string first = values.Real(from);
  const std::string scale = values.Real(static_cast<double>(bins) / width);
  const std::string last = values.Real(static_cast<double>(bins) - 1);
  FOGLINE_TRY(
      const PostgresRows rows,
      postgres.Run(fmt::format("SELECT bin, count(*), count(*) FILTER (WHERE positive),"
                               " min(captured_us), max(captured_us) FROM (SELECT d.positive,"
                               " d.captured_us, CASE WHEN NOT {} THEN -2"
                               " WHEN d.captured_us < {} OR d.captured_us >= {} THEN -1"
                               " ELSE least(floor((d.captured_us::float8 - {}) * {}), {})::int END"
                               " AS bin FROM fogline.detection d{}) AS r GROUP BY bin",
                               Timed(), low, high, first, scale, last, where.sql),
                   where.values));
  for (size_t i = 0; i < rows.size(); ++i) {
    const int64_t bin = rows.Integer(i, 0);
    if (bin == -2) {
      counts.untimed = rows.Unsigned(i, 1);
      continue;
    }
    counts.Reach(rows.Integer(i, 3));
    counts.Reach(rows.Integer(i, 4));
    if (bin >= 0)
      counts.bins[static_cast<size_t>(bin)] = {rows.Unsigned(i, 1), rows.Unsigned(i, 2)};
  }
  return counts;
}

Result<std::vector<FoundTally>> CountFound(PostgresConnection& postgres, const Filter& filter) {
  std::vector<FoundTally> tallies;
  PostgresWhere where = ToPostgres(filter);
  if (where.never) return tallies;
  Values values(where.values);
  const std::string sure =
      fmt::format("b.score >= {}", values.Real(static_cast<double>(filter.found.least_score)));
  FOGLINE_TRY(const PostgresRows rows,
              postgres.Run(fmt::format("SELECT b.label, count(DISTINCT b.id), count(*)"
                                       " FROM fogline.detection d JOIN fogline.box b ON b.id = d.id"
                                       "{} GROUP BY b.label ORDER BY 2 DESC, 3 DESC, 1 LIMIT {}",
                                       And(where.sql, sure), kMostTallies),
                           where.values));
  for (size_t i = 0; i < rows.size(); ++i) {
    tallies.push_back(
        {.label = rows.Text(i, 0), .pictures = rows.Unsigned(i, 1), .boxes = rows.Unsigned(i, 2)});
  }
  return tallies;
}

}  // namespace fogline
