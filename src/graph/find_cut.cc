// How a cut is written on a command line, in a file or a request: one reader for all of them.
#include <algorithm>
#include <charconv>
#include <optional>

#include "base/text.h"
#include "graph/cut.h"
#include "graph/cut_space.h"

namespace fogline {
namespace {

constexpr std::string_view kTensor = "tensor:";

bool IsNumber(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

Status Refuse(const Model& model, std::span<const int> tensors) {
  for (const int id : tensors) {
    const Port& port = model.activations()[id].port;
    if (ElementBytes(port.dtype) == 0) {
      return Fail(ErrorCode::kUnsupported, model.where(),
                  "'{}' is {}, which cannot cross: choose another cut", port.name,
                  port.dtype == DType::kUndefined ? "no dense tensor" : DTypeName(port.dtype));
    }
  }
  return {};
}

/// True for a tensor's name that could be taken for something else.
bool NeedsMark(const std::string& name) {
  const bool word = name == "input" || name == "output" || name == "edge-only" ||
                    name == "cloud-only" || (name.starts_with("split") && IsNumber(name.substr(5)));
  return word || IsNumber(name) || name.starts_with(kTensor) || name.find(',') != std::string::npos;
}

std::string Join(const Model& model, std::span<const int> tensors, std::string_view mark) {
  std::string spec;
  for (const int id : tensors) {
    if (!spec.empty()) spec += ',';
    spec += mark;
    spec += model.activations()[id].port.name;
  }
  return spec;
}

/// One way to take a spec: what it is then, how to write that so that nothing else is meant, and
/// the cut.
struct Reading {
  std::string what, spelling;
  Cut cut;
};

class Reader {
 public:
  Reader(const Model& model, std::string spec)
      : model_(model), cuts_(UsualCuts(model)), written_(std::move(spec)) {
    spec_ = written_;
    if (Id(spec_) < 0 && !ReadMarked()) {  // "a, b" as tables print it
      for (size_t at = 0; (at = written_.find(", ", at)) != std::string::npos;) {
        written_.erase(at + 1, 1);
      }
    }
    spec_ = written_;
  }

  Result<Cut> ReadCut() {
    if (IsNumber(spec_)) return ByNumber();
    if (const auto end = End()) return cuts_[*end];
    ReadWords();
    Error refused = ReadTensors();
    if (readings_.empty()) return tl::unexpected<Error>(std::move(refused));
    for (const Reading& other : readings_) {
      const Reading& first = readings_.front();
      if (other.cut.edge != first.cut.edge) return Ambiguous(first, other.what, other.spelling);
    }
    return std::move(readings_.front().cut);
  }

  Result<int> ReadTensor() {
    if (!IsNumber(spec_) && !End()) {
      const auto marked = ReadMarked();
      const int id = marked && marked->size() == 1 ? marked->front() : Id(spec_);
      if (id >= 0) {
        ReadWords();
        for (const Reading& word : readings_) {
          if (word.cut.activations == std::vector{id}) continue;
          return Ambiguous(word, "a tensor", Join(model_, {&id, 1}, kTensor));
        }
        return id;
      }
    }
    FOGLINE_TRY(const Cut cut, ReadCut());
    if (cut.activations.size() == 1) return cut.activations[0];
    return Fail(ErrorCode::kUsage, model_.where(),
                "{} tensors cross at '{}', and one is wanted: name it instead", cut.tensors.size(),
                spec_);
  }

 private:
  std::optional<size_t> End() const {
    for (const MechanismKind kind : {MechanismKind::kEdgeOnly, MechanismKind::kCloudOnly}) {
      if (spec_ == NameOf(kind)) return IndexOf(cuts_, kind);
    }
    return std::nullopt;
  }

  tl::unexpected<Error> Ambiguous(const Reading& first, const std::string& what,
                                  const std::string& spelling) const {
    return Fail(ErrorCode::kUsage, model_.where(), "'{}' is {} and {}: write {} or {}", spec_,
                first.what, what, first.spelling, spelling);
  }

  Result<Cut> ByNumber() {
    size_t index = 0;
    const auto [end, error] = std::from_chars(spec_.data(), spec_.data() + spec_.size(), index);
    if (error == std::errc() && index < cuts_.size()) return cuts_[index];
    return Fail(
        ErrorCode::kNotFound, model_.where(), "has no cut {}: they run from 0 to {}{}", spec_,
        cuts_.size() - 1,
        Id(spec_) < 0 ? "" : fmt::format("; its tensor '{0}' is written {1}{0}", spec_, kTensor));
  }

  /// What Fogline itself calls a cut.
  void ReadWords() {
    for (const Cut& cut : cuts_) {
      if (!cut.is_split() && spec_ == (cut.is_edge_only() ? "output" : "input")) {
        readings_.push_back({NameOf(cut.mechanism()), NameOf(cut.mechanism()), cut});
      } else if (!cut.alias.empty() && spec_ == cut.alias) {
        readings_.push_back({fmt::format("cut {}", cut.index), std::to_string(cut.index), cut});
      }
    }
  }

  /// Names of tensors. Says why when they are none, or no cut.
  Error ReadTensors() {
    std::vector<std::vector<int>> choices;
    Error refused;
    if (auto plain = ReadMarked()) {
      choices.push_back(*std::move(plain));
    } else {
      if (const int id = Id(spec_); id >= 0) choices.push_back({id});
      if (choices.empty() || spec_.find(',') != std::string_view::npos) {
        auto list = ReadList();
        list ? choices.push_back(*std::move(list)) : void(refused = std::move(list.error()));
      }
    }
    for (const std::vector<int>& tensors : choices) {
      auto cut = CutAt(model_, tensors);
      if (!cut) {
        refused = std::move(cut.error());
        continue;
      }
      const std::string what =
          tensors.size() == 1 ? "a tensor" : fmt::format("{} tensors", tensors.size());
      readings_.push_back({what, Join(model_, tensors, kTensor), *std::move(cut)});
    }
    return refused;
  }

  /// "tensor:a,tensor:b": nothing else can be meant, and names may hold commas.
  std::optional<std::vector<int>> ReadMarked() const {
    if (!spec_.starts_with(kTensor)) return std::nullopt;
    const std::string next = fmt::format(",{}", kTensor);
    std::vector<int> tensors;
    for (std::string_view rest = spec_.substr(kTensor.size());;) {
      const size_t end = rest.find(next);
      tensors.push_back(Id(rest.substr(0, end)));
      if (tensors.back() < 0) return std::nullopt;
      if (end == std::string_view::npos) return tensors;
      rest.remove_prefix(end + next.size());
    }
  }

  Result<std::vector<int>> ReadList() const {
    std::vector<int> tensors;
    for (std::string_view rest = spec_;;) {
      const size_t comma = rest.find(',');
      const std::string_view part = rest.substr(0, comma);
      const bool marked = part.starts_with(kTensor) && Id(part) < 0;
      const int id = Id(marked ? part.substr(kTensor.size()) : part);
      if (id < 0) return Unknown(std::string(part));
      if (IsNumber(part)) {
        return Fail(ErrorCode::kUsage, model_.where(),
                    "'{0}' in '{1}' is a number, and numbers are cuts: its tensor '{0}' is written "
                    "{2}{0}",
                    part, spec_, kTensor);
      }
      tensors.push_back(id);
      if (comma == std::string_view::npos) return tensors;
      rest.remove_prefix(comma + 1);
    }
  }

  tl::unexpected<Error> Unknown(const std::string& name) const {
    std::vector<std::string> names{"input", "output", "edge-only", "cloud-only"};
    for (const Activation& a : model_.activations()) names.push_back(a.port.name);
    for (const Cut& cut : cuts_) {
      if (!cut.alias.empty()) names.push_back(cut.alias);
    }
    return Fail(ErrorCode::kNotFound, model_.where(), "has no tensor '{}' to cut at{}", name,
                DidYouMean(name, names));
  }

  int Id(std::string_view name) const { return model_.FindActivation(std::string(name)); }

  const Model& model_;
  const std::vector<Cut>& cuts_;
  std::string written_;
  std::string_view spec_;  // of written_
  std::vector<Reading> readings_;
};

}  // namespace

std::string TensorSpec(const Model& model, std::span<const int> tensors) {
  const bool mark = std::ranges::any_of(
      tensors, [&](int id) { return NeedsMark(model.activations()[id].port.name); });
  return Join(model, tensors, mark ? kTensor : "");
}

Result<Cut> CutAt(const Model& model, std::vector<int> activations) {
  std::ranges::sort(activations);
  activations.erase(std::unique(activations.begin(), activations.end()), activations.end());
  FOGLINE_TRY(std::vector<bool> edge, EdgeSide(model, activations));
  FOGLINE_CHECK(Refuse(model, activations));
  for (const Cut& listed : UsualCuts(model)) {
    if (listed.edge == edge) return listed;
  }
  Cut cut = DescribeCut(model, std::move(edge), std::move(activations));
  cut.dominated = true;
  return cut;
}

Result<Cut> FindCut(const Model& model, std::string_view spec) {
  return Reader(model, std::string(spec)).ReadCut();
}

Result<int> FindTensor(const Model& model, std::string_view spec) {
  return Reader(model, std::string(spec)).ReadTensor();
}

}  // namespace fogline
