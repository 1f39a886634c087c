#include "pages/inspect_page.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "pages/network_drawing.h"
#include "report/bar_chart.h"
#include "report/page.h"
#include "report/xy_chart.h"

namespace fogline {
namespace {

Cell Number(int64_t value) {
  return {value == 0 ? "" : HumanCount(static_cast<double>(value)), static_cast<double>(value)};
}

Cell BytesCell(int64_t value) {
  return {HumanBytes(static_cast<double>(value)), static_cast<double>(value)};
}

int64_t OutputBytes(const Model& model, const Node& node) {
  int64_t bytes = 0;
  for (const int id : node.outputs) bytes += model.activations()[id].bytes();
  return bytes;
}

std::string OutputShape(const Model& model, const Node& node) {
  const Port& port = model.activations()[node.outputs.front()].port;
  const std::string shape = port.dtype == DType::kUndefined ? "no tensor" : port.shape.ToString();
  return node.outputs.size() == 1 ? shape : fmt::format("{} +{}", shape, node.outputs.size() - 1);
}

std::string LayerTip(const Model& model, size_t i) {
  const Node& node = model.nodes()[i];
  std::string tip = fmt::format("{} · {}\n{} · {}", node.name, node.op, OutputShape(model, node),
                                HumanBytes(static_cast<double>(OutputBytes(model, node))));
  if (node.madds > 0) tip += fmt::format("\n{} MAdds", HumanCount(static_cast<double>(node.madds)));
  if (node.params > 0) {
    tip += fmt::format("\n{} parameters", HumanCount(static_cast<double>(node.params)));
  }
  if (node.block >= 0) {
    tip += fmt::format(
        "\nblock {}: {}", node.block + 1,
        model.blocks()[node.block].residual ? "inverted residual" : "linear bottleneck");
  }
  return tip;
}

std::string Title(const Cut& cut) {
  std::string title = cut.index < 0 ? "cut" : fmt::format("cut {}", cut.index);
  if (!cut.alias.empty()) title += " · " + cut.alias;
  return title;
}

std::string CutTip(const Cut& cut) {
  std::string tip = Title(cut) + "\n";
  for (const Port& port : cut.tensors) tip += port.name + " " + port.shape.ToString() + "\n";
  return tip + fmt::format("{} cross\nedge {} · cloud {} MAdds",
                           HumanBytes(static_cast<double>(cut.bytes)),
                           HumanCount(static_cast<double>(cut.edge_madds)),
                           HumanCount(static_cast<double>(cut.cloud_madds)));
}

std::string BytesLabel(double value) { return value == 0 ? "0" : HumanBytes(value); }
std::string CountLabel(double value) { return value == 0 ? "0" : HumanCount(value); }

XYChart SizeChart(const Model& model, const std::vector<Cut>& cuts, bool log) {
  XYChart chart;
  chart.label = "Bytes of every layer's output over depth, with the cuts as vertical lines";
  chart.x.title = "layer";
  chart.y.title = log ? "bytes of the layer's output, logarithmic" : "bytes of the layer's output";
  chart.y.log = log;
  chart.y.label = BytesLabel;
  chart.x.label = [](double v) { return fmt::format("{:.0f}", v); };
  chart.height = 380;
  const auto& nodes = model.nodes();
  Series sizes{"", Tone::kNetwork, Series::Style::kArea, {}};
  for (size_t i = 0; i < nodes.size(); ++i) {
    sizes.points.push_back({static_cast<double>(i),
                            static_cast<double>(OutputBytes(model, nodes[i])), LayerTip(model, i)});
  }
  // A step lasts until the next point: one more closes the last layer.
  sizes.points.push_back({static_cast<double>(nodes.size()), sizes.points.back().y, ""});
  chart.x.low = 0;
  chart.x.high = static_cast<double>(nodes.size());
  for (size_t i = 0; i < nodes.size();) {
    size_t end = i + 1;
    while (end < nodes.size() && nodes[end].block == nodes[i].block) ++end;
    if (nodes[i].block >= 0) {
      chart.bands.push_back({static_cast<double>(i), static_cast<double>(end), "",
                             model.blocks()[nodes[i].block].residual});
    }
    i = end;
  }
  chart.series.push_back(std::move(sizes));
  const bool aliases = std::ranges::any_of(cuts, [](const Cut& c) { return !c.alias.empty(); });
  for (const Cut& cut : cuts) {
    const bool strong = aliases ? !cut.alias.empty() : !cut.dominated;
    chart.marks.push_back({static_cast<double>(cut.edge_nodes),
                           aliases ? cut.alias.substr(0, 5) == "split" ? cut.alias.substr(5) : ""
                           : cut.index >= 0 ? std::to_string(cut.index)
                                            : "",
                           CutTip(cut), strong});
  }
  return chart;
}

BarChart WorkChart(const std::vector<Cut>& cuts) {
  BarChart chart;
  chart.label = "Multiply-accumulates on the edge and in the cloud for each cut";
  chart.x_title = "cut";
  chart.y.title = "MAdds";
  chart.y.label = CountLabel;
  BarChart::Part edge{"edge", Tone::kEdge, {}};
  BarChart::Part cloud{"cloud", Tone::kCloud, {}};
  for (const Cut& cut : cuts) {
    chart.categories.push_back(cut.index < 0 ? "" : std::to_string(cut.index));
    chart.tips.push_back(CutTip(cut));
    edge.values.push_back(static_cast<double>(cut.edge_madds));
    cloud.values.push_back(static_cast<double>(cut.cloud_madds));
  }
  chart.parts = {std::move(edge), std::move(cloud)};
  return chart;
}

Cell Madds(const Node& node) {
  if (!node.madds_at_least) return Number(node.madds);
  return {"≥ " + HumanCount(static_cast<double>(node.madds)), static_cast<double>(node.madds)};
}

}  // namespace

Table LayerTable(const Model& model) {
  const bool blocks = !model.blocks().empty();
  std::vector<Table::Column> columns{{"#", true},
                                     {"layer", false, true},
                                     {"op"},
                                     {"output", false, false, 1},
                                     {"bytes", true},
                                     {"MAdds", true},
                                     {"params", true, false, 2}};
  if (blocks) columns.push_back({"block", false, false, 3});
  Table table(std::move(columns));
  for (size_t i = 0; i < model.nodes().size(); ++i) {
    const Node& node = model.nodes()[i];
    std::vector<Cell> cells{{std::to_string(i), static_cast<double>(i)},
                            node.name,
                            node.op,
                            OutputShape(model, node),
                            BytesCell(OutputBytes(model, node)),
                            Madds(node),
                            Number(node.params)};
    if (node.block >= 0) {
      cells.emplace_back(fmt::format(
          "{} {}", node.block + 1,
          model.blocks()[node.block].residual ? "inverted residual" : "linear bottleneck"));
    }
    table.Add(std::move(cells));
  }
  return table;
}

Table CutTable(const Model& model, const std::vector<Cut>& cuts, const TextStyle* terminal) {
  std::vector<Table::Column> columns{{"cut", true},
                                     {"crosses", false, true},
                                     {"shape", false, false, 2},
                                     {"bytes", true},
                                     {"edge MAdds", true},
                                     {"cloud MAdds", true, false, 1},
                                     {"edge params", true, false, 3}};
  if (terminal != nullptr) {
    columns.push_back({"at the edge", true});
    columns.push_back({"", false, false, 4});
  }
  const bool aliases = std::ranges::any_of(cuts, [](const Cut& c) { return !c.alias.empty(); });
  if (aliases) columns.insert(columns.begin() + 1, {"paper"});
  Table table(std::move(columns));
  for (const Cut& cut : cuts) {
    std::string shapes;
    for (const Port& port : cut.tensors) {
      shapes += (shapes.empty() ? "" : " + ") + port.shape.ToString();
    }
    std::string name = cut.name;
    for (size_t at = 0; (at = name.find(',', at)) != std::string::npos; at += 2) {
      name.replace(at, 1, ", ");
    }
    std::vector<Cell> cells;
    cells.push_back(cut.index < 0 ? Cell("–", 1e9) : Cell(std::to_string(cut.index), cut.index));
    if (aliases) cells.emplace_back(cut.alias);
    cells.insert(cells.end(),
                 {name, shapes + (cut.data_dependent ? " (varies)" : ""), BytesCell(cut.bytes),
                  Number(cut.edge_madds), Number(cut.cloud_madds), Number(cut.edge_params)});
    if (terminal != nullptr) {
      const double share = model.madds() == 0 ? 0
                                              : static_cast<double>(cut.edge_madds) /
                                                    static_cast<double>(model.madds());
      cells.emplace_back(fmt::format("{:.0f}%", share * 100));
      cells.push_back(StackedBar({{share, Ink::kEdge}}, 10, *terminal));
    }
    table.Add(std::move(cells), !cut.alias.empty() ? Table::Weight::kStrong
                                : cut.dominated    ? Table::Weight::kWeak
                                                   : Table::Weight::kNormal);
  }
  return table;
}

std::string InspectPage(const std::string& title, const Model& model,
                        const std::vector<Cut>& cuts) {
  Page page(title,
            fmt::format("Layers and cuts as Fogline reads them · SHA-256 {}", ToHex(model.hash())));
  int64_t smallest = INT64_MAX;
  const Cut* narrowest = nullptr;
  for (const Cut& cut : cuts) {
    if (cut.is_split() && cut.bytes < smallest) {
      smallest = cut.bytes;
      narrowest = &cut;
    }
  }
  std::string inputs;
  for (const Port& port : model.inputs())
    inputs += (inputs.empty() ? "" : ", ") + port.shape.ToString();
  const auto whole = IndexOf(cuts, MechanismKind::kCloudOnly);
  const int64_t input_bytes = whole ? cuts[*whole].bytes : 0;
  std::vector<Page::Tile> tiles{
      {"layers", std::to_string(model.nodes().size()), fmt::format("opset {}", model.opset())},
      {"MAdds",
       (model.madds_at_least() ? "≥ " : "") + HumanCount(static_cast<double>(model.madds())),
       "at " + inputs},
      {"parameters", HumanCount(static_cast<double>(model.params())),
       HumanBytes(static_cast<double>(model.weight_bytes())) + " of weights"},
      {"cuts", std::to_string(cuts.size()), "with the two ends"},
      {"input crosses", HumanBytes(static_cast<double>(input_bytes)), "cloud-only"}};
  if (narrowest != nullptr) {
    tiles.push_back(
        {"narrowest inside", HumanBytes(static_cast<double>(smallest)), Title(*narrowest)});
  }
  page.AddTiles(tiles);

  const bool blocks = !model.blocks().empty();
  const bool aliases = std::ranges::any_of(cuts, [](const Cut& c) { return !c.alias.empty(); });
  std::string caption = "Each step is one layer's output, uncompressed. Vertical lines are cuts";
  caption += aliases ? ", the numbered ones the paper's split 1 to 14."
                     : "; faint ones send no less than one before and one after them.";
  if (blocks) {
    caption +=
        " Shaded: bottleneck blocks, the stronger shade where there is a shortcut (inverted "
        "residual).";
  }
  page.AddFigure("The network",
                 "Data runs to the right. Point at a way to see the line through it, click to keep "
                 "it; the arrow keys go from cut to cut.",
                 NetworkDrawing(model, cuts));
  page.AddFigure("Activation size over depth", caption,
                 {{"logarithmic", SizeChart(model, cuts, true).Render()},
                  {"linear", SizeChart(model, cuts, false).Render()}});
  page.AddFigure("Where the work is done", "Multiply-accumulates on either side for each cut.",
                 WorkChart(cuts).Render());
  page.AddTable("Cuts", "A cut's tensors are what `fogline split --cut` takes, or its number.",
                CutTable(model, cuts, nullptr));
  page.AddFolded(fmt::format("All {} layers", model.nodes().size()), LayerTable(model));
  return page.Finish();
}

}  // namespace fogline
