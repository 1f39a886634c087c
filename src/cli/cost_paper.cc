#include <fmt/format.h>

#include <map>

#include "base/json.h"
#include "cli/cost_show.h"
#include "report/page.h"
#include "report/xy_chart.h"

namespace fogline::cli {
namespace {

/// At the printed number of decimals, so that both stand beside each other in one style.
std::string AtDecimals(double value, const std::string& like) {
  const size_t dot = like.find('.');
  const int decimals = dot == std::string::npos ? 0 : static_cast<int>(like.size() - dot - 1);
  return fmt::format("{:.{}f}", value, decimals);
}

const char* Mark(CellMatch match) {
  switch (match) {
    case CellMatch::kRounded:
      return "";
    case CellMatch::kTruncated:
      return " ~";
    case CellMatch::kDiffers:
      break;
  }
  return " !";
}

/// Two lines a row: the paper's, and ours.
Table Beside(const PaperTable& table) {
  std::vector<Table::Column> columns{{"", false, true}, {""}};
  for (const auto& c : table.columns) columns.push_back({c.title, true});
  Table out(std::move(columns));
  for (const auto& row : table.rows) {
    std::vector<Cell> paper{row.title, "paper"}, ours{"", "computed"};
    for (const auto& cell : row.cells) {
      paper.emplace_back(cell ? cell->printed : "");
      ours.emplace_back(cell ? AtDecimals(cell->value, cell->printed) + Mark(cell->match) : "");
    }
    out.Add(std::move(paper), Table::Weight::kWeak);
    out.Add(std::move(ours));
  }
  return out;
}

int Count(const PaperTables& tables, CellMatch match) {
  int n = 0;
  for (const auto& table : tables.tables) {
    for (const auto& row : table.rows) {
      for (const auto& cell : row.cells) n += cell && cell->match == match ? 1 : 0;
    }
  }
  return n;
}

std::string Verdict(const PaperTables& tables) {
  return fmt::format("{} cells round to the printed figure, {} equal it cut off (~), {} differ (!)",
                     Count(tables, CellMatch::kRounded), Count(tables, CellMatch::kTruncated),
                     Count(tables, CellMatch::kDiffers));
}

}  // namespace

std::string PaperText(const PaperTables& tables, const TextStyle& style) {
  std::string out;
  for (const PaperTable& table : tables.tables) {
    out += table.title + "\n\n" + Beside(table).ToText(style) + "\n";
  }
  if (!tables.figure10.empty()) {
    Table dots({{"Figure 10", false}, {"mechanism", false}, {"ms", true}, {"€/user/month", true}});
    for (const PaperDot& d : tables.figure10) {
      dots.Add({d.device, d.mechanism, fmt::format("{:.1f}", d.latency_ms),
                fmt::format("{:.3f}", d.euro_per_user_month)});
    }
    out += dots.ToText(style) + "\n";
  }
  std::string below = Verdict(tables) + ".\n\nDifferences\n";
  for (const std::string& line : tables.differences) below += "- " + line + "\n";
  return out + FitLines(below, style.width);
}

std::string PaperJson(const PaperTables& tables) {
  Json json = Json::object();
  for (const PaperTable& table : tables.tables) {
    for (const auto& row : table.rows) {
      for (size_t i = 0; i < row.cells.size(); ++i) {
        if (!row.cells[i]) continue;
        const std::string& column = table.columns[i].key;
        json[table.key][column][row.key] = row.cells[i]->value;
        json["printed"][table.key][column][row.key] = std::stod(row.cells[i]->printed);
        json["exact"][table.key][column][row.key] = row.cells[i]->exact;
      }
    }
  }
  for (const PaperDot& d : tables.figure10) {
    json["figure10"][d.device][d.mechanism] = {{"latency_ms", d.latency_ms},
                                               {"user_month_euro", d.euro_per_user_month}};
  }
  json["cells"] = {{"rounded", Count(tables, CellMatch::kRounded)},
                   {"truncated", Count(tables, CellMatch::kTruncated)},
                   {"different", Count(tables, CellMatch::kDiffers)}};
  json["differences"] = tables.differences;
  return Dump(json);
}

std::string PaperPage(const PaperTables& tables, const PaperConstants& constants) {
  Page page("What a fleet costs: the paper's tables", constants.where);
  page.AddText(Verdict(tables) + ".");
  if (!tables.figure10.empty()) {
    XYChart chart;
    chart.label = "Monthly cost per user over latency, by device and mechanism";
    chart.x.title = "latency, ms";
    chart.y.title = "€ a user and month";
    std::map<std::string, Series> series;
    for (const PaperDot& d : tables.figure10) {
      Series& s = series[d.device];
      s.name = d.device;
      s.style = Series::Style::kDots;
      s.points.push_back({d.latency_ms, d.euro_per_user_month,
                          fmt::format("{}, {}\n{:.1f} ms · {:.3f} €", d.device, d.mechanism,
                                      d.latency_ms, d.euro_per_user_month)});
    }
    for (auto& [name, s] : series) {
      s.tone = SeriesTone(chart.series.size());
      chart.series.push_back(std::move(s));
    }
    page.AddFigure("Figure 10: monthly costs per user over latency",
                   "Costs as in tables 5 and 6. Latencies: " + constants.latency_source,
                   chart.Render());
  }
  for (const PaperTable& table : tables.tables) page.AddTable(table.title, "", Beside(table));
  page.AddHeading("Differences");
  for (const std::string& line : tables.differences) page.AddText(line);
  return page.Finish();
}

}  // namespace fogline::cli
