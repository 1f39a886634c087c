#include "cost/fleet.h"

#include <algorithm>

#include "base/text.h"
#include "base/toml_reader.h"
#include "cost/fleet_network.h"
#include "profile/library.h"

namespace fogline {
namespace {

Result<const Toml*> Section(const Toml& root, const char* key, const std::string& where) {
  if (!root[key].is_table()) return Fail(ErrorCode::kInvalid, where, "lacks the table [{}]", key);
  return &root[key];
}

/// Applies `read` to every table of an array of tables.
template <typename Read>
Status Each(const Toml& root, const char* key, const std::string& where, Read read) {
  const Toml::List& list = root[key].list();
  if (list.empty()) return Fail(ErrorCode::kInvalid, where, "needs at least one [[{}]]", key);
  for (size_t i = 0; i < list.size(); ++i) {
    if (!list[i].is_table()) {
      return Fail(ErrorCode::kInvalid, where, "'{}' is no [[{}]]", key, key);
    }
    FOGLINE_CHECK(read(list[i], fmt::format("{}[{}].", key, i)));
  }
  return {};
}

Status ReadPrices(const Toml& table, const std::string& where, Fleet& fleet) {
  static const std::string kKeys[] = {"electricity_euro_per_kwh", "hardware_months",
                                      "broker_euro_per_million_messages",
                                      "storage_euro_per_gb_month", "storage_months"};
  const TomlReader reader(table, where, "prices.");
  FOGLINE_CHECK(reader.OnlyKeys(kKeys));
  FOGLINE_TRY(fleet.euro_per_kwh, reader.Number("electricity_euro_per_kwh", 0));
  FOGLINE_TRY(fleet.hardware_months, reader.Number("hardware_months", 1e-3));
  FOGLINE_TRY(fleet.broker_euro_per_million, reader.Number("broker_euro_per_million_messages", 0));
  FOGLINE_TRY(fleet.storage_euro_per_gb_month, reader.Number("storage_euro_per_gb_month", 0));
  FOGLINE_TRY(fleet.storage_months, reader.NumberOr("storage_months", 0, 12));
  return {};
}

Status ReadPool(const Toml& table, const std::string& where, FleetPool& pool) {
  static const std::string kKeys[] = {"machine", "euro_per_hour", "max_utilisation",
                                      "ignore_credits"};
  const TomlReader reader(table, where, "pool.");
  FOGLINE_CHECK(reader.OnlyKeys(kKeys));
  FOGLINE_TRY(pool.name, reader.Text("machine"));
  if (pool.name.empty()) {
    return Fail(ErrorCode::kInvalid, where, "lacks the text 'pool.machine'");
  }
  FOGLINE_TRY(const Machine machine, FindMachine(pool.name, where + ": pool.machine"));
  if (!machine.rent) {
    return Fail(ErrorCode::kInvalid, machine.where,
                "lacks the number 'rent.euro_per_hour', which "
                "the pool of {} needs",
                where);
  }
  pool.rent = *machine.rent;
  FOGLINE_TRY(const double price, reader.NumberOr("euro_per_hour", 0, pool.rent.price.value()));
  pool.rent.price = EuroPerHour(price);
  FOGLINE_TRY(pool.cap, reader.NumberOr("max_utilisation", 0.01, 0.95));
  if (pool.cap > 1) {
    return Fail(ErrorCode::kInvalid, where, "'pool.max_utilisation' is {}, more than 1", pool.cap);
  }
  pool.ignore_credits = table["ignore_credits"].yes().value_or(false);
  return {};
}

/// A device is paid for and fed: its file must say what it costs and draws.
Status CheckEdge(const Machine& edge, const std::string& where) {
  if (!edge.purchase) {
    return Fail(ErrorCode::kInvalid, edge.where, "lacks the number 'price.euro', which {} needs",
                where);
  }
  if (!edge.power) {
    return Fail(ErrorCode::kInvalid, edge.where, "lacks the number 'power.busy_w', which {} needs",
                where);
  }
  return {};
}

/// One device, or a list of them.
Result<std::vector<std::string>> ReadEdges(const Toml& table, const std::string& where,
                                           const std::string& prefix) {
  std::vector<std::string> edges;
  for (const Toml& one : table["edge"].list()) edges.push_back(one.text().value_or(""));
  if (const auto one = table["edge"].text()) edges.push_back(*one);
  if (edges.empty()) {
    return Fail(ErrorCode::kInvalid, where, "lacks '{}edge': a device, or a list of them", prefix);
  }
  return edges;
}

Result<std::vector<FleetOption>> ReadNetwork(const Toml& table, const std::string& where,
                                             const std::string& cloud) {
  static const std::string kKeys[] = {"model",       "shape",         "edge",
                                      "codec",       "min_agreement", "min_accuracy",
                                      "not_before",  "result_share",  "stored_bytes",
                                      "time_spread", "bytes_spread",  "never_send_input",
                                      "message_ms",  "min_metric"};
  const TomlReader reader(table, where, "network.");
  FOGLINE_CHECK(reader.OnlyKeys(kKeys));
  FleetNetwork n;
  n.cloud = cloud;
  FOGLINE_TRY(const std::string model, reader.Text("model"));
  if (model.empty()) return Fail(ErrorCode::kInvalid, where, "lacks the text 'network.model'");
  n.model = (std::filesystem::path(where).parent_path() / model).lexically_normal();
  if (const Toml* shapes = reader.Table("shape")) {
    for (const auto& [input, value] : shapes->table()) {
      auto shape = ParseShape(value.text().value_or(""));
      if (!shape) {
        return Fail(ErrorCode::kInvalid, where, "'network.shape.{}': {}", input,
                    shape.error().message);
      }
      n.shapes.emplace(input, *std::move(shape));
    }
  }
  FOGLINE_TRY(n.edge, ReadEdges(table, where, "network."));
  FOGLINE_TRY(n.request.codecs, reader.Text("codec"));
  FOGLINE_TRY(n.request.not_before, reader.Text("not_before"));
  n.request.never_send_input = table["never_send_input"].yes().value_or(false);
  for (const auto& [key, limit] : {std::pair("min_agreement", &n.request.min_agreement),
                                   std::pair("min_accuracy", &n.request.min_accuracy)}) {
    if (!table.Has(key)) continue;
    FOGLINE_TRY(*limit, reader.Number(key, 0));
    if (**limit > 1) {
      return Fail(ErrorCode::kInvalid, where, "'network.{}' is {:g}, more than 1", key, **limit);
    }
  }
  if (table.Has("min_metric")) {
    FOGLINE_TRY(n.request.min_metric, reader.Number("min_metric", -1e12));
  }
  if (table.Has("time_spread")) {
    FOGLINE_TRY(n.time_spread, reader.Number("time_spread", 0));
  }
  FOGLINE_TRY(n.result_share, reader.NumberOr("result_share", 0, 1));
  FOGLINE_TRY(n.stored_bytes, reader.NumberOr("stored_bytes", 0, 0));
  FOGLINE_TRY(n.message_ms, reader.NumberOr("message_ms", 0, n.message_ms));
  FOGLINE_TRY(n.bytes_spread, reader.NumberOr("bytes_spread", 0, 0));
  FOGLINE_TRY(std::vector<FleetOption> options, OptionsOf(n, where));
  for (const FleetOption& o : options) FOGLINE_CHECK(CheckEdge(o.edge, where));
  return options;
}

Result<FleetOption> ReadOption(const Toml& table, const std::string& where,
                               const std::string& prefix) {
  static const std::string kKeys[] = {"name",         "edge",        "edge_ms",
                                      "cloud_ms",     "bytes",       "sent_share",
                                      "stored_bytes", "time_spread", "bytes_spread"};
  const TomlReader reader(table, where, prefix);
  FOGLINE_CHECK(reader.OnlyKeys(kKeys));
  FleetOption o;
  FOGLINE_TRY(o.name, reader.Text("name"));
  FOGLINE_TRY(const std::string edge, reader.Text("edge"));
  if (o.name.empty() || edge.empty()) {
    return Fail(ErrorCode::kInvalid, where, "lacks the text '{}{}'", prefix,
                o.name.empty() ? "name" : "edge");
  }
  FOGLINE_TRY(o.edge, FindMachine(edge, where + ": " + prefix + "edge"));
  FOGLINE_CHECK(CheckEdge(o.edge, where));
  FOGLINE_TRY(o.edge_ms, reader.Number("edge_ms", 0));
  FOGLINE_TRY(o.cloud_ms, reader.Number("cloud_ms", 0));
  FOGLINE_TRY(o.bytes, reader.Number("bytes", 0));
  FOGLINE_TRY(o.sent_share, reader.NumberOr("sent_share", 0, 1));
  FOGLINE_TRY(o.stored_bytes, reader.NumberOr("stored_bytes", 0, 0));
  FOGLINE_TRY(o.time_spread, reader.NumberOr("time_spread", 0, 0));
  FOGLINE_TRY(o.bytes_spread, reader.NumberOr("bytes_spread", 0, 0));
  return o;
}

Result<FleetGroup> ReadGroup(const Toml& table, const std::string& where, const std::string& prefix,
                             const std::vector<FleetOption>& options) {
  static const std::string kKeys[] = {"name", "devices", "images_per_second", "target_ms",
                                      "edge", "link",    "data_euro_per_gb"};
  const TomlReader reader(table, where, prefix);
  FOGLINE_CHECK(reader.OnlyKeys(kKeys));
  FleetGroup g;
  FOGLINE_TRY(g.name, reader.Text("name"));
  FOGLINE_TRY(g.devices, reader.Number("devices", 1));
  FOGLINE_TRY(g.images_per_second, reader.Number("images_per_second", 1e-9));
  FOGLINE_TRY(g.target_ms, reader.NumberOr("target_ms", 0, 0));
  FOGLINE_TRY(const std::string link, reader.Text("link"));
  if (link.empty()) return Fail(ErrorCode::kInvalid, where, "lacks the text '{}link'", prefix);
  FOGLINE_TRY(g.link, FindLink(link, where + ": " + prefix + "link"));
  FOGLINE_TRY(const double data, reader.NumberOr("data_euro_per_gb", 0, g.link.price.value()));
  g.link.price = EuroPerGigabyte(data);
  std::vector<std::string> known;
  for (const FleetOption& o : options) known.push_back(o.edge.name);
  FOGLINE_TRY(const std::vector<std::string> wanted, ReadEdges(table, where, prefix));
  for (const std::string& name : wanted) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return Fail(
          ErrorCode::kInvalid, where,
          "'{}edge' names '{}', for which there is no [[option]] and which [network] does not "
          "name{}",
          prefix, Printable(name), DidYouMean(name, known));
    }
    for (const FleetOption& o : options) {
      if (o.edge.name == name) g.options.push_back(o);
    }
  }
  return g;
}

}  // namespace

Result<Fleet> ParseFleet(std::string_view text, const std::string& where) {
  FOGLINE_TRY(const Toml root, Toml::Parse(text, where));
  static const std::string kTop[] = {"name",    "title",  "prices", "pool",
                                     "network", "option", "group",  "paper"};
  FOGLINE_CHECK(TomlReader(root, where).OnlyKeys(kTop));
  Fleet fleet;
  fleet.where = where;
  fleet.title = root["title"].text().value_or(root["name"].text().value_or("Fleet"));
  FOGLINE_TRY(const Toml* prices, Section(root, "prices", where));
  FOGLINE_CHECK(ReadPrices(*prices, where, fleet));
  FOGLINE_TRY(const Toml* pool, Section(root, "pool", where));
  FOGLINE_CHECK(ReadPool(*pool, where, fleet.pool));
  std::vector<FleetOption> options;
  const Toml& network = root["network"];
  if (network.is_table()) {
    FOGLINE_TRY(options, ReadNetwork(network, where, fleet.pool.name));
  }
  if (!network.is_table() || root.Has("option")) {
    FOGLINE_CHECK(Each(root, "option", where, [&](const auto& table, const auto& prefix) -> Status {
      FOGLINE_TRY(FleetOption option, ReadOption(table, where, prefix));
      options.push_back(std::move(option));
      return {};
    }));
  }
  FOGLINE_CHECK(Each(root, "group", where, [&](const auto& table, const auto& prefix) -> Status {
    FOGLINE_TRY(FleetGroup group, ReadGroup(table, where, prefix, options));
    fleet.groups.push_back(std::move(group));
    return {};
  }));
  return fleet;
}

}  // namespace fogline
