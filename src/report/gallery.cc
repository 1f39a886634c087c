#include "report/gallery.h"

#include <fmt/format.h>

#include "report/html.h"

namespace fogline {

std::string DataUri(std::string_view media_type, std::span<const std::byte> file) {
  static constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out = fmt::format("data:{};base64,", media_type);
  out.reserve(out.size() + (file.size() + 2) / 3 * 4);
  for (size_t i = 0; i < file.size(); i += 3) {
    uint32_t three = 0;
    for (size_t k = 0; k < 3; ++k) {
      three = three << 8 | (i + k < file.size() ? std::to_integer<uint32_t>(file[i + k]) : 0);
    }
    for (size_t k = 0; k < 4; ++k) {
      out += i + k > file.size() ? '=' : kDigits[three >> (18 - 6 * k) & 63];
    }
  }
  return out;
}

namespace {

std::string Drawn(const GalleryBox& box) {
  static constexpr const char* kClasses[] = {"hit", "miss", "alarm"};
  return fmt::format(
      "<i class=\"{}\" style=\"left:{:.1f}%;top:{:.1f}%;width:{:.1f}%;height:{:.1f}%\" "
      "data-tip=\"{}\"></i>",
      kClasses[static_cast<size_t>(box.kind)], 100 * box.left, 100 * box.top, 100 * box.width,
      100 * box.height, HtmlEscape(box.tip));
}

}  // namespace

std::string Gallery(const std::vector<GalleryItem>& items) {
  std::string out = "<div class=\"gallery\">";
  for (const GalleryItem& item : items) {
    out += fmt::format("<div data-tip=\"{}\"><span class=\"shot\">", HtmlEscape(item.tip));
    out += fmt::format("<img src=\"{}\" width=\"{}\" height=\"{}\" alt=\"{}\" loading=\"lazy\">",
                       HtmlEscape(item.image), item.width, item.height, HtmlEscape(item.title));
    if (item.left > 0 || item.top > 0 || item.right < 1 || item.bottom < 1) {
      out += fmt::format("<i style=\"left:{:.1f}%;top:{:.1f}%;width:{:.1f}%;height:{:.1f}%\"></i>",
                         100 * item.left, 100 * item.top, 100 * (item.right - item.left),
                         100 * (item.bottom - item.top));
    }
    for (const GalleryBox& box : item.boxes) out += Drawn(box);
    out += fmt::format("</span><b>{}</b><small>{}</small>", HtmlEscape(item.title),
                       HtmlEscape(item.note));
    if (item.share >= 0) {
      out += fmt::format("<em><s style=\"width:{:.1f}%\"></s></em>", 100 * item.share);
    }
    out += "</div>";
  }
  return out + "</div>";
}

}  // namespace fogline
