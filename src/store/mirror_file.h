// A mirror's rows on disk, for whoever starts next.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/descriptor.h"
#include "base/result.h"
#include "store/columns.h"

namespace fogline {

/// A copy of what a store holds, which may be lost at any time: nothing is synced, everything is
/// checked when it is read (a CRC-32 a piece), and whatever is not whole is left out, with what
/// comes after it. Only its owner may read it: it has the exact place of every picture. One process
/// writes it, the others that use the same folder read what it wrote. Not thread-safe.
class MirrorFile {
 public:
  /// The file of the store with this epoch, made where it is missing, and its folder too.
  static Result<MirrorFile> Open(const std::filesystem::path& folder, const std::string& epoch);

  /// Of the newest row that Load would read if the file is whole; 0: there is none.
  uint64_t NewestId() const;

  /// Adds the rows to empty columns. How many steps of deletions they are without, see
  /// Store::Deletions; 0 where there are no rows.
  uint64_t Load(Columns& columns);

  /// Appends rows that the file does not have yet, at most kPiece of them; the columns are without
  /// what was deleted in so many steps, and the file must be too: see Clear. False where it lacks
  /// none, or cannot: that it says once in the log, and is of no use from then on.
  bool Append(const Columns& columns, uint64_t deletions);
  static constexpr size_t kPiece = 262'144;

  /// Whoever deleted or forgot rows wants them gone from here too: empties the file.
  void Clear();

  /// Of the newest row in the file; 0: there is none.
  uint64_t last_id() const { return last_id_; }
  uint64_t rows() const { return rows_; }
  /// False in a process that only reads what another one writes.
  bool writes() const { return writes_; }

 private:
  MirrorFile(std::filesystem::path path, std::string epoch, Descriptor file, bool writes)
      : path_(std::move(path)), epoch_(std::move(epoch)), file_(std::move(file)), writes_(writes) {}

  struct Piece {
    uint32_t bytes = 0, rows = 0, crc = 0;
    uint64_t last_id = 0;
  };
  bool GiveUp(const char* doing);
  bool ReadAt(uint64_t at, std::span<std::byte> out) const;
  bool Write(std::span<const std::byte> data);
  /// False where there is no head of this store's.
  bool ReadHead(uint64_t& deletions) const;
  /// The pieces up to the first that is not whole.
  std::vector<Piece> ReadPieces() const;

  std::filesystem::path path_;
  std::string epoch_;
  Descriptor file_;
  bool writes_;
  uint64_t end_ = 0;  // where the next piece goes; 0: there is no head
  uint64_t last_id_ = 0;
  uint64_t rows_ = 0;
  std::vector<std::byte> buffer_;
};

}  // namespace fogline
