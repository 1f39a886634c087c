#include "edge/mjpeg.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <random>
#include <thread>

#include "edge/source.h"
#include "vision/image.h"

namespace fogline {
namespace {

using Bytes = std::vector<std::byte>;

Bytes BytesOf(std::initializer_list<int> values) {
  Bytes bytes;
  for (int v : values) bytes.push_back(static_cast<std::byte>(v));
  return bytes;
}

void Append(Bytes& to, const Bytes& from) { to.insert(to.end(), from.begin(), from.end()); }

Bytes Jpeg(int side, unsigned seed = 0) {
  Image image{side, side, std::vector<uint8_t>(static_cast<size_t>(side * side * 3), 90)};
  std::mt19937 random(static_cast<unsigned>(side) + seed);
  for (uint8_t& v : image.rgb) v = static_cast<uint8_t>(random());
  Bytes file;
  EXPECT_TRUE(EncodeJpeg(image, 95, file));
  return file;
}

/// A picture with another one inside an APP1 segment, as EXIF holds a thumbnail, and `padding`
/// bytes behind that.
Bytes WithThumbnail(const Bytes& picture, const Bytes& thumbnail, size_t padding) {
  Bytes nested(picture.begin(), picture.begin() + 2);
  const size_t length = 2 + 6 + thumbnail.size() + padding;
  Append(nested, BytesOf({0xFF, 0xE1, static_cast<int>(length >> 8), static_cast<int>(length & 255),
                          'E', 'x', 'i', 'f', 0, 0}));
  Append(nested, thumbnail);
  nested.resize(nested.size() + padding, std::byte{0x20});
  nested.insert(nested.end(), picture.begin() + 2, picture.end());
  return nested;
}

/// Where a picture's segments begin, its scan's last.
std::vector<size_t> Segments(const Bytes& picture) {
  std::vector<size_t> places;
  for (size_t at = 2; at + 4 <= picture.size();) {
    places.push_back(at);
    if (picture[at + 1] == std::byte{0xDA}) break;
    at += 2 + std::to_integer<size_t>(picture[at + 2]) * 256 +
          std::to_integer<size_t>(picture[at + 3]);
  }
  return places;
}

/// Without its Huffman tables, as webcams send pictures.
Bytes WithoutHuffman(const Bytes& picture) {
  Bytes lean = picture;
  for (auto places = Segments(lean); !places.empty(); places.pop_back()) {
    const size_t at = places.back();
    if (lean[at + 1] != std::byte{0xC4}) continue;
    const size_t length =
        2 + std::to_integer<size_t>(lean[at + 2]) * 256 + std::to_integer<size_t>(lean[at + 3]);
    lean.erase(lean.begin() + static_cast<ptrdiff_t>(at),
               lean.begin() + static_cast<ptrdiff_t>(at + length));
  }
  return lean;
}

std::vector<Bytes> Split(const Bytes& stream, size_t piece, uint64_t* skipped = nullptr) {
  MjpegSplitter splitter;
  std::vector<Bytes> found;
  Bytes picture;
  for (size_t at = 0; at < stream.size(); at += piece) {
    splitter.Feed(std::span(stream).subspan(at, std::min(piece, stream.size() - at)));
    while (splitter.Next(picture)) found.push_back(picture);
  }
  splitter.Finish();
  while (splitter.Next(picture)) found.push_back(picture);
  if (skipped != nullptr) *skipped = splitter.skipped_bytes();
  return found;
}

TEST(Mjpeg, FindsEveryPictureInAnyPieces) {
  const std::vector<Bytes> pictures{Jpeg(16), Jpeg(40), Jpeg(64),
                                    WithThumbnail(Jpeg(40), Jpeg(16), 0), WithoutHuffman(Jpeg(40))};
  Bytes stream;
  for (const Bytes& picture : pictures) {
    Append(stream, BytesOf({7, 0xFF, 3}));  // between pictures
    Append(stream, picture);
  }
  for (size_t piece : {size_t{1}, size_t{2}, size_t{7}, size_t{1000}, stream.size()}) {
    uint64_t skipped = 0;
    EXPECT_EQ(Split(stream, piece, &skipped), pictures) << piece;
    EXPECT_EQ(skipped, 3 * pictures.size());
  }
}

/// Cut anywhere at all, in a marker, a length, a thumbnail, the scan: the next picture is there.
TEST(Mjpeg, AFrameTornAnywhereNeverTakesTheNextOneWithIt) {
  const Bytes good = Jpeg(16, 1), next = WithThumbnail(Jpeg(24), Jpeg(8), 3);
  for (const Bytes& torn :
       {Jpeg(24), WithThumbnail(Jpeg(24), Jpeg(8), 700), WithoutHuffman(Jpeg(16))}) {
    for (size_t length = 0; length < torn.size(); ++length) {
      Bytes stream(torn.begin(), torn.begin() + static_cast<ptrdiff_t>(length));
      Append(stream, good);
      Append(stream, next);
      Append(stream, good);
      std::vector<Bytes> found = Split(stream, 64);
      // A whole thumbnail of the torn frame may be among them.
      ASSERT_GE(found.size(), 3U) << length << " of " << torn.size();
      ASSERT_LE(found.size(), 4U) << length << " of " << torn.size();
      found.erase(found.begin(), found.end() - 3);
      ASSERT_EQ(found, (std::vector<Bytes>{good, next, good})) << length << " of " << torn.size();
    }
  }
}

/// What cameras, cables and pipes make of whole pictures: any mixture of them gives every whole one
/// back, byte for byte and in order.
TEST(Mjpeg, EveryWholePictureComesOutOfAnyStream) {
  const std::vector<Bytes> pool{Jpeg(8),
                                Jpeg(16),
                                Jpeg(40),
                                WithoutHuffman(Jpeg(24)),
                                WithThumbnail(Jpeg(24), Jpeg(8), 0),
                                WithThumbnail(Jpeg(16), WithThumbnail(Jpeg(16), Jpeg(8), 5), 900)};
  for (unsigned seed = 0; seed < 4000; ++seed) {
    std::mt19937 random(seed);
    Bytes stream;
    std::vector<Bytes> whole;
    bool only_whole = true;
    const auto stray = [&](Bytes& to, size_t at) {
      Bytes bytes;
      for (size_t n = 1 + random() % 4; n > 0; --n) {
        Append(bytes, random() % 3 == 0 ? BytesOf({0xFF, 0})
                                        : BytesOf({static_cast<int>(random() % 255)}));
      }
      to.insert(to.begin() + static_cast<ptrdiff_t>(at), bytes.begin(), bytes.end());
    };
    for (size_t n = 2 + random() % 6; n > 0; --n) {
      Bytes picture = pool[random() % pool.size()];
      switch (random() % 7) {
        case 0:  // torn
          only_whole = false;
          picture.resize(random() % picture.size());
          Append(stream, picture);
          continue;
        case 1:  // junk
          only_whole = false;
          for (size_t k = random() % 300; k > 0; --k) {
            stream.push_back(static_cast<std::byte>(random() % 8 == 0 ? 0xFF : random()));
          }
          continue;
        case 2:  // start markers sent twice or more
          for (size_t k = 1 + random() % 3; k > 0; --k) Append(stream, BytesOf({0xFF, 0xD8}));
          break;
        case 3: {  // stray bytes between segments
          const auto places = Segments(picture);
          stray(picture, places[1 + random() % (places.size() - 1)]);
          break;
        }
        case 4: {  // restarts in the scan, stray bytes before them
          const size_t at = Segments(picture).back() + 14 + random() % 8;
          const Bytes restart = BytesOf({static_cast<int>(random() % 255), 0xFF, 0xD3});
          if (picture[at - 1] == std::byte{0xFF}) break;
          picture.insert(picture.begin() + static_cast<ptrdiff_t>(at), restart.begin(),
                         restart.end());
          break;
        }
        default:
          break;
      }
      Append(stream, picture);
      whole.push_back(picture);
    }
    const auto found = Split(stream, 1 + random() % 3000);
    if (only_whole) {
      ASSERT_EQ(found, whole) << seed;
      continue;
    }
    auto at = found.begin();
    for (const Bytes& picture : whole) {
      at = std::find(at, found.end(), picture);
      ASSERT_NE(at, found.end()) << "picture " << &picture - whole.data() << " of seed " << seed;
      ++at;
    }
  }
}

TEST(Mjpeg, PicturesPastTheLimitArePassedOverAndTheOthersAreNot) {
  const Bytes small = Jpeg(8), large = Jpeg(64);
  MjpegSplitter splitter(small.size());
  ASSERT_GT(large.size(), small.size());
  Bytes stream = large, picture;
  Append(stream, small);
  std::vector<Bytes> found;
  splitter.Feed(stream);
  while (splitter.Next(picture)) found.push_back(picture);
  EXPECT_EQ(found, std::vector<Bytes>{small});
}

TEST(Mjpeg, NoiseNeverGrowsPastItsLimit) {
  constexpr size_t kMost = 1000, kPiece = 100;
  MjpegSplitter splitter(kMost);
  std::mt19937 random(5);
  Bytes picture, piece(kPiece);
  for (int i = 0; i < 3000; ++i) {
    for (std::byte& b : piece) {
      static constexpr std::array kLikely{0xFF, 0xFF, 0xD8, 0xE1, 0xDB, 0xD9, 0x00};
      b = static_cast<std::byte>(random() % 3 == 0 ? random() : kLikely[random() % kLikely.size()]);
    }
    splitter.Feed(piece);
    while (splitter.Next(picture)) EXPECT_LE(picture.size(), kMost);
    ASSERT_LE(splitter.held_bytes(), kMost + kPiece);
  }
}

TEST(Mjpeg, WaitingForAPictureIsNotReadingIt) {
  int pipe_ends[2];
  ASSERT_EQ(pipe(pipe_ends), 0);
  const auto source = OpenMjpeg(pipe_ends[0], "pipe");
  const Bytes picture = Jpeg(16);
  for (int i = 0; i < 3; ++i) {
    Capture capture;
    Nanos written{0};
    std::thread writer([&] {
      written = Clock::Real().Steady();
      EXPECT_EQ(write(pipe_ends[1], picture.data(), picture.size()),
                static_cast<ssize_t>(picture.size()));
    });
    const auto more = source->Next(capture);
    writer.join();
    ASSERT_TRUE(more && *more);
    EXPECT_EQ(capture.file, picture);
    EXPECT_GE(capture.began, written);
    EXPECT_EQ(capture.captured_from, TimeSource::kClock);
  }
  close(pipe_ends[1]);
  Capture last;
  EXPECT_FALSE(*source->Next(last));
  close(pipe_ends[0]);
}

}  // namespace
}  // namespace fogline
