#include "report/page.h"

#include <fmt/format.h>

#include "report/html.h"

namespace fogline {

Page::Page(std::string_view title, std::string_view subtitle) : title_(title) {
  body_ =
      fmt::format("<header><h1>{}</h1><p>{}</p></header>", HtmlEscape(title), HtmlEscape(subtitle));
}

void Page::AddTiles(const std::vector<Tile>& tiles) {
  body_ += "<div class=\"tiles\">";
  for (const Tile& tile : tiles) {
    body_ += fmt::format("<div><span>{}</span><b>{}</b><small>{}</small></div>",
                         HtmlEscape(tile.name), HtmlEscape(tile.value), HtmlEscape(tile.note));
  }
  body_ += "</div>";
}

void Page::AddHeading(std::string_view text) {
  body_ += fmt::format("<h2>{}</h2>", HtmlEscape(text));
}

void Page::AddText(std::string_view text) {
  body_ += fmt::format("<p class=\"text\">{}</p>", HtmlEscape(text));
}

void Page::AddFigure(std::string_view title, std::string_view caption, std::string_view svg) {
  AddFigure(title, caption, {{"", std::string(svg)}});
}

void Page::AddFigure(std::string_view title, std::string_view caption,
                     const std::vector<View>& views) {
  body_ += fmt::format("<figure><figcaption><h2>{}</h2>", HtmlEscape(title));
  if (!caption.empty()) body_ += fmt::format("<p>{}</p>", HtmlEscape(caption));
  body_ += "</figcaption>";
  // Radio buttons switch views without a script.
  const int group = views_++;
  if (views.size() > 1) {
    for (size_t i = 0; i < views.size(); ++i) {
      body_ += fmt::format(
          "<input type=\"radio\" name=\"v{0}\" id=\"v{0}-{1}\"{2}><label for=\"v{0}-{1}\">{3}"
          "</label>",
          group, i, i == 0 ? " checked" : "", HtmlEscape(views[i].name));
    }
  }
  for (const View& view : views) {
    body_ += "<div class=\"view\">";
    if (!view.caption.empty()) body_ += fmt::format("<p>{}</p>", HtmlEscape(view.caption));
    body_ += view.svg + "</div>";
  }
  body_ += "</figure>";
}

void Page::AddTable(std::string_view title, std::string_view caption, const Table& table) {
  body_ += fmt::format("<section><h2>{}</h2>", HtmlEscape(title));
  if (!caption.empty()) body_ += fmt::format("<p class=\"text\">{}</p>", HtmlEscape(caption));
  body_ += table.ToHtml() + "</section>";
}

void Page::AddFolded(std::string_view title, const Table& table) {
  body_ +=
      fmt::format("<details><summary>{}</summary>{}</details>", HtmlEscape(title), table.ToHtml());
}

void Page::AddHtml(std::string_view html) { body_ += html; }

std::string Page::Finish() const {
  // The policy forbids every request, so that a page opened from a mailbox tells nobody.
  return fmt::format(
      "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
      "'unsafe-inline'; script-src 'unsafe-inline'; img-src data:\">"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
      "<meta name=\"color-scheme\" content=\"light dark\"><title>{}</title><style>{}</style></head>"
      "<body><main>{}</main><div id=\"tip\" hidden></div><script>{}</script></body></html>\n",
      HtmlEscape(title_), PageStyle(), body_, PageScript());
}

}  // namespace fogline
