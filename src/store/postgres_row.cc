#include "store/postgres_row.h"

#include "vision/findings_bytes.h"

namespace fogline {
namespace {

constexpr int kFixedColumns = 22;
constexpr int kFirstStage = kFixedColumns;
/// Those that hold numbers of words.
constexpr int kWordColumns[] = {1, 10, 11, 14, 15, 16};

}  // namespace

void AppendPostgresRow(const Detection& d, uint64_t id, int64_t stored_us,
                       const PostgresRowWords& words, PostgresCopy& out) {
  out.Row(kFixedColumns + static_cast<int>(kStages.size()));
  out.BigUnsigned(id);
  out.Int(words.device);
  out.BigUnsigned(d.run);
  out.BigUnsigned(d.sequence);
  out.Big(d.captured_from == TimeSource::kNone ? 0 : d.captured_us);
  out.Big(stored_us);
  if (d.has_position) {
    out.Double(d.lat);
    out.Double(d.lon);
  } else {
    out.Null();
    out.Null();
  }
  out.Known(d.accuracy_m);
  out.Known(d.heading_deg);
  out.Int(words.model);
  out.Int(words.label);
  out.Float(StoredScore(d.score));
  out.Bool(d.positive);
  out.Int(words.mechanism);
  out.Int(words.cut);
  out.Int(words.codec);
  out.Big(int64_t{d.payload_bytes});
  out.Bool(!d.thumbnail.empty());
  out.Small(static_cast<int16_t>(d.captured_from));
  if (d.findings) {
    std::vector<std::byte> findings;
    WriteFindings(*d.findings, findings);
    out.Bytes(findings);
  } else {
    out.Null();
  }
  if (d.counts) {
    out.Text(ToString(*d.counts));
  } else {
    out.Null();
  }
  for (const StageField& stage : kStages) out.Known(d.stages.*stage.time_ms);
}

void AppendPostgresBoxes(const Detection& d, uint64_t id, PostgresCopy& out) {
  int64_t number = 0;
  for (const FoundBox& box : BoxesOf(d.findings)) {
    out.Row(8);
    out.BigUnsigned(id);
    out.Int(number++);
    out.Text(box.label);
    for (const float value : {box.score, box.x, box.y, box.w, box.h}) out.Float(value);
  }
}

std::string SelectPostgresRows() {
  std::string sql =
      "SELECT id, device, run, sequence, captured_us, stored_us, lat, lon, accuracy_m,"
      " heading_deg, model, label, score, positive, mechanism, cut, codec, payload_bytes,"
      " thumbnail, captured_from, findings, counts";
  for (const StageField& stage : kStages) sql += fmt::format(", {}_ms", stage.name);
  return sql + " FROM fogline.detection d ";
}

Result<std::vector<StoredDetection>> ReadPostgresRows(const PostgresRows& rows,
                                                      PostgresWords& words) {
  std::vector<int64_t> numbers;
  for (size_t i = 0; i < rows.size(); ++i) {
    for (const int column : kWordColumns) numbers.push_back(rows.Integer(i, column));
  }
  FOGLINE_CHECK(words.Learn(numbers));
  std::vector<StoredDetection> read;
  read.reserve(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto known = [&](int column) {
      return rows.IsNull(i, column) ? kUnknown : static_cast<float>(rows.Real(i, column));
    };
    StoredDetection& stored = read.emplace_back();
    Detection& d = stored.detection;
    stored.id = rows.Unsigned(i, 0);
    FOGLINE_TRY(d.device, words.TextOf(rows.Integer(i, 1)));
    d.run = rows.Unsigned(i, 2);
    d.sequence = rows.Unsigned(i, 3);
    d.captured_us = rows.Integer(i, 4);
    stored.stored_us = rows.Integer(i, 5);
    d.has_position = !rows.IsNull(i, 6);
    if (d.has_position) {
      d.lat = rows.Real(i, 6);
      d.lon = rows.Real(i, 7);
    }
    d.accuracy_m = known(8);
    d.heading_deg = known(9);
    FOGLINE_TRY(d.model, words.TextOf(rows.Integer(i, 10)));
    FOGLINE_TRY(d.label, words.TextOf(rows.Integer(i, 11)));
    d.score = known(12);
    d.positive = rows.Integer(i, 13) != 0;
    FOGLINE_TRY(d.mechanism, words.TextOf(rows.Integer(i, 14)));
    FOGLINE_TRY(d.cut, words.TextOf(rows.Integer(i, 15)));
    FOGLINE_TRY(d.codec, words.TextOf(rows.Integer(i, 16)));
    d.payload_bytes = static_cast<uint32_t>(rows.Integer(i, 17));
    stored.has_thumbnail = rows.Integer(i, 18) != 0;
    d.captured_from =
        TimeSourceOf(static_cast<uint8_t>(rows.Integer(i, 19))).value_or(TimeSource::kNone);
    if (!rows.IsNull(i, 20)) {
      FOGLINE_TRY(d.findings, StoredFindings(rows.Bytes(i, 20)));
    }
    if (!rows.IsNull(i, 21)) d.counts = ParseDeviceCounts(rows.Text(i, 21));
    for (size_t k = 0; k < kStages.size(); ++k) {
      d.stages.*kStages[k].time_ms = known(kFirstStage + static_cast<int>(k));
    }
  }
  return read;
}

}  // namespace fogline
