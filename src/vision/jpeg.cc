#include "vision/jpeg.h"

#include <cstdio>  // jpeglib.h needs it before

#include <jerror.h>
#include <jpeglib.h>

#include <algorithm>
#include <csetjmp>
#include <cstring>

#include "vision/pixels.h"
#include "vision/shrink.h"

namespace fogline {
namespace {

/// Warnings of the library behind which every pixel is what the camera meant.
bool IsHarmless(int code) {
  switch (code) {
    case JWRN_ADOBE_XFORM:        // an unknown colour transform in Adobe's segment
    case JWRN_BOGUS_ICC:          // a colour profile in pieces that do not fit
    case JWRN_BOGUS_PROGRESSION:  // scans in an unusual order
    case JWRN_EXTRANEOUS_DATA:    // stray bytes before a marker
    case JWRN_JFIF_MAJOR:         // a JFIF version that the library does not know
    case JWRN_NOT_SEQUENTIAL:     // progressive parameters in a sequential scan
      return true;
    default:
      return false;
  }
}

/// One file being decoded. The library reports errors by longjmp: each step that may fail sets its
/// own mark and has nothing to destroy behind it.
class JpegFile {
 public:
  explicit JpegFile(std::span<const std::byte> file) {
    info_.err = jpeg_std_error(&errors_.base);
    errors_.base.error_exit = [](j_common_ptr info) {
      auto* errors = reinterpret_cast<Errors*>(info->err);
      info->err->format_message(info, errors->why);
      std::longjmp(errors->mark, 1);
    };
    errors_.base.emit_message = [](j_common_ptr info, int level) {
      auto* errors = reinterpret_cast<Errors*>(info->err);
      if (level >= 0 || errors->damaged || IsHarmless(info->err->msg_code)) return;
      info->err->format_message(info, errors->why);
      errors->damaged = true;
    };
    // Some cameras send the start marker twice.
    while (file.size() > 4 && std::memcmp(file.data(), "\xFF\xD8\xFF\xD8", 4) == 0) {
      file = file.subspan(2);
    }
    file_ = file;
  }
  ~JpegFile() { jpeg_destroy_decompress(&info_); }
  JpegFile(const JpegFile&) = delete;
  JpegFile& operator=(const JpegFile&) = delete;

  bool ReadHeader() {
    if (setjmp(errors_.mark) != 0) return false;
    jpeg_create_decompress(&info_);
    jpeg_mem_src(&info_, reinterpret_cast<const unsigned char*>(file_.data()), file_.size());
    jpeg_read_header(&info_, TRUE);
    cmyk_ = info_.jpeg_color_space == JCS_CMYK || info_.jpeg_color_space == JCS_YCCK;
    return true;
  }
  int width() const { return static_cast<int>(info_.image_width); }
  int height() const { return static_cast<int>(info_.image_height); }
  /// The coefficients of all of it are kept until the last scan is read.
  bool InScans() { return jpeg_has_multiple_scans(&info_) != FALSE; }
  int Scaled(int side, int eighths) const { return (side * eighths + 7) / 8; }

  /// Into memory for the picture at so many eighths of its size.
  bool Decode(int eighths, Image& out) {
    row_.resize(cmyk_ ? static_cast<size_t>(out.width) * 4 : 0);
    if (setjmp(errors_.mark) != 0) return false;
    info_.scale_num = static_cast<unsigned>(eighths);
    info_.scale_denom = 8;
    info_.out_color_space = cmyk_ ? JCS_CMYK : JCS_RGB;
    jpeg_start_decompress(&info_);
    while (info_.output_scanline < info_.output_height) {
      uint8_t* const to = out.rgb.data() + static_cast<size_t>(info_.output_scanline) *
                                               static_cast<size_t>(out.width) * 3;
      uint8_t* row = cmyk_ ? row_.data() : to;
      jpeg_read_scanlines(&info_, &row, 1);
      if (cmyk_) ToRgb(out.width, to);
    }
    jpeg_finish_decompress(&info_);
    return !errors_.damaged;
  }

  tl::unexpected<Error> Failure(const std::string& where) const {
    switch (errors_.damaged ? 0 : errors_.base.msg_code) {
      case JERR_ARITH_NOTIMPL:
      case JERR_BAD_PRECISION:
      case JERR_CONVERSION_NOTIMPL:
      case JERR_SOF_UNSUPPORTED:
        return Fail(ErrorCode::kUnsupported, where, "is a JPEG of a rare kind that is not read: {}",
                    errors_.why);
      default:
        return Fail(ErrorCode::kInvalid, where, "is a damaged JPEG: {}", errors_.why);
    }
  }

 private:
  struct Errors {
    jpeg_error_mgr base{};  // first: the library hands out pointers to it
    std::jmp_buf mark{};
    char why[JMSG_LENGTH_MAX] = "";
    bool damaged = false;
  };

  /// Adobe's convention, which everybody follows: 255 is no ink.
  void ToRgb(int width, uint8_t* to) const {
    for (int x = 0; x < width; ++x) {
      const uint8_t* const ink = &row_[static_cast<size_t>(x) * 4];
      for (int c = 0; c < 3; ++c)
        to[3 * x + c] = static_cast<uint8_t>((ink[c] * ink[3] + 127) / 255);
    }
  }

  std::span<const std::byte> file_;
  jpeg_decompress_struct info_{};
  Errors errors_;
  bool cmyk_ = false;
  std::vector<uint8_t> row_;  // of ink
};

Status Decode(JpegFile& file, const std::string& where, int eighths, Image& out) {
  out.width = file.Scaled(file.width(), eighths);
  out.height = file.Scaled(file.height(), eighths);
  out.rgb.resize(static_cast<size_t>(out.width) * static_cast<size_t>(out.height) * 3);
  if (!file.Decode(eighths, out)) return file.Failure(where);
  return {};
}

}  // namespace

bool IsJpeg(std::span<const std::byte> file) {
  return file.size() > 2 && std::memcmp(file.data(), "\xFF\xD8", 2) == 0;
}

Result<Image> DecodeJpeg(std::span<const std::byte> file, const std::string& where, int at_least) {
  JpegFile jpeg(file);
  if (!jpeg.ReadHeader()) return jpeg.Failure(where);
  FOGLINE_CHECK(CheckPixels(jpeg.width(), jpeg.height(), where,
                            jpeg.InScans() ? "a JPEG in several scans (progressive)" : ""));
  const int side = std::min(jpeg.width(), jpeg.height());
  // Beyond kMaxPixels by half at least, as pictures of the other kinds.
  const int most = StepOf(jpeg.width(), jpeg.height(), 0) > 1 ? 4 : 8;
  int eighths = at_least > 0 ? 1 : most;
  while (eighths < most && jpeg.Scaled(side, eighths) < at_least) ++eighths;
  Image image;
  FOGLINE_CHECK(Decode(jpeg, where, eighths, image));
  return image;
}

Status DecodeJpegExactly(std::span<const std::byte> file, const std::string& where, int width,
                         int height, Image& out) {
  JpegFile jpeg(file);
  if (!jpeg.ReadHeader()) return jpeg.Failure(where);
  if (jpeg.width() != width || jpeg.height() != height) {
    return Fail(ErrorCode::kInvalid, where, "is {}x{} pixels where {}x{} are due", jpeg.width(),
                jpeg.height(), width, height);
  }
  return Decode(jpeg, where, 8, out);
}

}  // namespace fogline
