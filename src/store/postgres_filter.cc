#include "store/postgres_filter.h"

#include <algorithm>
#include <string_view>

#include "base/format.h"
#include "base/text.h"

namespace fogline {
namespace {

class Builder {
 public:
  void Condition(std::string_view sql) {
    where_.sql += where_.sql.empty() ? " WHERE " : " AND ";
    where_.sql += sql;
  }
  /// The place of a value: "$3".
  template <typename Value>
  std::string ValueAt(Value value) {
    where_.values.Add(value);
    return fmt::format("${}", where_.values.size());
  }
  template <typename Value>
  void Compare(std::string_view left, Value value, std::string_view type) {
    Condition(fmt::format("{} {}::{}", left, ValueAt(value), type));
  }
  /// "($1::text, $2::text)"; empty where none of them can be stored.
  std::string Texts(const std::vector<std::string>& texts) {
    std::string list;
    for (const std::string& text : texts) {
      if (!IsUtf8(text)) continue;
      list += fmt::format("{}{}::text", list.empty() ? "(" : ", ", ValueAt(std::string_view(text)));
    }
    return list.empty() ? list : list + ")";
  }
  void Words(std::string_view column, const std::vector<std::string>& texts) {
    if (texts.empty()) return;
    const std::string list = Texts(texts);
    if (list.empty()) {
      where_.never = true;
    } else {
      Condition(
          fmt::format("d.{} IN (SELECT id FROM fogline.word WHERE text IN {})", column, list));
    }
  }
  /// Through the index over places, and then exactly.
  void Within(const Box& box) {
    const auto part = [this, &box](double west, double east) {
      return fmt::format(
          "point(d.lon, d.lat) <@ box(point({}::float8, {}::float8),"
          " point({}::float8, {}::float8))",
          ValueAt(west), ValueAt(box.south), ValueAt(east), ValueAt(box.north));
    };
    if (box.south > box.north) {
      where_.never = true;
    } else if (box.west <= box.east) {
      Condition(part(box.west, box.east));
    } else {
      // One after the other: the numbers of the values are in that order.
      const std::string east = part(box.west, 180);
      Condition(fmt::format("({} OR {})", east, part(-180, box.east)));
    }
  }
  void Found(const FoundFilter& found) {
    if (!found.asks()) return;
    std::string labels;
    if (!found.labels.empty()) {
      labels = Texts(found.labels);
      if (labels.empty()) {
        where_.never = true;
        return;
      }
      labels = " AND b.label IN " + labels;
    }
    const std::string score = ValueAt(static_cast<double>(found.least_score));
    const std::string least = ValueAt(
        static_cast<int64_t>(std::min<size_t>(found.least, std::numeric_limits<int32_t>::max())));
    Condition(
        fmt::format("(SELECT count(*) FROM fogline.box b WHERE b.id = d.id{} AND"
                    " b.score >= {}::float8) >= {}::bigint",
                    labels, score, least));
  }
  PostgresWhere Take() { return std::move(where_); }

 private:
  PostgresWhere where_;
};

}  // namespace

PostgresWhere ToPostgres(const Filter& filter) {
  constexpr auto kMost = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  Builder where;
  if (filter.ByTime()) where.Condition("d.captured_from <> 0");
  if (filter.after_id > 0) {
    where.Compare("d.id >", static_cast<int64_t>(std::min(filter.after_id, kMost)), "bigint");
  }
  if (filter.before_id < kMost) {
    where.Compare("d.id <", static_cast<int64_t>(filter.before_id), "bigint");
  }
  if (filter.ByTime()) {
    where.Compare("d.captured_us >=", filter.first_us(), "bigint");
    where.Compare("d.captured_us <", filter.end_us(), "bigint");
  }
  if (filter.min_score > 0) {
    where.Compare("d.score >=", static_cast<double>(filter.min_score), "float8");
  }
  if (filter.max_score < 1) {
    where.Compare("d.score <=", static_cast<double>(filter.max_score), "float8");
  }
  if (filter.positive_only) where.Condition("d.positive");
  where.Words("label", filter.labels);
  where.Words("device", filter.devices);
  where.Words("mechanism", filter.mechanisms);
  if (filter.box) where.Within(*filter.box);
  where.Found(filter.found);
  return where.Take();
}

}  // namespace fogline
