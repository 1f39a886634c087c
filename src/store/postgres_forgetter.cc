#include "store/postgres_forgetter.h"

#include <algorithm>

#include "base/log.h"

namespace fogline {

Result<std::vector<StoredAt>> PostgresForgetter::Oldest(uint64_t from_id, size_t most) {
  PostgresParameters values;
  values.AddUnsigned(from_id).AddUnsigned(most);
  FOGLINE_TRY(const PostgresRows rows,
              postgres_.Run("SELECT id, stored_us FROM fogline.detection WHERE id >= $1::bigint"
                            " AND id > (SELECT forgotten_id FROM fogline.about)"
                            " ORDER BY id LIMIT $2::bigint",
                            values));
  std::vector<StoredAt> found;
  for (size_t i = 0; i < rows.size(); ++i) {
    found.push_back({rows.Unsigned(i, 0), rows.Integer(i, 1)});
  }
  return found;
}

/// Of a partition that is partly forgotten, the part that is not.
Result<uint64_t> PostgresForgetter::UsedBytes() {
  FOGLINE_TRY(
      const PostgresRows used,
      postgres_.Run(
          "SELECT coalesce(sum((pg_total_relation_size('fogline.detection_' || first)"
          " + pg_total_relation_size('fogline.box_' || first)"
          " + pg_total_relation_size('fogline.thumbnail_' || first))"
          " * least(1, greatest(0, (least(until, last_id + 1) - greatest(first, forgotten_id + 1))"
          " / greatest(1, least(until, last_id + 1) - first)::float8))), 0)::bigint"
          " + pg_total_relation_size('fogline.name') + pg_total_relation_size('fogline.forgotten')"
          " FROM fogline.about LEFT JOIN fogline.part ON true"
          " GROUP BY one"));
  return used.size() == 0 ? 0 : used.Unsigned(0, 0);
}

Result<uint64_t> PostgresForgetter::Bound(const Retention& keep) {
  const auto read = [this](uint64_t from, size_t most) { return Oldest(from, most); };
  FOGLINE_TRY(uint64_t up_to, LastTooOld(read, keep.age, options_.clock->WallMicros()));
  size_t excess = 0;
  if (keep.rows > 0) {
    FOGLINE_TRY(const PostgresRows rows,
                postgres_.Run("SELECT coalesce(sum(count), 0)::bigint FROM fogline.tally"
                              " WHERE kind = 2"));
    const uint64_t count = rows.Unsigned(0, 0);
    if (count > keep.rows) excess = std::min<uint64_t>(count - keep.rows, kForgetRows);
  }
  if (full_.exchange(false)) pressure_.Full();
  if (keep.bytes > 0) {
    FOGLINE_TRY(const uint64_t used, UsedBytes());
    if (pressure_.Wants(used, keep)) excess = kForgetRows;
  }
  if (excess > 0) {
    FOGLINE_TRY(const auto oldest, Oldest(0, excess));
    if (!oldest.empty()) up_to = std::max(up_to, oldest.back().id);
  }
  return up_to;
}

Result<int64_t> PostgresForgetter::NamesBound(const Retention& keep) {
  FOGLINE_TRY(
      const PostgresRows ends,
      postgres_.Run("SELECT coalesce(min(id), 0), coalesce(max(id), 0) FROM fogline.forgotten"));
  const int64_t oldest = ends.Integer(0, 0), newest = ends.Integer(0, 1);
  if (oldest == 0) return 0;
  const auto count = static_cast<uint64_t>(newest - oldest + 1);
  const uint64_t most = MostNameBlocks(keep);
  constexpr auto kStep = static_cast<int64_t>(kForgetRows);
  int64_t up_to = 0;
  if (count > most) up_to = oldest + std::min(static_cast<int64_t>(count - most), kStep) - 1;
  PostgresParameters values;
  values.Add(kStep).Add(options_.clock->WallMicros() - kNamesOutlive.count());
  FOGLINE_TRY(
      const PostgresRows young,
      postgres_.Run("SELECT min(id) FILTER (WHERE last_us > $2::bigint), max(id) FROM"
                    " (SELECT id, last_us FROM fogline.forgotten ORDER BY id LIMIT $1::bigint) f",
                    values));
  const int64_t until = young.IsNull(0, 0) ? young.Integer(0, 1) : young.Integer(0, 0) - 1;
  return std::max(up_to, until >= oldest ? until : 0);
}

Result<ForgetStep> PostgresForgetter::Forget(const Retention& keep) {
  ForgetStep step;
  if (!keep.any()) return step;
  FOGLINE_TRY(uint64_t up_to, Bound(keep));
  FOGLINE_TRY(int64_t up_to_names, NamesBound(keep));
  if (up_to == 0 && up_to_names == 0) return step;
  FOGLINE_CHECK(postgres_.Transact([&]() -> Status {
    step.rows = 0;
    FOGLINE_TRY(const PostgresRows locked,
                postgres_.Run("SELECT forgotten_id FROM fogline.about FOR UPDATE"));
    // Now that nobody else writes: what was due a moment ago another process may have forgotten.
    FOGLINE_TRY(up_to, Bound(keep));
    FOGLINE_TRY(up_to_names, NamesBound(keep));
    FOGLINE_TRY(const PostgresRows rows,
                postgres_.Run("SELECT count(*) FROM fogline.detection WHERE id <= $1::bigint",
                              PostgresParameters().AddUnsigned(up_to)));
    step.rows = rows.Unsigned(0, 0);
    return ForgetUpTo(up_to, up_to_names);
  }));
  if (step.rows > 0) FOGLINE_CHECK(DropEmptyPartitions());
  FOGLINE_TRY(const uint64_t left, Bound(keep));
  FOGLINE_TRY(const int64_t names_left, NamesBound(keep));
  step.more = left > 0 || names_left > 0;
  return step;
}

Status PostgresForgetter::ForgetUpTo(uint64_t up_to_id, int64_t up_to_names) {
  FOGLINE_TRY(const PostgresRows gone,
              postgres_.Run("DELETE FROM fogline.forgotten WHERE id <= $1::bigint",
                            PostgresParameters().Add(up_to_names)));
  if (up_to_id == 0) return {};
  PostgresParameters id;
  id.AddUnsigned(up_to_id);
  FOGLINE_CHECK(LetGo("<= $1::bigint", id));
  return postgres_
      .Run("UPDATE fogline.about SET forgotten_id = greatest(forgotten_id, $1::bigint)", id)
      .map([](const PostgresRows&) {});
}

Result<uint64_t> PostgresForgetter::Delete(std::span<const uint64_t> ids) {
  if (ids.empty()) return 0;
  uint64_t rows = 0;
  FOGLINE_CHECK(postgres_.Transact([&] { return DeleteNamed(ids, rows); }));
  return rows;
}

Status PostgresForgetter::DeleteNamed(std::span<const uint64_t> ids, uint64_t& rows) {
  const std::vector<int64_t> asked(ids.begin(), ids.end());
  FOGLINE_TRY(const PostgresRows locked,
              postgres_.Run("SELECT deletions FROM fogline.about FOR UPDATE"));
  FOGLINE_TRY(const PostgresRows there,
              postgres_.Run("SELECT id FROM fogline.detection WHERE id = ANY($1::bigint[])"
                            " ORDER BY id",
                            PostgresParameters().AddArray(std::span<const int64_t>(asked))));
  rows = there.size();
  if (rows == 0 || locked.size() == 0) return {};
  std::vector<int64_t> found;
  for (size_t i = 0; i < there.size(); ++i) found.push_back(there.Integer(i, 0));
  PostgresParameters which;
  which.AddArray(std::span<const int64_t>(found));
  FOGLINE_CHECK(LetGo("= ANY($1::bigint[])", which));
  which.AddUnsigned(locked.Unsigned(0, 0) + 1).AddUnsigned(kDeletionsKept);
  return postgres_
      .Run(
          "WITH old AS (DELETE FROM fogline.deleted WHERE step <= $2::bigint - $3::bigint),"
          " new AS (INSERT INTO fogline.deleted VALUES ($2::bigint, $1::bigint[]))"
          " UPDATE fogline.about SET deletions = $2::bigint RETURNING"
          " pg_notify('fogline_stored', '')::text",
          which)
      .map([](const PostgresRows&) {});
}

Status PostgresForgetter::LetGo(const char* which, const PostgresParameters& value) {
  PostgresParameters named = value;
  named.Add(options_.clock->WallMicros());
  const std::string lower = fmt::format(
      "UPDATE fogline.tally t SET count = t.count - s.count, positives = t.positives - s.positives,"
      " payload_bytes = t.payload_bytes - s.payload_bytes,"
      " stored_bytes = greatest(0, t.stored_bytes - s.stored_bytes)"
      " FROM (SELECT k.kind, k.word, count(*),"
      " count(*) FILTER (WHERE positive) AS positives, sum(payload_bytes)::bigint AS payload_bytes,"
      " sum(CASE WHEN k.kind = 0 THEN {} + coalesce(octet_length(findings), 0) +"
      " coalesce((SELECT octet_length(p.jpeg) FROM fogline.thumbnail p WHERE p.id = d.id), 0)"
      " ELSE 0 END)::bigint AS stored_bytes"
      " FROM fogline.detection d, LATERAL (VALUES (0, d.device), (1, d.label), (2, d.mechanism),"
      " (3, d.model)) AS k (kind, word) WHERE d.id {} GROUP BY 1, 2) s"
      " WHERE t.kind = s.kind AND t.word = s.word",
      kPlainRowBytes, which);
  // Sequences without a sign fill the blocks: the shift keeps to the bits.
  const std::string remember = fmt::format(
      "INSERT INTO fogline.forgotten AS f (device, run, block, names, last_us)"
      " SELECT device, run, (sequence >> 6) & 288230376151711743,"
      " bit_or(1::bigint << (sequence & 63)::int), $2::bigint FROM fogline.detection"
      " WHERE id {} GROUP BY 1, 2, 3 ORDER BY min(id)"
      " ON CONFLICT (device, run, block) DO UPDATE SET names = f.names | excluded.names,"
      " last_us = excluded.last_us",
      which);
  FOGLINE_TRY(const PostgresRows lowered, postgres_.Run(lower, value));
  FOGLINE_TRY(const PostgresRows emptied,
              postgres_.Run("DELETE FROM fogline.tally WHERE count <= 0"));
  FOGLINE_TRY(const PostgresRows remembered, postgres_.Run(remember, named));
  for (const char* rows :
       {"DELETE FROM fogline.name n USING fogline.detection d WHERE n.device = d.device AND"
        " n.run = d.run AND n.sequence = d.sequence AND d.id",
        "DELETE FROM fogline.box WHERE id", "DELETE FROM fogline.thumbnail WHERE id",
        "DELETE FROM fogline.detection WHERE id"}) {
    FOGLINE_TRY(const PostgresRows done, postgres_.Run(fmt::format("{} {}", rows, which), value));
  }
  return {};
}

/// Readers hold up the dropping of a table and are held up by it: where they do not let go soon,
/// the next step tries again.
Status PostgresForgetter::DropEmptyPartitions() {
  FOGLINE_TRY(const PostgresRows empty,
              postgres_.Run("SELECT p.first FROM fogline.part p, fogline.about a"
                            " WHERE p.until <= a.forgotten_id + 1 ORDER BY p.first"));
  for (size_t i = 0; i < empty.size(); ++i) {
    const int64_t first = empty.Integer(i, 0);
    Status dropped = postgres_.Transact([&] {
      return postgres_.Execute(fmt::format(
          "SET LOCAL lock_timeout = '200ms';"
          "DROP TABLE IF EXISTS fogline.detection_{0}, fogline.box_{0}, fogline.thumbnail_{0};"
          "DELETE FROM fogline.part WHERE first = {0}",
          first));
    });
    if (!dropped && dropped.error().code != ErrorCode::kUnavailable) return dropped;
    if (!dropped) LogDebug("{}", dropped.error().ToString());
  }
  return {};
}

}  // namespace fogline
