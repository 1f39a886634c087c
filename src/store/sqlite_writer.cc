#include "store/sqlite_writer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "store/sqlite_schema.h"
#include "vision/findings_bytes.h"

namespace fogline {
namespace {

using StageFloats = std::array<float, kStages.size()>;

StageFloats Pack(const StageTimes& stages) {
  StageFloats packed;
  for (size_t i = 0; i < kStages.size(); ++i) packed[i] = stages.*kStages[i].time_ms;
  return packed;
}

void BindKnown(SqliteStatement& statement, int at, float value) {
  if (std::isnan(value)) {
    statement.BindNull(at);
  } else {
    statement.Bind(at, static_cast<double>(value));
  }
}

}  // namespace

Result<std::unique_ptr<SqliteWriter>> SqliteWriter::Make(SqliteDatabase& database,
                                                         const StoreOptions& options) {
  std::unique_ptr<SqliteWriter> writer(new SqliteWriter(database, options));
  FOGLINE_TRY(writer->begin_, database.Prepare("BEGIN IMMEDIATE"));
  FOGLINE_TRY(writer->commit_, database.Prepare("COMMIT"));
  FOGLINE_TRY(writer->rollback_, database.Prepare("ROLLBACK"));
  FOGLINE_TRY(writer->insert_,
              database.Prepare(
                  "INSERT INTO detection (device, run, sequence, captured_us, stored_us, lat, lon,"
                  " accuracy_m, heading_deg, model, label, score, positive, mechanism, cut, codec,"
                  " payload_bytes, thumbnail, stages, captured_from, findings, counts)"
                  " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"));
  FOGLINE_TRY(writer->find_,
              database.Prepare("SELECT id FROM detection WHERE device = ? AND run = ?"
                               " AND sequence = ?"));
  FOGLINE_TRY(writer->any_forgotten_, database.Prepare("SELECT 1 FROM forgotten LIMIT 1"));
  FOGLINE_TRY(writer->forgotten_,
              database.Prepare("SELECT names FROM forgotten WHERE device = ? AND run = ?"
                               " AND block = ?"));
  FOGLINE_TRY(writer->place_, database.Prepare("INSERT INTO place VALUES (?1, ?2, ?2, ?3, ?3)"));
  FOGLINE_TRY(writer->thumbnail_, database.Prepare("INSERT INTO thumbnail VALUES (?, ?)"));
  FOGLINE_TRY(
      writer->tally_,
      database.Prepare("INSERT INTO tally VALUES (?,?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET"
                       " count = count + excluded.count,"
                       " positives = positives + excluded.positives,"
                       " payload_bytes = payload_bytes + excluded.payload_bytes,"
                       " stored_bytes = stored_bytes + excluded.stored_bytes,"
                       " first_us = min(first_us, excluded.first_us),"
                       " last_us = max(last_us, excluded.last_us)"));
  FOGLINE_TRY(writer->stages_, database.Prepare("SELECT id, stages FROM detection"
                                                " WHERE device = ? AND run = ? AND sequence = ?"));
  FOGLINE_TRY(writer->mark_, database.Prepare("INSERT INTO about VALUES ('mark:' || ?, ?)"
                                              " ON CONFLICT DO UPDATE SET value = excluded.value"));
  // "UNTIL_US HOLDER", of which a cast reads the number in front.
  FOGLINE_TRY(writer->hold_,
              database.Prepare("INSERT INTO about VALUES ('hold:' || ?1, ?2 || ' ' || ?3)"
                               " ON CONFLICT DO UPDATE SET value = excluded.value WHERE"
                               " CAST(value AS INTEGER) <= ?4"
                               " OR substr(value, instr(value, ' ') + 1) = ?3 RETURNING 1"));
  FOGLINE_TRY(writer->settle_, database.Prepare("UPDATE detection SET stages = ? WHERE id = ?"));
  return writer;
}

Result<std::vector<PutOutcome>> SqliteWriter::Put(std::span<const Detection> batch,
                                                  std::span<const Settlement> settlements,
                                                  std::span<const int64_t> stored_us) {
  FOGLINE_CHECK(CheckBatch(batch, database_.path()));
  std::vector<PutOutcome> outcomes;
  if (batch.empty() && settlements.empty()) return outcomes;
  tallies_.clear();
  FOGLINE_CHECK(begin_.Run());
  Status done = PutAll(batch, settlements, stored_us, outcomes);
  if (done) done = commit_.Run();
  if (!done) {
    // SQLite may have rolled back by itself already; then this fails, and that is fine.
    (void)rollback_.Run();
    words_.Forget();
    return Forward(std::move(done));
  }
  return outcomes;
}

Status SqliteWriter::Probe() {
  FOGLINE_CHECK(begin_.Run());
  Status done = database_.Execute("UPDATE about SET value = value WHERE name = 'epoch'");
  if (done) done = commit_.Run();
  if (!done) (void)rollback_.Run();
  return done;
}

Status SqliteWriter::PutAll(std::span<const Detection> batch,
                            std::span<const Settlement> settlements,
                            std::span<const int64_t> stored_us, std::vector<PutOutcome>& outcomes) {
  const int64_t now_us = options_.clock->WallMicros();
  outcomes.reserve(batch.size());
  FOGLINE_TRY(some_forgotten_, any_forgotten_.Step());
  any_forgotten_.Reset();
  for (size_t i = 0; i < batch.size(); ++i) {
    FOGLINE_TRY(const PutOutcome outcome,
                PutOne(batch[i], stored_us.empty() ? now_us : stored_us[i]));
    outcomes.push_back(outcome);
  }
  for (const Settlement& settlement : settlements) FOGLINE_CHECK(Settle(settlement));
  return WriteTallies();
}

Result<PutOutcome> SqliteWriter::PutOne(const Detection& d, int64_t stored_us) {
  FOGLINE_TRY(const int64_t device, words_.NumberOf(d.device));
  FOGLINE_TRY(const int64_t model, words_.NumberOf(d.model));
  FOGLINE_TRY(const int64_t label, words_.NumberOf(d.label));
  FOGLINE_TRY(const int64_t mechanism, words_.NumberOf(d.mechanism));
  FOGLINE_TRY(const int64_t cut, words_.NumberOf(d.cut));
  FOGLINE_TRY(const int64_t codec, words_.NumberOf(d.codec));

  if (some_forgotten_) {
    FOGLINE_TRY(const bool gone, IsForgotten(device, d.run, d.sequence));
    if (gone) return PutOutcome{PutOutcome::kDuplicate, 0};
  }
  // Looked for first: an insert that meets a row of its name would use up an id.
  FOGLINE_TRY(const uint64_t there, Find(device, d.run, d.sequence));
  if (there != 0) return PutOutcome{PutOutcome::kDuplicate, there};
  const StageFloats stages = Pack(d.stages);
  insert_.Bind(1, device);
  insert_.BindUnsigned(2, d.run);
  insert_.BindUnsigned(3, d.sequence);
  const bool timed = d.captured_from != TimeSource::kNone;
  insert_.Bind(4, timed ? d.captured_us : 0);
  insert_.Bind(5, stored_us);
  if (d.has_position) {
    insert_.Bind(6, d.lat);
    insert_.Bind(7, d.lon);
  } else {
    insert_.BindNull(6);
    insert_.BindNull(7);
  }
  BindKnown(insert_, 8, d.accuracy_m);
  BindKnown(insert_, 9, d.heading_deg);
  insert_.Bind(10, model);
  insert_.Bind(11, label);
  insert_.Bind(12, static_cast<double>(StoredScore(d.score)));
  insert_.Bind(13, int64_t{d.positive});
  insert_.Bind(14, mechanism);
  insert_.Bind(15, cut);
  insert_.Bind(16, codec);
  insert_.Bind(17, int64_t{d.payload_bytes});
  insert_.Bind(18, int64_t{!d.thumbnail.empty()});
  insert_.Bind(19, std::as_bytes(std::span(stages)));
  insert_.Bind(20, static_cast<int64_t>(d.captured_from));
  BindFurther(d);
  FOGLINE_CHECK(insert_.Run());
  const int64_t id = database_.last_insert_id();
  if (d.has_position) {
    place_.Bind(1, id);
    place_.Bind(2, d.lon);
    place_.Bind(3, d.lat);
    FOGLINE_CHECK(place_.Run());
  }
  if (!d.thumbnail.empty()) {
    thumbnail_.Bind(1, id);
    thumbnail_.Bind(2, std::span<const std::byte>(d.thumbnail));
    FOGLINE_CHECK(thumbnail_.Run());
  }
  for (const auto& [kind, word] : {std::pair{TallyKind::kDevice, device},
                                   {TallyKind::kLabel, label},
                                   {TallyKind::kMechanism, mechanism},
                                   {TallyKind::kModel, model}}) {
    Count(d, kind, word);
  }
  return PutOutcome{PutOutcome::kStored, static_cast<uint64_t>(id)};
}

Result<uint64_t> SqliteWriter::Find(int64_t device, uint64_t run, uint64_t sequence) {
  find_.Bind(1, device);
  find_.BindUnsigned(2, run);
  find_.BindUnsigned(3, sequence);
  const Result<bool> row = find_.Step();
  const uint64_t id = row && *row ? static_cast<uint64_t>(find_.Integer(0)) : 0;
  find_.Reset();
  if (!row) return tl::unexpected<Error>(row.error());
  return id;
}

/// What few rows have.
void SqliteWriter::BindFurther(const Detection& d) {
  if (d.findings) {
    findings_.clear();
    WriteFindings(*d.findings, findings_);
    insert_.Bind(21, std::span<const std::byte>(findings_));
  } else {
    insert_.BindNull(21);
  }
  if (d.counts) {
    counts_ = ToString(*d.counts);
    insert_.Bind(22, std::string_view(counts_));
  } else {
    insert_.BindNull(22);
  }
}

Result<bool> SqliteWriter::IsForgotten(int64_t device, uint64_t run, uint64_t sequence) {
  forgotten_.Bind(1, device);
  forgotten_.BindUnsigned(2, run);
  forgotten_.BindUnsigned(3, sequence / kSqliteNamesInBlock);
  Result<bool> row = forgotten_.Step();
  const uint64_t names = row && *row ? static_cast<uint64_t>(forgotten_.Integer(0)) : 0;
  forgotten_.Reset();
  if (!row) return row;
  return (names >> (sequence % kSqliteNamesInBlock) & 1) != 0;
}

void SqliteWriter::Count(const Detection& d, TallyKind kind, int64_t word) {
  const auto [entry, fresh] = tallies_.try_emplace({kind, word});
  ValueTally& tally = entry->second;
  if (fresh) {  // what any time is below and above
    tally.first_us = std::numeric_limits<int64_t>::max();
    tally.last_us = std::numeric_limits<int64_t>::min();
  }
  if (d.captured_from != TimeSource::kNone) {
    tally.first_us = std::min(tally.first_us, d.captured_us);
    tally.last_us = std::max(tally.last_us, d.captured_us);
  }
  ++tally.count;
  tally.positives += d.positive ? 1 : 0;
  tally.payload_bytes += d.payload_bytes;
  if (kind == TallyKind::kDevice) {
    tally.stored_bytes += StoredBytes(d.findings ? findings_.size() : 0, d.thumbnail.size());
  }
}

Status SqliteWriter::Settle(const Settlement& settlement) {
  FOGLINE_TRY(const int64_t device, words_.NumberOf(settlement.device));
  stages_.Bind(1, device);
  stages_.BindUnsigned(2, settlement.run);
  stages_.BindUnsigned(3, settlement.sequence);
  FOGLINE_TRY(const bool row, stages_.Step());
  StageFloats packed;
  packed.fill(kUnknown);
  int64_t id = 0;
  if (row) {
    id = stages_.Integer(0);
    const auto blob = stages_.Blob(1);
    std::memcpy(packed.data(), blob.data(), std::min(blob.size(), sizeof(packed)));
  }
  stages_.Reset();
  if (!row) return {};  // never stored here, or not any more: nothing to add the time to
  for (size_t i = 0; i < kStages.size(); ++i) {
    if (kStages[i].time_ms == &StageTimes::network) packed[i] = settlement.network_ms;
  }
  settle_.Bind(1, std::as_bytes(std::span(packed)));
  settle_.Bind(2, id);
  return settle_.Run();
}

Status SqliteWriter::SetMark(const std::string& name, uint64_t id) {
  const std::string value = std::to_string(id);
  mark_.Bind(1, std::string_view(name));
  mark_.Bind(2, std::string_view(value));
  return mark_.Run();
}

Result<bool> SqliteWriter::Hold(const std::string& name, const std::string& holder,
                                std::chrono::milliseconds time) {
  const int64_t now_us = options_.clock->WallMicros();
  hold_.Bind(1, std::string_view(name));
  hold_.Bind(2, now_us + std::chrono::microseconds(time).count());
  hold_.Bind(3, std::string_view(holder));
  hold_.Bind(4, now_us);
  Result<bool> held = hold_.Step();
  hold_.Reset();
  return held;
}

Status SqliteWriter::WriteTallies() {
  for (const auto& [key, tally] : tallies_) {
    tally_.Bind(1, static_cast<int64_t>(key.first));
    tally_.Bind(2, key.second);
    tally_.BindUnsigned(3, tally.count);
    tally_.BindUnsigned(4, tally.positives);
    tally_.BindUnsigned(5, tally.payload_bytes);
    tally_.Bind(6, tally.first_us);
    tally_.Bind(7, tally.last_us);
    tally_.BindUnsigned(8, tally.stored_bytes);
    FOGLINE_CHECK(tally_.Run());
  }
  return {};
}

}  // namespace fogline
