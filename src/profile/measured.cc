#include "profile/measured.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/json.h"
#include "profile/library.h"

namespace fogline {
namespace {

constexpr int kVersion = 1;

Json HalfToJson(const MeasuredHalf& half) {
  return {{"p50_ms", half.p50.value()},
          {"p95_ms", half.p95.value()},
          {"spread", half.spread},
          {"runs", half.runs}};
}

MeasuredHalf HalfFromJson(const Json& json) {
  MeasuredHalf half;
  half.p50 = Milliseconds(json.at("p50_ms").get<double>());
  half.p95 = Milliseconds(json.at("p95_ms").get<double>());
  half.spread = json.value("spread", 0.0);
  half.runs = json.value("runs", 0);
  if (!(half.p50 >= Milliseconds(0)) || !(half.p95 >= half.p50) || !half.p95.IsFinite()) {
    throw std::out_of_range("a time is negative or its p95 below its p50");
  }
  return half;
}

std::string ShapesText(const std::map<std::string, Shape>& shapes) {
  std::string text;
  for (const auto& [name, shape] : shapes) {
    text += (text.empty() ? "" : ", ") + name + "=" + shape.ToString();
  }
  return text;
}

std::map<std::string, Shape> InputShapes(const Model& model) {
  std::map<std::string, Shape> shapes;
  for (const Port& port : model.inputs()) shapes[port.name] = port.shape;
  return shapes;
}

Milliseconds SumOver(const std::vector<Milliseconds>& layers, const Cut& cut, bool edge) {
  Milliseconds sum;
  for (size_t n = 0; n < layers.size(); ++n) {
    if (cut.edge[n] == edge) sum += layers[n];
  }
  return sum;
}

/// A library machine of one thread whose fit stands for "what is to be expected of a layer".
const Machine& Yardstick() {
  static const Machine machine = FindMachine("t2.micro", "").value_or(Machine{});
  return machine;
}

/// Non-decreasing values nearest to `values` (pool adjacent violators).
void MakeIncreasing(std::vector<double>& values) {
  std::vector<std::pair<double, size_t>> pools;  // sum, count
  for (const double v : values) {
    pools.emplace_back(v, 1);
    while (pools.size() > 1) {
      const auto [sum, count] = pools.back();
      auto& [before, before_count] = pools[pools.size() - 2];
      if (before / static_cast<double>(before_count) <= sum / static_cast<double>(count)) break;
      before += sum;
      before_count += count;
      pools.pop_back();
    }
  }
  size_t i = 0;
  for (const auto& [sum, count] : pools) {
    for (size_t k = 0; k < count; ++k) values[i++] = sum / static_cast<double>(count);
  }
}

Json ProfileToJson(const MeasuredProfile& p) {
  Json shape_list = Json::object();
  for (const auto& [name, shape] : p.shapes) shape_list[name] = shape.ToString();
  Json cut_list = Json::array();
  for (const MeasuredCut& cut : p.cuts) {
    Json entry{{"id", fmt::format("{:016x}", cut.id)}, {"name", cut.name}};
    if (cut.prefix) entry["prefix"] = HalfToJson(*cut.prefix);
    if (cut.suffix) entry["suffix"] = HalfToJson(*cut.suffix);
    cut_list.push_back(std::move(entry));
  }
  Json layer_list = Json::array();
  for (size_t n = 0; n < p.layers.size(); ++n) {
    layer_list.push_back({{"name", p.layer_names[n]}, {"ms", p.layers[n].value()}});
  }
  Json json{{"fogline_profile", kVersion},
            {"machine", p.machine},
            {"cpu", p.cpu},
            {"engine", p.engine},
            {"provider", p.provider},
            {"date", p.date},
            {"threads", p.threads},
            {"batch", p.batch},
            {"model", {{"name", p.model_name}, {"sha256", ToHex(p.model)}, {"shapes", shape_list}}},
            {"whole", HalfToJson(p.whole)},
            {"residual", p.residual},
            {"cuts", std::move(cut_list)},
            {"layers", std::move(layer_list)}};
  if (!p.scaled_from.empty()) json["scaled_from"] = p.scaled_from;
  return json;
}

Result<MeasuredProfile> ProfileFromJson(const Json& json, const std::string& where) {
  try {
    if (!json.is_object() || json.value("fogline_profile", 0) != kVersion) {
      return Fail(ErrorCode::kInvalid, where, "is no profile that `fogline profile` wrote");
    }
    MeasuredProfile p;
    p.machine = json.at("machine").get<std::string>();
    p.cpu = json.value("cpu", "");
    p.engine = json.value("engine", "");
    p.provider = json.value("provider", "cpu");
    p.date = json.value("date", "");
    p.scaled_from = json.value("scaled_from", "");
    p.threads = json.at("threads").get<int>();
    p.batch = json.value("batch", int64_t{1});
    const Json& model = json.at("model");
    p.model_name = model.value("name", "");
    FOGLINE_TRY(p.model, ParseSha256(model.at("sha256").get<std::string>()));
    for (const auto& [name, shape] : model.at("shapes").items()) {
      FOGLINE_TRY(p.shapes[name], ParseShape(shape.get<std::string>()));
    }
    p.whole = HalfFromJson(json.at("whole"));
    p.residual = json.value("residual", 0.0);
    for (const Json& entry : json.at("cuts")) {
      MeasuredCut cut;
      cut.id = std::stoull(entry.at("id").get<std::string>(), nullptr, 16);
      cut.name = entry.at("name").get<std::string>();
      if (entry.contains("prefix")) cut.prefix = HalfFromJson(entry.at("prefix"));
      if (entry.contains("suffix")) cut.suffix = HalfFromJson(entry.at("suffix"));
      p.cuts.push_back(std::move(cut));
    }
    for (const Json& entry : json.at("layers")) {
      const double ms = entry.at("ms").get<double>();
      if (!(ms >= 0)) throw std::out_of_range("a layer takes negative time");
      p.layer_names.push_back(entry.at("name").get<std::string>());
      p.layers.push_back(Milliseconds(ms));
    }
    if (p.threads < 1) throw std::out_of_range("threads is less than 1");
    return p;
  } catch (const std::exception& e) {
    std::string why = e.what();
    std::ranges::replace(why, '\n', ' ');
    return Fail(ErrorCode::kInvalid, where, "is no valid profile: {}", why);
  }
}

Result<Json> ParseFile(std::string_view text, const std::string& where) {
  auto json = ParseJson(text, where);
  if (json) return json;
  return Fail(ErrorCode::kInvalid, where, "is no valid profile: {}", json.error().message);
}

/// The one of a file that was measured of this network; the first where none was.
const Json& EntryOf(const Json& file, const Model& model) {
  const std::string hash = ToHex(model.hash());
  const auto is_it = [&](const Json& entry) {
    return entry.is_object() && entry.contains("model") && entry["model"].is_object() &&
           entry["model"].value("sha256", "") == hash;
  };
  if (!file.is_object() || is_it(file) || !file.contains("also")) return file;
  for (const Json& entry : file["also"]) {
    if (is_it(entry)) return entry;
  }
  return file;
}

}  // namespace

std::string MeasuredProfile::ToJson() const { return ToJson({*this}); }

std::string MeasuredProfile::ToJson(const std::vector<MeasuredProfile>& networks) {
  Json json = ProfileToJson(networks.front());
  for (size_t i = 1; i < networks.size(); ++i) json["also"].push_back(ProfileToJson(networks[i]));
  return Dump(json, 1) + "\n";
}

Result<MeasuredProfile> MeasuredProfile::Parse(std::string_view text, const std::string& where) {
  FOGLINE_TRY(const Json file, ParseFile(text, where));
  return ProfileFromJson(file, where);
}

Result<MeasuredProfile> MeasuredProfile::ParseOf(const Model& model, std::string_view text,
                                                 const std::string& where) {
  FOGLINE_TRY(const Json file, ParseFile(text, where));
  return ProfileFromJson(EntryOf(file, model), where);
}

void Reconcile(const Model& model, const std::vector<Cut>& cuts,
               const std::vector<Milliseconds>& weights, MeasuredProfile& profile) {
  const double whole = profile.whole.p50.value();
  std::map<uint64_t, const MeasuredCut*> measured;
  double off = 0;
  size_t both = 0;
  for (const MeasuredCut& cut : profile.cuts) {
    measured[cut.id] = &cut;
    if (!cut.prefix || !cut.suffix || whole <= 0) continue;
    off += std::abs((cut.prefix->p50 + cut.suffix->p50).value() - whole) / whole;
    ++both;
  }
  profile.residual = both > 0 ? off / static_cast<double>(both) : 0;

  // The chain: each next measured cut whose edge side holds all of the last one's.
  std::vector<std::vector<bool>> sides{std::vector<bool>(model.nodes().size(), false)};
  std::vector<double> until{0};
  std::vector<const Cut*> order;
  for (const Cut& cut : cuts) order.push_back(&cut);
  std::ranges::stable_sort(order, {}, &Cut::edge_nodes);
  for (const Cut* cut : order) {
    const auto it = measured.find(cut->id);
    if (it == measured.end() || !cut->is_split()) continue;
    bool inside = true;
    for (size_t n = 0; n < cut->edge.size(); ++n) inside &= cut->edge[n] || !sides.back()[n];
    if (!inside || cut->edge == sides.back()) continue;
    double sum = 0, count = 0;
    if (it->second->prefix) {
      sum += it->second->prefix->p50.value();
      ++count;
    }
    if (it->second->suffix) {
      sum += whole - it->second->suffix->p50.value();
      ++count;
    }
    if (count == 0) continue;
    sides.push_back(cut->edge);
    until.push_back(std::clamp(sum / count, 0.0, whole));
  }
  sides.emplace_back(model.nodes().size(), true);
  until.push_back(whole);
  MakeIncreasing(until);

  profile.layers.assign(model.nodes().size(), Milliseconds(0));
  for (size_t k = 1; k < sides.size(); ++k) {
    Milliseconds weight;
    size_t members = 0;
    for (size_t n = 0; n < sides[k].size(); ++n) {
      if (!sides[k][n] || sides[k - 1][n]) continue;
      weight += weights[n];
      ++members;
    }
    const Milliseconds gap(until[k] - until[k - 1]);
    for (size_t n = 0; n < sides[k].size(); ++n) {
      if (!sides[k][n] || sides[k - 1][n]) continue;
      const double share =
          weight > Milliseconds(0) ? weights[n] / weight : 1 / static_cast<double>(members);
      profile.layers[n] = gap * share;
    }
  }
  profile.layer_names.clear();
  for (const Node& node : model.nodes()) profile.layer_names.push_back(node.name);
}

Result<Timing> TimingOf(const Model& model, const MeasuredProfile& profile,
                        const std::string& where) {
  if (profile.model != model.hash()) {
    return Fail(ErrorCode::kConflict, where, "was measured for model {} ({}), not for {} ({})",
                ToHex(profile.model).substr(0, 16), profile.model_name,
                ToHex(model.hash()).substr(0, 16), model.where());
  }
  const auto shapes = InputShapes(model);
  if (profile.shapes != shapes) {
    return Fail(ErrorCode::kConflict, where, "was measured with shapes {}, the plan is for {}",
                ShapesText(profile.shapes), ShapesText(shapes));
  }
  if (profile.layers.size() != model.nodes().size()) {
    return Fail(ErrorCode::kInvalid, where, "has times of {} layers, the model {} layers",
                profile.layers.size(), model.nodes().size());
  }
  Timing timing;
  timing.layers = profile.layers;
  timing.threads = profile.threads;
  timing.machine = profile.machine;
  timing.source =
      fmt::format("measured with {}{} on {}", profile.engine,
                  profile.provider == "cpu" ? "" : " and " + profile.provider, profile.date);
  if (!profile.scaled_from.empty()) {
    // Carried over by the target's fit, and as far off as that.
    timing.source += fmt::format(" on {}, scaled", profile.scaled_from);
    if (const auto target = FindLibraryMachine(profile.machine, "")) {
      const Timing there = PredictTiming(model, *target);
      timing.relative_error = there.relative_error;
      timing.integers_error = there.integers_error;
      timing.error_source = there.error_source;
      timing.integers_as_float = there.integers_as_float;
    }
  }
  for (const MeasuredCut& cut : profile.cuts) {
    if (cut.prefix) timing.prefix[cut.id] = {cut.prefix->p50, cut.prefix->p95};
    if (cut.suffix) timing.suffix[cut.id] = {cut.suffix->p50, cut.suffix->p95};
  }
  // One thread against the thread that codecs were timed on, by way of the yardstick's fit.
  const Machine& yardstick = Yardstick();
  const Timing expected = PredictTiming(model, yardstick);
  const Milliseconds total =
      std::accumulate(expected.layers.begin(), expected.layers.end(), Milliseconds(0));
  if (profile.whole.p50 > Milliseconds(0)) {
    timing.relative_speed = yardstick.compute.relative_speed * (total / profile.whole.p50) /
                            std::min(profile.threads, 3);
    timing.relative_speed = std::clamp(timing.relative_speed, 1e-3, 10.0);
  }
  return timing;
}

MeasuredProfile ScaleTo(const Model& model, const std::vector<Cut>& cuts,
                        const MeasuredProfile& measured, const Machine& target) {
  const std::vector<Milliseconds> expected = PredictTiming(model, Yardstick()).layers;
  const std::vector<Milliseconds> there = PredictTiming(model, target).layers;
  const auto total = [](const std::vector<Milliseconds>& layers) {
    return std::accumulate(layers.begin(), layers.end(), Milliseconds(0));
  };
  const double pace = total(measured.layers) / total(expected);

  MeasuredProfile scaled = measured;
  scaled.machine = target.name;
  scaled.scaled_from = measured.machine;
  scaled.cpu = target.title;
  scaled.threads = target.compute.threads;
  for (size_t n = 0; n < there.size(); ++n) {
    const Milliseconds usual = expected[n] * pace;
    const double odd = usual > Milliseconds(0) ? measured.layers[n] / usual : 1;
    scaled.layers[n] = there[n] * std::clamp(odd, 0.25, 4.0);
  }
  // What oddness adds to the sum is not the target's: its fit knows the whole best.
  const double keep =
      total(scaled.layers) > Milliseconds(0) ? total(there) / total(scaled.layers) : 1;
  for (Milliseconds& t : scaled.layers) t = t * keep;

  const auto scale = [](MeasuredHalf& half, Milliseconds was, Milliseconds is) {
    const double factor = was > Milliseconds(0) ? is / was : 1;
    half.p50 = half.p50 * factor;
    half.p95 = half.p95 * factor;
  };
  scale(scaled.whole, total(measured.layers), total(scaled.layers));
  for (MeasuredCut& half : scaled.cuts) {
    const auto cut = std::ranges::find(cuts, half.id, &Cut::id);
    if (cut == cuts.end()) {
      half.prefix.reset();
      half.suffix.reset();
      continue;
    }
    for (const bool edge : {true, false}) {
      auto& time = edge ? half.prefix : half.suffix;
      if (time) {
        scale(*time, SumOver(measured.layers, *cut, edge), SumOver(scaled.layers, *cut, edge));
      }
    }
  }
  return scaled;
}

}  // namespace fogline
