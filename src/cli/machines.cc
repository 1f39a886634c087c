// fogline machines, fogline links: what of profiles/ a plan may name.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/json.h"
#include "base/process.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/model_args.h"
#include "profile/library.h"
#include "profile/link_json.h"
#include "profile/timing.h"
#include "report/table.h"

namespace fogline::cli {
namespace {

struct LibraryArgs : Common {
  std::string word;
};

bool Contains(std::string_view text, std::string_view word) {
  const auto same = [](unsigned char a, unsigned char b) {
    return std::tolower(a) == std::tolower(b);
  };
  return std::search(text.begin(), text.end(), word.begin(), word.end(), same) != text.end() ||
         word.empty();
}

/// The names in a folder of the library that go with a word: it is in the name or the title.
/// kNotFound offers the nearest.
template <typename Title>
Result<std::vector<std::string>> Matching(const std::vector<std::string>& names,
                                          const std::string& word, Title title_of) {
  std::vector<std::string> found;
  for (const std::string& name : names) {
    if (Contains(name, word) || Contains(title_of(name), word)) found.push_back(name);
  }
  if (!found.empty()) return found;
  return Fail(ErrorCode::kNotFound, word, "is in no name or title{}", DidYouMean(word, names));
}

/// A machine and what it takes for a network that everybody has.
struct ListedMachine {
  Machine machine;
  bool rented = false;
  std::optional<Milliseconds> reference;
};

/// The network whose times machines are compared by: ours, if it is there.
std::optional<Network> Reference() {
  const auto file = FindShipped("models/litter.onnx");
  if (!file) return std::nullopt;
  ModelArgs ours;
  ours.path = *file;
  auto network = ReadNetwork(ours);
  return network ? std::optional(*std::move(network)) : std::nullopt;
}

Result<std::vector<ListedMachine>> MachinesWith(const std::string& word) {
  std::vector<std::string> names = LibraryNames("devices");
  const size_t devices = names.size();
  const std::vector<std::string> clouds = LibraryNames("clouds");
  names.insert(names.end(), clouds.begin(), clouds.end());
  std::vector<ListedMachine> rows;
  for (size_t i = 0; i < names.size(); ++i) {
    FOGLINE_TRY(Machine machine, FindLibraryMachine(names[i], "machines"));
    rows.push_back({std::move(machine), i >= devices, std::nullopt});
  }
  const auto row_of = [&](const std::string& name) {
    return std::ranges::find(rows, name, [](const ListedMachine& row) { return row.machine.name; });
  };
  FOGLINE_TRY(const auto found, Matching(names, word, [&](const std::string& name) {
                return row_of(name)->machine.title;
              }));
  std::erase_if(rows, [&](const ListedMachine& row) {
    return std::ranges::find(found, row.machine.name) == found.end();
  });
  if (const auto reference = Reference()) {
    for (ListedMachine& row : rows) {
      Milliseconds sum;
      for (const Milliseconds layer : PredictTiming(reference->model, row.machine).layers)
        sum += layer;
      row.reference = sum;
    }
  }
  return rows;
}

std::string PriceText(const ListedMachine& row) {
  if (row.machine.rent) return fmt::format("{:.4f} €/h", row.machine.rent->price.value());
  if (row.machine.purchase) return fmt::format("{:.0f} €", row.machine.purchase->value());
  return "";
}

Status Machines(const LibraryArgs& args) {
  FOGLINE_TRY(const std::vector<ListedMachine> rows, MachinesWith(args.word));
  if (args.json) {
    Json list = Json::array();
    const auto number = [](const auto& value) { return value ? Json(value->value()) : Json(); };
    for (const ListedMachine& row : rows) {
      const Machine& m = row.machine;
      list.push_back({{"name", m.name},
                      {"title", m.title},
                      {"kind", row.rented ? "cloud" : "device"},
                      {"reference_ms", number(row.reference)},
                      {"threads", m.compute.threads},
                      {"engine", m.compute.engine},
                      {"memory_gb", m.memory_gb},
                      {"euro", number(m.purchase)},
                      {"euro_per_hour", m.rent ? Json(m.rent->price.value()) : Json()},
                      {"left_out_median_error", m.fit ? Json(m.fit->left_out_median) : Json()},
                      {"source", m.compute.source}});
    }
    fmt::print("{}\n", Dump(Json{{"machines", std::move(list)}}));
    return {};
  }
  Table table({{"name"},
               {"what it is", false, true, 3},
               {"litter ms", true},
               {"off by", true, false, 1},
               {"price", true, false, 2}});
  for (const ListedMachine& row : rows) {
    const Machine& m = row.machine;
    table.Add({m.name, m.title, row.reference ? Figure(row.reference->value()) : "",
               m.fit ? fmt::format("{:.0f} %", 100 * m.fit->left_out_median) : "", PriceText(row)});
  }
  const TextStyle style = StdoutStyle();
  fmt::print("{}{}", table.ToText(style),
             FitLines("\nlitter ms: what models/litter.onnx (MobileNetV2 at 160 x 160) takes, by a "
                      "fit whose median error on networks that it never saw is \"off by\". Measure "
                      "your own: fogline profile MODEL --out mine.json, then --edge mine.json.\n",
                      style.width));
  return {};
}

Status Links(const LibraryArgs& args) {
  const std::vector<std::string> names = LibraryNames("links");
  const auto link_of = [](const std::string& name) { return *FindLibraryLink(name, "links"); };
  FOGLINE_TRY(const auto found, Matching(names, args.word, [&](const std::string& name) {
                return link_of(name).title;
              }));
  if (args.json) {
    Json list = Json::array();
    for (const std::string& name : found) {
      list.push_back(LinkJson(link_of(name)));
    }
    fmt::print("{}\n", Dump(Json{{"links", std::move(list)}}));
    return {};
  }
  Table table({{"name"},
               {"what it is", false, true},
               {"Mbit/s up", true},
               {"down", true},
               {"RTT ms", true, false, 1},
               {"€/GB", true}});
  for (const std::string& name : found) {
    const LinkProfile link = link_of(name);
    table.Add({name, link.title, Figure(link.up.value()), Figure(link.down.value()),
               Figure(link.rtt.value()), Figure(link.price.value())});
  }
  const TextStyle style = StdoutStyle();
  fmt::print("{}{}", table.ToText(style),
             FitLines("\nWith changes: --link 4g,up=3Mbps,rtt=80ms. Without a name: --link "
                      "up=8Mbps,down=30Mbps,rtt=40ms. A recording: --link drive.csv,rtt=40ms.\n",
                      style.width));
  return {};
}

}  // namespace

void AddMachines(CommandLine& line) {
  Command command =
      line.Add("machines", "Lists the machines that a plan may name, with times and prices");
  auto args = std::make_shared<LibraryArgs>();
  command.Add("WORD", args->word, "only those with this in their name or title");
  AddCommon(command, *args);
  command.Example("fogline machines", "all of them")
      .Example("fogline machines pi", "Raspberry, Orange and Banana Pis");
  SetAction(command, args, [args] { return Machines(*args); });
}

void AddLinks(CommandLine& line) {
  Command command = line.Add("links", "Lists the links that a plan may name");
  auto args = std::make_shared<LibraryArgs>();
  command.Add("WORD", args->word, "only those with this in their name or title");
  AddCommon(command, *args);
  command.Example("fogline links", "all of them").Example("fogline links lte", "what is LTE");
  SetAction(command, args, [args] { return Links(*args); });
}

}  // namespace fogline::cli
