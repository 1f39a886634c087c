// One self-contained HTML page: style, script and pictures inside, no request to anywhere.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "report/table.h"

namespace fogline {

/// Builds a page from top to bottom. Texts are escaped; `html` and `svg` arguments are taken as
/// they are, from the functions of this room.
class Page {
 public:
  /// `subtitle` is a line under the title: which model, which file, when.
  Page(std::string_view title, std::string_view subtitle);

  /// A figure with a number that matters: tiles in a row. `note` is small and under it.
  struct Tile {
    std::string name, value, note;
  };
  void AddTiles(const std::vector<Tile>& tiles);
  void AddHeading(std::string_view text);
  void AddText(std::string_view text);
  /// A drawing with a caption under its title.
  void AddFigure(std::string_view title, std::string_view caption, std::string_view svg);
  /// The same drawn in several ways, one shown at a time, the first to begin with.
  struct View {
    std::string name, svg;
    std::string caption = {};  // of this view alone
  };
  void AddFigure(std::string_view title, std::string_view caption, const std::vector<View>& views);
  void AddTable(std::string_view title, std::string_view caption, const Table& table);
  /// Folded away until somebody opens it: for long tables.
  void AddFolded(std::string_view title, const Table& table);
  void AddHtml(std::string_view html);

  /// The whole document.
  std::string Finish() const;

 private:
  std::string title_, body_;
  int views_ = 0;
};

/// The page's style sheet and script (page_style.cc).
std::string_view PageStyle();
std::string_view PageScript();

}  // namespace fogline
