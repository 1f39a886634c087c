#include "vision/exif_block.h"

#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "vision/heif.h"
#include "vision/png_chunks.h"

namespace fogline {
namespace {

using Bytes = std::span<const std::byte>;
constexpr std::string_view kHead("Exif\0\0", 6);
constexpr size_t kMostText = size_t{1} << 20;  // of a text profile, unpacked

size_t Byte(Bytes bytes, size_t at) { return std::to_integer<size_t>(bytes[at]); }
size_t LittleEndian32(Bytes b, size_t at) {
  return Byte(b, at + 3) << 24 | Byte(b, at + 2) << 16 | Byte(b, at + 1) << 8 | Byte(b, at);
}

/// With the six bytes that JPEG puts in front; files of the other kinds have them or not.
std::vector<std::byte> WithHead(Bytes block) {
  std::vector<std::byte> out;
  out.reserve(kHead.size() + block.size());
  if (!StartsWith(block, kHead)) {
    const auto head = std::as_bytes(std::span(kHead));
    out.assign(head.begin(), head.end());
  }
  out.insert(out.end(), block.begin(), block.end());
  return out;
}

/// A piece of a JPEG from `begin` on: a marker with its segment, or stray bytes.
struct Piece {
  size_t code = 0;  // the marker's second byte; 0: stray bytes, as scans are
  Bytes body;       // of the segment; empty for a marker without one
  size_t end = 0;
};

/// The next one; stray bytes are pieces of their own, as decoders pass over them. `at` + 1 lies
/// within the file.
Piece NextPiece(Bytes file, size_t at) {
  size_t code = Byte(file, at + 1);
  if (file[at] != std::byte{0xFF} || code == 0 || code == 0xFF) return {0, {}, at + 1};
  const bool alone = code == 0x01 || (code >= 0xD0 && code <= 0xD9);
  if (alone || at + 4 > file.size()) return {code, {}, at + 2};
  const size_t length = Byte(file, at + 2) << 8 | Byte(file, at + 3);
  if (length < 2) return {code, {}, file.size()};
  const size_t there = std::min(length - 2, file.size() - at - 4);
  return {code, file.subspan(at + 4, there), at + 4 + there};
}

constexpr size_t kEnd = 0xD9, kScan = 0xDA, kApplication = 0xE0, kComment = 0xFE;

/// Segment by segment up to the scan.
std::vector<std::byte> FromJpeg(Bytes file) {
  for (size_t at = 2; at + 4 <= file.size();) {
    const Piece piece = NextPiece(file, at);
    if (piece.code == kEnd || piece.code == kScan) break;
    if (piece.code == kApplication + 1 && StartsWith(piece.body, kHead)) {
      return WithHead(piece.body);
    }
    at = piece.end;
  }
  return {};
}

/// Whether a segment says what the pixels mean, or more than that.
bool IsAboutPixels(const Piece& piece) {
  if (piece.code == kComment) return false;
  if (piece.code < kApplication || piece.code > kApplication + 15) return true;
  const bool colours = piece.code == kApplication + 2 && StartsWith(piece.body, "ICC_PROFILE");
  return colours || piece.code == kApplication || piece.code == kApplication + 14;
}

std::vector<std::byte> FromWebp(Bytes file) {
  for (size_t at = 12; at + 8 <= file.size();) {
    const size_t length = LittleEndian32(file, at + 4);
    const Bytes body = file.subspan(at + 8, std::min(length, file.size() - at - 8));
    if (StartsWith(file.subspan(at), "EXIF")) return WithHead(body);
    at += 8 + length + (length & 1);
  }
  return {};
}

/// What zlib packed, as far as it goes and up to the limit.
std::string Inflate(Bytes packed) {
  std::string text(kMostText, '\0');
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) return {};
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(text.data());
  stream.avail_out = static_cast<uInt>(text.size());
  inflate(&stream, Z_FINISH);
  text.resize(stream.total_out);
  inflateEnd(&stream);
  return text;
}

/// ImageMagick's profiles: a line break, the name, the length in decimal, then hex digits in lines.
std::vector<std::byte> FromHexProfile(std::string_view text) {
  for (int line = 0; line < 3; ++line) {
    const size_t end = text.find('\n');
    if (end == text.npos) return {};
    text.remove_prefix(end + 1);
  }
  std::vector<std::byte> bytes;
  int high = -1;
  for (char c : text) {
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0) continue;
    if (high < 0) {
      high = digit;
    } else {
      bytes.push_back(static_cast<std::byte>(high << 4 | digit));
      high = -1;
    }
  }
  return bytes.empty() ? bytes : WithHead(bytes);
}

/// The text of a chunk that holds an EXIF profile; nothing for other texts.
std::optional<std::string> ProfileText(Bytes body, bool packed) {
  constexpr std::string_view kProfiles[] = {std::string_view("Raw profile type exif\0", 22),
                                            std::string_view("Raw profile type APP1\0", 22)};
  if (!std::ranges::any_of(kProfiles, [&](auto name) { return StartsWith(body, name); })) {
    return std::nullopt;
  }
  body = body.subspan(kProfiles[0].size());
  if (packed) return body.empty() ? std::string() : Inflate(body.subspan(1));
  return std::string(reinterpret_cast<const char*>(body.data()), std::min(body.size(), kMostText));
}

std::vector<std::byte> FromPng(Bytes file) {
  Bytes rest = file.subspan(std::min<size_t>(8, file.size()));
  while (const auto chunk = TakePngChunk(rest)) {
    if (chunk->kind == "eXIf") return WithHead(chunk->body);
    if (chunk->kind == "zTXt" || chunk->kind == "tEXt") {
      if (const auto text = ProfileText(chunk->body, chunk->kind == "zTXt"))
        return FromHexProfile(*text);
    }
  }
  return {};
}

/// Behind four bytes that say where TIFF begins, which is where JPEG's six bytes end or at once.
std::vector<std::byte> FromHeif(Bytes file) {
  const std::vector<std::byte> all = HeifExif(file);
  if (all.size() < 4) return {};
  size_t skip = 0;
  for (size_t i = 0; i < 4; ++i) skip = skip << 8 | Byte(all, i);
  return skip >= all.size() - 4 ? std::vector<std::byte>() : WithHead(Bytes(all).subspan(4 + skip));
}

}  // namespace

std::vector<std::byte> PixelsAlone(std::span<const std::byte> jpeg) {
  std::vector<std::byte> out;
  if (!StartsWith(jpeg, "\xFF\xD8")) return out;
  for (size_t at = 0; at + 2 <= jpeg.size();) {
    const Piece piece = NextPiece(jpeg, at);
    if (IsAboutPixels(piece)) {
      const Bytes kept = jpeg.subspan(at, piece.end - at);
      out.insert(out.end(), kept.begin(), kept.end());
    }
    if (piece.code == kEnd) break;
    at = piece.end;
  }
  return out;
}

std::vector<std::byte> FindExif(std::span<const std::byte> file) {
  if (StartsWith(file, "\xFF\xD8")) return FromJpeg(file);
  if (StartsWith(file, "\x89PNG")) return FromPng(file);
  if (StartsWith(file, "RIFF") && file.size() >= 12 && StartsWith(file.subspan(8), "WEBP")) {
    return FromWebp(file);
  }
  if (IsHeif(file)) return FromHeif(file);
  return {};
}

}  // namespace fogline
