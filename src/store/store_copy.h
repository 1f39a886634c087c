// Moves the rows of one store into another, whatever either stands on, while both are worked with.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "store/store.h"

namespace fogline {

/// What a copy did, or has done so far.
struct CopyReport {
  uint64_t began_after = 0;  // the id up to which an earlier copy had come; 0: none had
  uint64_t end = 0;          // the newest id of the source when this copy began: it ends there
  uint64_t at = 0;           // the id that it has come to
  uint64_t copied = 0;       // rows that the target did not have
  uint64_t known = 0;        // rows that it had
  bool verifying = false;
  // Of the check at the end, over everything that the source holds up to `end`:
  uint64_t compared = 0;   // rows that both hold
  uint64_t repaired = 0;   // rows that had gone missing in the target, and were copied again
  uint64_t own = 0;        // rows that reached the target from elsewhere, and are not compared
  uint64_t forgotten = 0;  // rows that the target has forgotten since
  uint64_t settled = 0;    // network times that came later than their rows, brought after them
  std::string checksum_from, checksum_to;  // SHA-256 over the rows compared, in the source's order
};

struct CopyOptions {
  size_t page_rows = 500;               // rows that the target stores in one transaction, at most
  size_t page_bytes = size_t{8} << 20;  // and what their pictures may take
  /// Hears how far it is, page by page; false stops it.
  std::function<bool(const CopyReport&)> progress = [](const CopyReport&) { return true; };
};

/// Copies what `from` holds now into `to`, pictures, findings and the time of storing included, and
/// then holds the rows of both against each other. Rows keep their order, not their ids. How far it
/// came is kept in the target (Store::Mark), so that a copy that was cut off goes on there; a row
/// that is put twice is one row. kConflict where both are one store, or where a row that was copied
/// differs; what either store fails with; kCancelled when `progress` stopped it.
Result<CopyReport> CopyStore(Store& from, Store& to, const CopyOptions& options = {});

}  // namespace fogline
