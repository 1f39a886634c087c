#include "store/postgres_writer.h"

#include <limits>

#include "base/log.h"
#include "store/postgres_row.h"
#include "store/postgres_schema.h"
#include "vision/findings_bytes.h"

namespace fogline {
namespace {

constexpr int64_t kNever = std::numeric_limits<int64_t>::min();
constexpr int64_t kForever = std::numeric_limits<int64_t>::max();

int64_t Signed(uint64_t value) { return static_cast<int64_t>(value); }

}  // namespace

Result<std::vector<PutOutcome>> PostgresWriter::Put(std::span<const Detection> batch,
                                                    std::span<const Settlement> settlements,
                                                    std::span<const int64_t> stored_us) {
  FOGLINE_CHECK(CheckBatch(batch, postgres_.where()));
  std::vector<PutOutcome> outcomes;
  if (batch.empty() && settlements.empty()) return outcomes;
  stored_us_.assign(stored_us.begin(), stored_us.end());
  if (stored_us.empty()) stored_us_.assign(batch.size(), options_.clock->WallMicros());
  bool again = false;
  waited_ = false;
  Status done = postgres_.Transact([&]() -> Status {
    if (again) words_.Forget();  // what was numbered in a transaction that failed is void
    again = true;
    outcomes.assign(batch.size(), {});
    FOGLINE_CHECK(PutAll(batch, outcomes));
    return Settle(settlements);
  });
  if (!done) {
    words_.Forget();
    if (waited_) EndUnheard();
    return Forward(std::move(done));
  }
  return outcomes;
}

void PostgresWriter::EndUnheard() {
  // The conditions first, as they are written: not in the order that a planner likes.
  const auto ended = postgres_.Run(
      "WITH unheard AS MATERIALIZED (SELECT pid FROM pg_stat_activity"
      " WHERE datname = current_database() AND application_name = 'fogline' AND state = 'active'"
      " AND wait_event = 'ClientRead' AND state_change < clock_timestamp() - interval '4 s')"
      " SELECT pid FROM unheard WHERE pg_terminate_backend(pid)");
  if (!ended || ended->size() == 0) return;
  LogWarning("{}: ended {} of a worker that was heard no more in the middle of writing",
             postgres_.where(), ended->size() == 1 ? "the connection" : "connections");
}

Status PostgresWriter::SetMark(const std::string& name, uint64_t id) {
  return postgres_
      .Run(
          "INSERT INTO fogline.mark VALUES ($1::text, $2::bigint)"
          " ON CONFLICT (name) DO UPDATE SET id = excluded.id",
          PostgresParameters().Add(name).AddUnsigned(id))
      .map([](const PostgresRows&) {});
}

Result<bool> PostgresWriter::Hold(const std::string& name, const std::string& holder,
                                  std::chrono::milliseconds time) {
  return postgres_
      .Run(
          "INSERT INTO fogline.hold AS h VALUES ($1::text, $2::text,"
          " clock_timestamp() + $3::bigint * interval '1 millisecond') ON CONFLICT (name)"
          " DO UPDATE SET holder = excluded.holder, until = excluded.until WHERE"
          " h.holder = excluded.holder OR h.until <= clock_timestamp() RETURNING 1",
          PostgresParameters().Add(name).Add(holder).Add(int64_t{time.count()}))
      .map([](const PostgresRows& held) { return held.size() == 1; });
}

Status PostgresWriter::PutAll(std::span<const Detection> batch, std::vector<PutOutcome>& outcomes) {
  // From here on until the commit nobody else writes: ids are given in the order of commits.
  waited_ = true;
  FOGLINE_TRY(const PostgresRows about,
              postgres_.Run("SELECT last_id, part_end, part_rows FROM fogline.about FOR UPDATE"));
  waited_ = false;
  if (about.size() != 1) {
    return Fail(ErrorCode::kConflict, postgres_.where(), "is not the store that was in it");
  }
  uint64_t last_id = about.Unsigned(0, 0);
  std::vector<Numbers> numbers;
  for (const Detection& d : batch) {
    Numbers& number = numbers.emplace_back();
    for (const auto& [text, out] : {std::pair{&d.device, &number.device},
                                    {&d.label, &number.label},
                                    {&d.mechanism, &number.mechanism},
                                    {&d.model, &number.model},
                                    {&d.cut, &number.cut},
                                    {&d.codec, &number.codec}}) {
      FOGLINE_TRY(*out, words_.NumberOf(*text));
    }
  }
  if (batch.empty()) return {};
  FOGLINE_TRY(auto known, Known(batch, numbers));
  const uint64_t before = last_id;
  for (size_t i = 0; i < batch.size(); ++i) {
    const Name name{numbers[i].device, batch[i].run, batch[i].sequence};
    const auto [at, fresh] = known.try_emplace(name, last_id + 1);
    if (fresh) ++last_id;
    outcomes[i] = {fresh ? PutOutcome::kStored : PutOutcome::kDuplicate, at->second};
  }
  if (last_id == before) return {};
  FOGLINE_CHECK(ExtendPartitions(postgres_, about.Unsigned(0, 1), about.Unsigned(0, 2), last_id));
  FOGLINE_CHECK(Insert(batch, numbers, outcomes));
  FOGLINE_CHECK(Count(batch, numbers, outcomes));
  FOGLINE_TRY(const PostgresRows told,
              postgres_.Run("UPDATE fogline.about SET last_id = $1::bigint RETURNING"
                            " pg_notify('fogline_stored', '')::text",
                            PostgresParameters().AddUnsigned(last_id)));
  return {};
}

Result<std::map<PostgresWriter::Name, uint64_t>> PostgresWriter::Known(
    std::span<const Detection> batch, std::span<const Numbers> numbers) {
  std::vector<int64_t> devices, runs, sequences, blocks;
  for (size_t i = 0; i < batch.size(); ++i) {
    devices.push_back(numbers[i].device);
    runs.push_back(Signed(batch[i].run));
    sequences.push_back(Signed(batch[i].sequence));
    blocks.push_back(Signed(batch[i].sequence / kPostgresNamesInBlock));
  }
  PostgresParameters names;
  for (const auto* values : {&devices, &runs, &sequences, &blocks}) names.AddArray(*values);
  FOGLINE_TRY(
      const PostgresRows found,
      postgres_.Run("SELECT k.device, k.run, k.sequence, coalesce(n.id, 0) FROM"
                    " unnest($1::int[], $2::bigint[], $3::bigint[], $4::bigint[])"
                    " AS k (device, run, sequence, block)"
                    " LEFT JOIN fogline.name n ON n.device = k.device AND n.run = k.run"
                    " AND n.sequence = k.sequence"
                    " LEFT JOIN fogline.forgotten f ON f.device = k.device AND f.run = k.run"
                    " AND f.block = k.block"
                    " WHERE n.id IS NOT NULL OR (f.names >> (k.sequence & 63)::int) & 1 = 1",
                    names));
  std::map<Name, uint64_t> known;
  for (size_t i = 0; i < found.size(); ++i) {
    known[{found.Integer(i, 0), found.Unsigned(i, 1), found.Unsigned(i, 2)}] = found.Unsigned(i, 3);
  }
  return known;
}

Status PostgresWriter::Insert(std::span<const Detection> batch, std::span<const Numbers> numbers,
                              std::span<const PutOutcome> outcomes) {
  PostgresCopy rows, names, boxes, pictures;
  for (size_t i = 0; i < batch.size(); ++i) {
    const PutOutcome& outcome = outcomes[i];
    if (outcome.kind != PutOutcome::kStored) continue;
    const Detection& d = batch[i];
    const Numbers& n = numbers[i];
    names.Row(4);
    names.Int(n.device);
    names.BigUnsigned(d.run);
    names.BigUnsigned(d.sequence);
    names.BigUnsigned(outcome.id);
    AppendPostgresRow(d, outcome.id, stored_us_[i],
                      {n.device, n.model, n.label, n.mechanism, n.cut, n.codec}, rows);
    AppendPostgresBoxes(d, outcome.id, boxes);
    if (!d.thumbnail.empty()) {
      pictures.Row(2);
      pictures.BigUnsigned(outcome.id);
      pictures.Bytes(d.thumbnail);
    }
  }
  for (const auto& [table, copy] : {std::pair{"name", &names},
                                    {"detection", &rows},
                                    {"box", &boxes},
                                    {"thumbnail", &pictures}}) {
    if (copy->empty()) continue;
    FOGLINE_CHECK(
        postgres_.Copy(fmt::format("COPY fogline.{} FROM STDIN (FORMAT binary)", table), *copy));
  }
  return {};
}

Status PostgresWriter::Count(std::span<const Detection> batch, std::span<const Numbers> numbers,
                             std::span<const PutOutcome> outcomes) {
  std::map<std::pair<int64_t, int64_t>, ValueTally> tallies;  // kind and word
  std::vector<std::byte> findings;
  for (size_t i = 0; i < batch.size(); ++i) {
    if (outcomes[i].kind != PutOutcome::kStored) continue;
    const Detection& d = batch[i];
    const Numbers& n = numbers[i];
    findings.clear();
    if (d.findings) WriteFindings(*d.findings, findings);
    const size_t found = findings.size();
    for (const auto& key :
         {std::pair<int64_t, int64_t>{0, n.device}, {1, n.label}, {2, n.mechanism}, {3, n.model}}) {
      const auto [entry, fresh] = tallies.try_emplace(key);
      ValueTally& tally = entry->second;
      if (fresh) {  // what any time is below and above
        tally.first_us = kForever;
        tally.last_us = kNever;
      }
      if (d.captured_from != TimeSource::kNone) {
        tally.first_us = std::min(tally.first_us, d.captured_us);
        tally.last_us = std::max(tally.last_us, d.captured_us);
      }
      ++tally.count;
      tally.positives += d.positive ? 1 : 0;
      tally.payload_bytes += d.payload_bytes;
      if (key.first == 0) tally.stored_bytes += StoredBytes(found, d.thumbnail.size());
    }
  }
  std::vector<int64_t> kinds, words, counts, positives, bytes, firsts, lasts, stored;
  for (const auto& [key, tally] : tallies) {
    kinds.push_back(key.first);
    words.push_back(key.second);
    counts.push_back(Signed(tally.count));
    positives.push_back(Signed(tally.positives));
    bytes.push_back(Signed(tally.payload_bytes));
    firsts.push_back(tally.first_us);
    lasts.push_back(tally.last_us);
    stored.push_back(Signed(tally.stored_bytes));
  }
  PostgresParameters values;
  for (const auto* array :
       {&kinds, &words, &counts, &positives, &bytes, &firsts, &lasts, &stored}) {
    values.AddArray(*array);
  }
  FOGLINE_TRY(
      const PostgresRows done,
      postgres_.Run("INSERT INTO fogline.tally AS t SELECT * FROM unnest($1::smallint[], $2::int[],"
                    " $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],"
                    " $8::bigint[])"
                    " ON CONFLICT (kind, word) DO UPDATE SET count = t.count + excluded.count,"
                    " positives = t.positives + excluded.positives,"
                    " payload_bytes = t.payload_bytes + excluded.payload_bytes,"
                    " stored_bytes = t.stored_bytes + excluded.stored_bytes,"
                    " first_us = least(t.first_us, excluded.first_us),"
                    " last_us = greatest(t.last_us, excluded.last_us)",
                    values));
  return {};
}

Status PostgresWriter::Settle(std::span<const Settlement> settlements) {
  std::vector<int64_t> devices, runs, sequences;
  std::vector<float> times;
  for (const Settlement& late : settlements) {
    FOGLINE_TRY(const int64_t device, words_.Find(late.device));
    if (device == 0) continue;  // never stored here: nothing to add the time to
    devices.push_back(device);
    runs.push_back(Signed(late.run));
    sequences.push_back(Signed(late.sequence));
    times.push_back(late.network_ms);
  }
  if (devices.empty()) return {};
  PostgresParameters values;
  for (const auto* array : {&devices, &runs, &sequences}) values.AddArray(*array);
  values.AddArray(std::span<const float>(times));
  FOGLINE_TRY(const PostgresRows done,
              postgres_.Run("UPDATE fogline.detection d SET network_ms = s.time FROM"
                            " unnest($1::int[], $2::bigint[], $3::bigint[], $4::real[])"
                            " AS s (device, run, sequence, time) JOIN fogline.name n ON"
                            " n.device = s.device AND n.run = s.run AND n.sequence = s.sequence"
                            " WHERE d.id = n.id",
                            values));
  return {};
}

}  // namespace fogline
