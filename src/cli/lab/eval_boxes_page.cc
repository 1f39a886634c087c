// The page that `fogline eval --truth --html` writes.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "cli/lab/eval_boxes.h"
#include "cli/lab/gallery_picture.h"
#include "report/gallery.h"
#include "report/page.h"

namespace fogline::cli {
namespace {

constexpr size_t kMostBoxPictures = 48;  // pictures; about 20 kB of page each
constexpr int kBoxPictureSide = 420;     // pixels of the longer side
constexpr size_t kMostBoxClasses = 1000;

std::string InPercent(double share) { return fmt::format("{:.1f} %", 100 * share); }

void AddBoxTiles(const BoxEvaluateReport& report, Page& page) {
  const auto share = [](size_t part, size_t whole) {
    return whole == 0 ? std::string("–")
                      : InPercent(static_cast<double>(part) / static_cast<double>(whole));
  };
  const std::string at = fmt::format("at a score of {:.2f} or more", report.card.boxes.least_score);
  page.AddTiles(
      {{"mAP at 0.5", InPercent(report.precision.map50), "mean of the classes"},
       {"mAP at 0.5 to 0.95", InPercent(report.precision.map50_95), "as COCO counts"},
       {"pictures", std::to_string(report.pictures.size()),
        fmt::format("{} objects of {} classes", report.truth, report.precision.classes.size())},
       {"recall", share(report.hits, report.truth), at},
       {"precision", share(report.hits, report.hits + report.alarms), at}});
}

void AddBoxes(const BoxPicture& picture, GalleryItem& item) {
  std::vector<bool> hit(picture.judged.truth.size(), false);
  for (size_t i = 0; i < picture.matched.size(); ++i) {
    const FoundBox& b = picture.judged.found[i];
    if (picture.matched[i] == -2) continue;
    const bool is_hit = picture.matched[i] >= 0;
    if (is_hit) hit[static_cast<size_t>(picture.matched[i])] = true;
    item.boxes.push_back(
        {is_hit ? GalleryBox::Kind::kHit : GalleryBox::Kind::kAlarm, b.x, b.y, b.w, b.h,
         fmt::format("{}: {} ({:.0f} %)", is_hit ? "hit" : "false alarm", b.label, 100 * b.score)});
  }
  for (size_t t = 0; t < hit.size(); ++t) {
    const TrueBox& b = picture.judged.truth[t];
    if (hit[t] || b.crowd) continue;
    item.boxes.push_back(
        {GalleryBox::Kind::kMiss, b.x, b.y, b.w, b.h, fmt::format("missed: {}", b.label)});
  }
}

void AddPictures(const BoxEvaluateReport& report, Page& page) {
  std::vector<const BoxPicture*> wrong;
  for (const BoxPicture& p : report.pictures) {
    if (p.misses + p.alarms > 0) wrong.push_back(&p);
  }
  std::ranges::stable_sort(wrong, std::greater<>(),
                           [](const BoxPicture* p) { return p->misses + p->alarms; });
  std::vector<GalleryItem> items;
  for (size_t i = 0; i < std::min(kMostBoxPictures, wrong.size()); ++i) {
    const BoxPicture& p = *wrong[i];
    GalleryItem item;
    if (!ShowSmall(p.file, kBoxPictureSide, item)) continue;
    item.title = fmt::format("{} missed, {} false", p.misses, p.alarms);
    item.note = fmt::format("{} · {} hit", p.file.filename().string(), p.hits);
    item.tip = p.file.string();
    AddBoxes(p, item);
    items.push_back(std::move(item));
  }
  if (items.empty()) return;
  page.AddFigure("Misses and false alarms",
                 fmt::format("Those with most of them first: {} of {} pictures. Green is a hit, "
                             "dashed orange was missed, pink is a false alarm.",
                             items.size(), report.pictures.size()),
                 Gallery(items));
}

}  // namespace

std::string BoxEvaluatePage(const std::string& model, const BoxEvaluateReport& report) {
  Page page(model, fmt::format("How good it is on {} labelled pictures · SHA-256 {}",
                               report.pictures.size(), ToHex(report.model_hash)));
  AddBoxTiles(report, page);
  for (const std::string& warning : report.warnings) page.AddText("Mind: " + warning + ".");
  AddPictures(report, page);
  page.AddTable("Classes",
                "Average precision over all scores: the share of what is told that is right, over "
                "all shares of what is there that could be told.",
                BoxClassTable(report, kMostBoxClasses));
  if (!report.skipped.empty()) {
    Table table({{"picture", false, true}, {"reason", false, true}});
    for (const Skipped& s : report.skipped) table.Add({Printable(s.file.string()), s.reason});
    page.AddFolded(fmt::format("{} pictures left out", report.skipped.size()), table);
  }
  return page.Finish();
}

}  // namespace fogline::cli
