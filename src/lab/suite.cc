#include "lab/suite.h"

#include <algorithm>
#include <cmath>

#include "base/file.h"
#include "base/paths.h"
#include "base/process.h"
#include "base/text.h"
#include "base/toml_reader.h"
#include "profile/library.h"
#include "vision/folder.h"

namespace fogline {
namespace {

constexpr const char* kShipped[] = {"capacity", "loopback", "paper", "traces"};

/// The paper's bars, from cloud-only to edge-only.
std::vector<std::string> PaperCuts() {
  std::vector<std::string> cuts{"cloud-only"};
  for (int i = 1; i <= 14; ++i) cuts.push_back("split" + std::to_string(i));
  cuts.emplace_back("edge-only");
  return cuts;
}

class SuiteReader {
 public:
  SuiteReader(const Toml& root, const std::filesystem::path& where,
              const std::filesystem::path& data)
      : root_(root), where_(where.string()), data_(data) {
    suite_.where = where;
    suite_.name = where.stem().string();
  }

  Result<Suite> Read() {
    static const std::string kKeys[] = {"title", "pictures",   "count",   "quick",  "repeats",
                                        "lanes", "rate",       "model",   "device", "cloud",
                                        "link",  "experiment", "capacity"};
    const TomlReader reader(root_, where_);
    FOGLINE_CHECK(reader.OnlyKeys(kKeys));
    FOGLINE_TRY(suite_.title, reader.Text("title"));
    FOGLINE_TRY(const std::string pictures, reader.Text("pictures"));
    FOGLINE_TRY(suite_.pictures, Find(pictures.empty() ? "models/demo" : pictures));
    FOGLINE_CHECK(ListImages(suite_.pictures).map([](const auto&) {}));
    FOGLINE_TRY(suite_.count, Whole(reader, "count", suite_.count, 1, 100000));
    FOGLINE_TRY(suite_.quick, Whole(reader, "quick", suite_.quick, 1, 100000));
    FOGLINE_TRY(suite_.repeats, Whole(reader, "repeats", suite_.repeats, 1, 1000));
    FOGLINE_TRY(suite_.lanes, Whole(reader, "lanes", suite_.lanes, 1, 64));
    FOGLINE_TRY(suite_.rate, reader.NumberOr("rate", 0, 0));
    FOGLINE_CHECK(Named("model", [this](const auto& t, const auto& k) { return Model(t, k); }));
    FOGLINE_CHECK(Named("device", [this](const auto& t, const auto& k) {
      return AMachine("device", t, k, suite_.devices);
    }));
    FOGLINE_CHECK(Named("cloud", [this](const auto& t, const auto& k) {
      return AMachine("cloud", t, k, suite_.clouds);
    }));
    FOGLINE_CHECK(Named("link", [this](const auto& t, const auto& k) { return ALink(t, k); }));
    FOGLINE_CHECK(
        Listed("experiment", [this](const auto& t, const auto& p) { return Experiment(t, p); }));
    FOGLINE_CHECK(
        Listed("capacity", [this](const auto& t, const auto& p) { return Capacity(t, p); }));
    if (suite_.experiments.empty() && suite_.capacities.empty()) {
      return Fail(ErrorCode::kInvalid, where_, "has no [[experiment]] and no [[capacity]]");
    }
    return std::move(suite_);
  }

 private:
  /// Files are looked for beside the suite, then among what comes with Fogline.
  Result<std::filesystem::path> Find(const std::string& file) const {
    const std::filesystem::path beside = std::filesystem::path(where_).parent_path() / file;
    if (Exists(beside)) return Absolute(beside);
    if (!data_.empty() && Exists(data_ / file)) {
      return Absolute(data_ / file);
    }
    auto shipped = FindShipped(file);
    if (!shipped) {
      return Fail(ErrorCode::kNotFound, where_,
                  "'{}' is neither beside the suite, nor in --data, nor does it come with Fogline",
                  file);
    }
    return shipped;
  }

  /// A machine's or link's own file is a path; anything else stays a name of the library.
  Result<std::string> NameOrFile(const std::string& name) const {
    if (name.find('/') == std::string::npos) return name;
    FOGLINE_TRY(const auto path, Find(name));
    return path.string();
  }

  Result<int> Whole(const TomlReader& reader, const std::string& key, int fallback, int least,
                    int most, const std::string& prefix = {}) const {
    FOGLINE_TRY(const double value, reader.NumberOr(key.c_str(), 0, fallback));
    if (value != std::floor(value) || (value != fallback && (value < least || value > most))) {
      return Fail(ErrorCode::kInvalid, where_, "'{}{}' must be a whole number from {} to {}",
                  prefix, key, least, most);
    }
    return static_cast<int>(value);
  }

  /// Tables by name: [model.NAME].
  template <typename Take>
  Status Named(const char* kind, Take take) {
    if (root_.Has(kind) && !root_[kind].is_table()) {
      return Fail(ErrorCode::kInvalid, where_, "'{}' is no table of tables: write [{}.NAME]", kind,
                  kind);
    }
    for (const auto& [key, table] : root_[kind].table()) {
      if (!table.is_table()) {
        return Fail(ErrorCode::kInvalid, where_, "'{}.{}' is no table: write [{}.{}]", kind, key,
                    kind, key);
      }
      FOGLINE_CHECK(take(table, key));
    }
    return {};
  }

  template <typename Take>
  Status Listed(const char* kind, Take take) {
    const Toml::List& list = root_[kind].list();
    if (root_.Has(kind) && (list.empty() || !std::ranges::all_of(list, &Toml::is_table))) {
      return Fail(ErrorCode::kInvalid, where_, "'{}' is no list of tables: write [[{}]]", kind,
                  kind);
    }
    for (size_t i = 0; i < list.size(); ++i) {
      FOGLINE_CHECK(take(list[i], fmt::format("{}[{}].", kind, i)));
    }
    return {};
  }

  Status Model(const Toml& table, const std::string& key) {
    static const std::string kKeys[] = {"file", "side"};
    const std::string prefix = "model." + key + ".";
    const TomlReader reader(table, where_, prefix);
    FOGLINE_CHECK(reader.OnlyKeys(kKeys));
    FOGLINE_TRY(const std::string file, reader.Text("file"));
    if (file.empty()) return Fail(ErrorCode::kInvalid, where_, "lacks the text '{}file'", prefix);
    FOGLINE_TRY(const auto path, Find(file));
    FOGLINE_TRY(const int side, Whole(reader, "side", 0, 32, 2048, prefix));
    suite_.models.push_back({key, path, side});
    return {};
  }

  Status AMachine(const std::string& kind, const Toml& table, const std::string& key,
                  std::vector<SuiteMachine>& out) {
    static const std::string kKeys[] = {"title", "pace", "cores"};
    const std::string prefix = kind + "." + key + ".";
    const TomlReader reader(table, where_, prefix);
    FOGLINE_CHECK(reader.OnlyKeys(kKeys));
    SuiteMachine m;
    m.key = key;
    FOGLINE_TRY(m.title, reader.Text("title"));
    FOGLINE_TRY(const std::string pace, reader.Text("pace"));
    FOGLINE_TRY(m.cores, reader.NumberOr("cores", 0.01, 0));
    if (!pace.empty() && m.cores > 0) {
      return Fail(ErrorCode::kInvalid, where_, "'{}pace' and '{}cores' exclude each other", prefix,
                  prefix);
    }
    if (!pace.empty()) {
      m.evidence = Evidence::kPaced;
      FOGLINE_TRY(m.machine, NameOrFile(pace));
      FOGLINE_TRY(const Machine found, FindMachine(m.machine, where_ + ": " + prefix + "pace"));
      if (m.title.empty()) m.title = found.title;
    } else if (m.cores > 0) {
      m.evidence = Evidence::kLimited;
      if (m.title.empty()) m.title = fmt::format("this machine, {:g} of a core", m.cores);
    }
    if (m.title.empty()) m.title = "this machine";
    out.push_back(std::move(m));
    return {};
  }

  Status ALink(const Toml& table, const std::string& key) {
    static const std::string kKeys[] = {"title",     "link",   "medium",
                                        "jitter_ms", "rtt_ms", "down_mbps"};
    const std::string prefix = "link." + key + ".";
    const TomlReader reader(table, where_, prefix);
    FOGLINE_CHECK(reader.OnlyKeys(kKeys));
    SuiteLink link;
    link.key = key;
    FOGLINE_TRY(std::string name, reader.Text("link"));
    if (name.empty()) return Fail(ErrorCode::kInvalid, where_, "lacks the text '{}link'", prefix);
    if (name.find('=') == std::string::npos) {
      FOGLINE_TRY(name, NameOrFile(name));
    }
    auto found_link = FindLink(name, where_ + ": " + prefix + "link");
    if (!found_link && found_link.error().where == "--link") {
      return Fail(ErrorCode::kInvalid, where_, "'{}link': {}", prefix, found_link.error().message);
    }
    FOGLINE_TRY(link.profile, std::move(found_link));
    FOGLINE_TRY(const std::string title, reader.Text("title"));
    if (!title.empty()) {
      link.profile.title = title;
    } else if (name.find('=') != std::string::npos) {
      link.profile.title = name;
    }
    // A recording holds neither.
    FOGLINE_TRY(const double rtt, reader.NumberOr("rtt_ms", 0, link.profile.rtt.value()));
    FOGLINE_TRY(const double down, reader.NumberOr("down_mbps", 1e-6, link.profile.down.value()));
    link.profile.rtt = Milliseconds(rtt);
    link.profile.down = MegabitsPerSecond(down);
    FOGLINE_TRY(link.jitter_ms, reader.NumberOr("jitter_ms", 0, 0));
    FOGLINE_TRY(const std::string medium, reader.Text("medium"));
    static const std::string kMedia[] = {"auto", "kernel", "user"};
    const auto found = std::ranges::find(kMedia, medium.empty() ? kMedia[0] : medium);
    if (found == std::end(kMedia)) {
      return Fail(ErrorCode::kInvalid, where_, "'{}medium' is none of auto, kernel, user{}", prefix,
                  DidYouMean(medium, kMedia));
    }
    link.medium = static_cast<Medium>(found - std::begin(kMedia));
    // The kernel cannot play a recording back.
    if (link.profile.trace && medium.empty()) link.medium = Medium::kUser;
    suite_.links.push_back(std::move(link));
    return {};
  }

  template <typename List>
  Result<size_t> Reference(const TomlReader& reader, const std::string& prefix, const char* key,
                           const List& list) const {
    FOGLINE_TRY(const std::string wanted, reader.Text(key));
    std::vector<std::string> names;
    for (const auto& item : list) names.push_back(item.key);
    const auto found = std::ranges::find(names, wanted);
    if (found != names.end()) return static_cast<size_t>(found - names.begin());
    if (wanted.empty())
      return Fail(ErrorCode::kInvalid, where_, "lacks the text '{}{}'", prefix, key);
    return Fail(ErrorCode::kInvalid, where_, "'{}{}': there is no [{}.{}]{}", prefix, key, key,
                wanted, DidYouMean(wanted, names));
  }

  Result<std::vector<std::string>> Texts(const Toml& table, const std::string& prefix,
                                         const char* key, std::vector<std::string> fallback) const {
    if (!table.Has(key)) return fallback;
    std::vector<std::string> texts;
    for (const Toml& item : table[key].list()) {
      if (auto text = item.text()) texts.push_back(*std::move(text));
    }
    if (texts.empty() || texts.size() < table[key].list().size()) {
      return Fail(ErrorCode::kInvalid, where_, "'{}{}' must be a list of texts", prefix, key);
    }
    return texts;
  }

  Status NoneTwice(std::vector<std::string> texts, const std::string& key) const {
    std::ranges::sort(texts);
    const auto twice = std::ranges::adjacent_find(texts);
    if (twice == texts.end()) return {};
    return Fail(ErrorCode::kInvalid, where_, "'{}': '{}' is there twice", key, *twice);
  }

  Result<WireKind> ReadWire(const std::string& name, const std::string& key) const {
    static const std::string kWires[] = {"json", "fogline"};
    const auto found = std::ranges::find(kWires, name);
    if (found != std::end(kWires)) return static_cast<WireKind>(found - std::begin(kWires));
    return Fail(ErrorCode::kInvalid, where_, "'{}': '{}' is neither json nor fogline{}", key, name,
                DidYouMean(name, kWires));
  }

  /// Keys become names of files.
  Result<std::string> Key(const TomlReader& reader, const std::string& prefix) const {
    FOGLINE_TRY(std::string key, reader.Text("key"));
    const bool good = !key.empty() && std::ranges::all_of(key, [](unsigned char c) {
      return std::isalnum(c) != 0 || c == '-' || c == '_';
    });
    if (!good) {
      return Fail(ErrorCode::kInvalid, where_, "'{}key' must be letters, digits, '-' and '_'",
                  prefix);
    }
    const auto same = [&](const auto& other) { return other.key == key; };
    if (std::ranges::any_of(suite_.experiments, same) ||
        std::ranges::any_of(suite_.capacities, same)) {
      return Fail(ErrorCode::kInvalid, where_, "'{}key': '{}' is there twice", prefix, key);
    }
    return key;
  }

  Status Experiment(const Toml& table, const std::string& prefix) {
    static const std::string kKeys[] = {"key",    "title", "paper", "view",  "model",
                                        "device", "cloud", "link",  "wires", "cuts"};
    const TomlReader reader(table, where_, prefix);
    FOGLINE_CHECK(reader.OnlyKeys(kKeys));
    SuiteExperiment e;
    FOGLINE_TRY(e.key, Key(reader, prefix));
    FOGLINE_TRY(e.title, reader.Text("title"));
    FOGLINE_TRY(e.paper, reader.Text("paper"));
    FOGLINE_TRY(e.view, reader.Text("view"));
    FOGLINE_TRY(e.model, Reference(reader, prefix, "model", suite_.models));
    FOGLINE_TRY(e.device, Reference(reader, prefix, "device", suite_.devices));
    FOGLINE_TRY(e.cloud, Reference(reader, prefix, "cloud", suite_.clouds));
    FOGLINE_TRY(e.link, Reference(reader, prefix, "link", suite_.links));
    FOGLINE_TRY(const auto wires, Texts(table, prefix, "wires", {"fogline"}));
    for (const std::string& name : wires) {
      FOGLINE_TRY(const WireKind wire, ReadWire(name, prefix + "wires"));
      e.wires.push_back(wire);
    }
    FOGLINE_TRY(e.cuts, Texts(table, prefix, "cuts", PaperCuts()));
    FOGLINE_CHECK(NoneTwice(e.cuts, prefix + "cuts"));
    FOGLINE_CHECK(NoneTwice(wires, prefix + "wires"));
    if (suite_.clouds[e.cloud].evidence == Evidence::kLimited) {
      return Fail(ErrorCode::kInvalid, where_, "'{}cloud': only devices can be limited", prefix);
    }
    if (e.title.empty()) {
      e.title = suite_.devices[e.device].title + ", " + suite_.links[e.link].profile.title;
    }
    suite_.experiments.push_back(std::move(e));
    return {};
  }

  Status Capacity(const Toml& table, const std::string& prefix) {
    static const std::string kKeys[] = {"key", "title", "model", "wire", "cut", "wanted", "paper"};
    const TomlReader reader(table, where_, prefix);
    FOGLINE_CHECK(reader.OnlyKeys(kKeys));
    SuiteCapacity c;
    FOGLINE_TRY(c.key, Key(reader, prefix));
    FOGLINE_TRY(c.title, reader.Text("title"));
    FOGLINE_TRY(c.model, Reference(reader, prefix, "model", suite_.models));
    FOGLINE_TRY(const std::string wire, reader.Text("wire"));
    if (!wire.empty()) {
      FOGLINE_TRY(c.wire, ReadWire(wire, prefix + "wire"));
    }
    FOGLINE_TRY(c.cut, reader.Text("cut"));
    if (c.cut.empty()) return Fail(ErrorCode::kInvalid, where_, "lacks the text '{}cut'", prefix);
    FOGLINE_TRY(c.wanted, reader.NumberOr("wanted", 0, 0));
    FOGLINE_TRY(c.paper, reader.NumberOr("paper", 0, 0));
    if (c.title.empty()) c.title = c.cut;
    suite_.capacities.push_back(std::move(c));
    return {};
  }

  const Toml& root_;
  const std::string where_;
  const std::filesystem::path data_;
  Suite suite_;
};

}  // namespace

MechanismKind KindOf(std::string_view cut) {
  for (const MechanismKind end : {MechanismKind::kEdgeOnly, MechanismKind::kCloudOnly}) {
    if (cut == NameOf(end)) return end;
  }
  return MechanismKind::kSplit;
}

std::string_view NameOf(Evidence evidence) {
  constexpr std::string_view kNames[] = {"real", "limited", "paced"};
  return kNames[static_cast<size_t>(evidence)];
}

std::string_view NameOf(WireKind wire) { return wire == WireKind::kJson ? "json" : "fogline"; }

Result<Suite> ParseSuite(std::string_view toml, const std::filesystem::path& where,
                         const std::filesystem::path& data) {
  FOGLINE_TRY(const Toml root, Toml::Parse(toml, where.string()));
  return SuiteReader(root, where, data).Read();
}

Result<Suite> FindSuite(const std::string& name, const std::filesystem::path& data) {
  std::filesystem::path path = name;
  if (!name.ends_with(".toml")) {
    const std::vector<std::string> names(std::begin(kShipped), std::end(kShipped));
    if (std::ranges::find(names, name) == names.end()) {
      return Fail(ErrorCode::kNotFound, "suite '" + name + "'",
                  "is none of {}, and no .toml file{}", fmt::join(names, ", "),
                  DidYouMean(name, names));
    }
    FOGLINE_TRY(path, FindShipped("scenarios/lab/" + name + ".toml"));
  }
  FOGLINE_TRY(const std::string text, ReadTextFile(path));
  return ParseSuite(text, path, data);
}

}  // namespace fogline
