#include "store/mirror_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <numeric>
#include <system_error>
#include <tuple>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/paths.h"

namespace fogline {
namespace {

// A head: these eight bytes, the epoch (16), deletions (u64), and the CRC-32 of all that. Then
// pieces, each with a head of its own: bytes (u32), rows (u32), newest id (u64), CRC-32 of the
// bytes, CRC-32 of this head so far. All little-endian.
constexpr std::string_view kKind = "FOGROWS1";
constexpr size_t kEpoch = 16;
constexpr size_t kHead = kKind.size() + kEpoch + sizeof(uint64_t) + sizeof(uint32_t);
constexpr size_t kPieceHead = 24;
/// No piece is larger: a length that claims more is no piece's.
constexpr uint32_t kMostBytes = 1U << 30;

std::vector<std::byte> HeadOf(const std::string& epoch, uint64_t deletions) {
  std::vector<std::byte> head;
  ByteWriter out(head);
  out.Append(kKind);
  out.Append(epoch);
  out.Write(deletions);
  out.Write(Crc32(head));
  return head;
}

}  // namespace

Result<MirrorFile> MirrorFile::Open(const std::filesystem::path& folder, const std::string& epoch) {
  FOGLINE_CHECK(MakeFolders(folder));
  const auto path = folder / (epoch + ".rows");
  const int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
  Descriptor file(open(path.c_str(), flags, S_IRUSR | S_IWUSR));
  if (!file || epoch.size() != kEpoch) {
    return Fail(CodeOfErrno(errno), path.string(), "cannot open: {}",
                std::generic_category().message(errno));
  }
  const bool writes = flock(file.get(), LOCK_EX | LOCK_NB) == 0;
  return MirrorFile(path, epoch, std::move(file), writes);
}

bool MirrorFile::ReadAt(uint64_t at, std::span<std::byte> out) const {
  while (!out.empty()) {
    const ssize_t n = pread(file_.get(), out.data(), out.size(), static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += static_cast<uint64_t>(n);
    out = out.subspan(static_cast<size_t>(n));
  }
  return true;
}

bool MirrorFile::ReadHead(uint64_t& deletions) const {
  std::vector<std::byte> head(kHead);
  if (!ReadAt(0, head)) return false;
  ByteReader in(head);
  in.Take(kKind.size() + kEpoch);
  deletions = in.Read<uint64_t>();
  return head == HeadOf(epoch_, deletions);
}

std::vector<MirrorFile::Piece> MirrorFile::ReadPieces() const {
  std::vector<Piece> pieces;
  std::vector<std::byte> head(kPieceHead);
  for (uint64_t at = kHead; ReadAt(at, head); at += kPieceHead + pieces.back().bytes) {
    ByteReader in(head);
    Piece piece;
    piece.bytes = in.Read<uint32_t>();
    piece.rows = in.Read<uint32_t>();
    piece.last_id = in.Read<uint64_t>();
    piece.crc = in.Read<uint32_t>();
    const auto crc = in.Read<uint32_t>();
    if (crc != Crc32(std::span(head).first(kPieceHead - sizeof(crc)))) break;
    if (piece.bytes > kMostBytes || piece.rows > kPiece) break;
    pieces.push_back(piece);
  }
  return pieces;
}

uint64_t MirrorFile::NewestId() const {
  uint64_t deletions = 0;
  if (!ReadHead(deletions)) return 0;
  const std::vector<Piece> pieces = ReadPieces();
  return pieces.empty() ? 0 : pieces.back().last_id;
}

uint64_t MirrorFile::Load(Columns& columns) {
  uint64_t deletions = 0;
  end_ = rows_ = last_id_ = 0;
  if (!ReadHead(deletions)) return 0;
  end_ = kHead;
  const std::vector<Piece> pieces = ReadPieces();
  columns.Reserve(std::accumulate(pieces.begin(), pieces.end(), size_t{0},
                                  [](size_t sum, const Piece& piece) { return sum + piece.rows; }));
  for (const Piece& piece : pieces) {
    buffer_.resize(piece.bytes);
    if (!ReadAt(end_ + kPieceHead, buffer_) || Crc32(buffer_) != piece.crc ||
        !columns.Unpack(buffer_)) {
      break;
    }
    end_ += kPieceHead + piece.bytes;
    rows_ += piece.rows;
    last_id_ = piece.last_id;
  }
  buffer_ = {};
  return rows_ == 0 ? 0 : deletions;
}

bool MirrorFile::GiveUp(const char* doing) {
  LogWarning("{}: cannot {}: {}; the next start reads the whole store", path_.string(), doing,
             std::generic_category().message(errno));
  writes_ = false;
  std::ignore = ftruncate(file_.get(), 0);  // a full disk has its room back, where that can be
  return false;
}

void MirrorFile::Clear() {
  end_ = rows_ = last_id_ = 0;
  if (writes_ && ftruncate(file_.get(), 0) != 0) GiveUp("empty");
}

bool MirrorFile::Write(std::span<const std::byte> data) {
  uint64_t at = end_;
  while (!data.empty()) {
    const ssize_t n = pwrite(file_.get(), data.data(), data.size(), static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += static_cast<uint64_t>(n);
    data = data.subspan(static_cast<size_t>(n));
  }
  end_ = at;
  return true;
}

bool MirrorFile::Append(const Columns& columns, uint64_t deletions) {
  if (!writes_) return false;
  if (end_ == 0 && (ftruncate(file_.get(), 0) != 0 || !Write(HeadOf(epoch_, deletions)))) {
    return GiveUp("write");
  }
  buffer_.assign(kPieceHead, std::byte{0});
  const uint64_t last = columns.Pack(last_id_, kPiece, buffer_);
  if (last == last_id_) return false;
  const auto packed = std::span(buffer_).subspan(kPieceHead);
  const auto rows = ByteReader(packed).Read<uint32_t>();
  ByteWriter head(buffer_);
  head.Patch(0, static_cast<uint32_t>(packed.size()));
  head.Patch(4, rows);
  head.Patch(8, last);
  head.Patch(16, Crc32(packed));
  head.Patch(20, Crc32(std::span(buffer_).first(kPieceHead - sizeof(uint32_t))));
  // What lies behind the last whole piece would be taken for a part of this one.
  if (ftruncate(file_.get(), static_cast<off_t>(end_)) != 0 || !Write(buffer_)) {
    return GiveUp("write");
  }
  last_id_ = last;
  rows_ += rows;
  buffer_ = {};
  return true;
}

}  // namespace fogline
