// A detection as a row of PostgreSQL.
#pragma once

#include <cstdint>
#include <vector>

#include "store/postgres_rows.h"
#include "store/postgres_words.h"
#include "store/store.h"

namespace fogline {

/// Numbers of the words of a row.
struct PostgresRowWords {
  int64_t device, model, label, mechanism, cut, codec;
};

/// Appends a row for COPY, every column of fogline.detection in its order.
void AppendPostgresRow(const Detection& detection, uint64_t id, int64_t stored_us,
                       const PostgresRowWords& words, PostgresCopy& out);
/// Appends the rows of fogline.box, if there are any.
void AppendPostgresBoxes(const Detection& detection, uint64_t id, PostgresCopy& out);

/// "SELECT …columns… FROM fogline.detection d ", of which ReadPostgresRows makes detections.
std::string SelectPostgresRows();
Result<std::vector<StoredDetection>> ReadPostgresRows(const PostgresRows& rows,
                                                      PostgresWords& words);

}  // namespace fogline
