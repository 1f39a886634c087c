#include "codec/route.h"

#include <charconv>
#include <filesystem>

#include "base/text.h"

namespace fogline {
namespace {

constexpr std::string_view kGate = "exit=";
constexpr std::string_view kResult = "result";
constexpr size_t kIdDigits = 16;
// What may stand in a name as it is, beside letters and digits.
constexpr std::string_view kInModel = "._-";
constexpr std::string_view kInGate = "._-,/";
constexpr std::string_view kInCut = "._-,/:";

bool IsPlain(char c, std::string_view also) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         also.find(c) != std::string_view::npos;
}

/// A whole text as a number; nothing when it is none.
template <typename T, typename... Base>
std::optional<T> ReadNumber(std::string_view text, Base... base) {
  T value{};
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, base...);
  if (text.empty() || text[0] == '-' || error != std::errc() || stop != end) return std::nullopt;
  return value;
}

/// One text, whose faults are named by it.
class RouteReader {
 public:
  explicit RouteReader(std::string_view text) : where_(Printable(text)), rest_(text) {}

  Result<Route> Read() {
    const size_t colon = rest_.find(':');
    if (colon == std::string_view::npos) {
      return Wrong("is no route: MODEL[@SIZE]:CUT/CODEC, as in litter@160:split10/q4");
    }
    Route route;
    FOGLINE_CHECK(ReadModel(Take(colon), route));
    FOGLINE_CHECK(ReadGate(route));
    const size_t slash = rest_.rfind('/');
    if (slash == std::string_view::npos) {
      return Wrong("says no codec: /q4, /f16 …, or /result where the device runs it all");
    }
    FOGLINE_TRY(route.cut, ReadName(Take(slash), kInCut, "the cut"));
    FOGLINE_CHECK(ReadCodecs(route));
    return route;
  }

 private:
  template <typename... Args>
  tl::unexpected<Error> Wrong(fmt::format_string<Args...> format, Args&&... args) const {
    return Fail(ErrorCode::kUsage, where_, format, std::forward<Args>(args)...);
  }

  /// The text before `end`; what follows the character there is left.
  std::string_view Take(size_t end) {
    const std::string_view taken = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return taken;
  }

  Status ReadModel(std::string_view text, Route& route) const {
    const size_t at = text.find('@');
    FOGLINE_TRY(route.model, ReadName(text.substr(0, at), kInModel, "the model"));
    if (at == std::string_view::npos) return {};
    const std::string_view size = text.substr(at + 1);
    const size_t x = size.find('x');
    const auto width = ReadNumber<int>(size.substr(0, x));
    const auto height = x == std::string_view::npos ? width : ReadNumber<int>(size.substr(x + 1));
    for (const auto& side : {width, height}) {
      if (side && *side >= 1 && *side <= Route::kMostSide) continue;
      return Wrong("the size '{}' is no number from 1 to {}, nor WIDTHxHEIGHT of two",
                   Printable(size), Route::kMostSide);
    }
    route.width = *width;
    route.height = *height;
    return {};
  }

  Status ReadGate(Route& route) {
    if (!rest_.starts_with(kGate)) return {};
    const size_t colon = rest_.find(':');
    const size_t at = rest_.substr(0, colon).find('@');
    if (colon == std::string_view::npos || at == std::string_view::npos) {
      return Wrong("a gate is written exit=CUT@THRESHOLD: before the cut");
    }
    std::string_view text = Take(colon);
    const std::string_view number = text.substr(at + 1);
    text = text.substr(kGate.size(), at - kGate.size());
    ExitGate& gate = route.gate.emplace();
    FOGLINE_TRY(gate.at, ReadName(text, kInGate, "the gate's cut"));
    const auto threshold = ReadNumber<double>(number);
    if (!threshold || !(*threshold >= 0 && *threshold <= 1)) {
      return Wrong("the gate's threshold '{}' is no number from 0 to 1", Printable(number));
    }
    gate.threshold = *threshold;
    return {};
  }

  /// NAME, NAME+ID or +ID.
  Result<RouteName> ReadName(std::string_view text, std::string_view also, const char* what) const {
    RouteName out;
    const size_t plus = text.find('+');
    if (plus != std::string_view::npos) {
      const std::string_view digits = text.substr(plus + 1);
      const auto id = ReadNumber<uint64_t>(digits, 16);
      const bool lower = digits.find_first_of("ABCDEF") == std::string_view::npos;
      if (digits.size() != kIdDigits || !lower || id.value_or(0) == 0) {
        return Wrong("after + {} has an id of 16 digits of 0…9 and a…f, not all 0: '{}' is none",
                     what, Printable(digits));
      }
      out.id = *id;
      text = text.substr(0, plus);
      if (text.empty()) return out;
    }
    if (text.empty()) return Wrong("{} is missing", what);
    for (size_t i = 0; i < text.size(); ++i) {
      if (IsPlain(text[i], also)) {
        out.name += text[i];
        continue;
      }
      if (text[i] != '%') {
        return Wrong("in {} write '{}' as %{:02X}", what, Printable(text.substr(i, 1)),
                     static_cast<unsigned char>(text[i]));
      }
      const std::string_view digits = text.substr(i + 1, 2);
      const auto byte = ReadNumber<uint8_t>(digits, 16);
      if (digits.size() != 2 || !byte) {
        return Wrong("in {} two digits of 0…9 and A…F follow a %", what);
      }
      out.name += static_cast<char>(*byte);
      i += 2;
    }
    return out;
  }

  Status ReadCodecs(Route& route) {
    if (rest_ == kResult) return {};
    auto codecs = ParseCodecs(rest_);
    if (!codecs) return Wrong("'{}' {}", Printable(codecs.error().where), codecs.error().message);
    if (codecs->size() > Route::kMostTensors) {
      return Wrong("has {} codecs: no frame holds more than {} tensors", codecs->size(),
                   Route::kMostTensors);
    }
    route.codecs = *std::move(codecs);
    return {};
  }

  const std::string where_;
  std::string_view rest_;
};

void Write(const RouteName& from, std::string_view also, std::string& out) {
  const size_t start = out.size();
  for (const char c : from.name) {
    // A text that begins with '-' would be taken for a flag.
    if (IsPlain(c, also) && (c != '-' || out.size() > start)) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  if (from.id != 0) out += fmt::format("+{:016x}", from.id);
}

}  // namespace

Result<Route> ParseRoute(std::string_view text) { return RouteReader(text).Read(); }

std::string ToString(const Route& route) {
  std::string text;
  Write(route.model, kInModel, text);
  if (route.width > 0) text += fmt::format("@{}", route.width);
  if (route.height != route.width) text += fmt::format("x{}", route.height);
  text += ':';
  if (route.gate) {
    text += kGate;
    Write(route.gate->at, kInGate, text);
    text += fmt::format("@{}:", route.gate->threshold);
  }
  Write(route.cut, kInCut, text);
  text += '/';
  if (route.codecs.empty()) text += kResult;
  for (size_t i = 0; i < route.codecs.size(); ++i) {
    if (i > 0) text += '+';
    text += ToString(route.codecs[i]);
  }
  return text;
}

Route RouteAt(const Model& model, const Cut& cut, std::vector<CodecName> codecs) {
  Route route;
  route.model.name = std::filesystem::path(model.where()).stem().string();
  // A tensor may be called like a place in the paper; its cut is then named by its tensors.
  const bool alias = !cut.alias.empty() && model.FindActivation(cut.alias) < 0;
  route.cut.name = !cut.is_split() ? NameOf(cut.mechanism()) : alias ? cut.alias : cut.name;
  route.codecs = std::move(codecs);
  return route;
}

Result<std::vector<CodecName>> OneForEach(const Cut& cut, std::vector<CodecName> codecs,
                                          const std::string& flag) {
  const size_t tensors = cut.tensors.size();
  if (codecs.size() == 1) codecs.resize(tensors, CodecName(codecs[0]));
  if (codecs.size() == tensors) return codecs;
  return Fail(ErrorCode::kUsage, flag,
              "names {} codecs, and what crosses at {} is {}: give one for all or one for each",
              codecs.size(), cut.name,
              tensors == 1 ? "one tensor" : fmt::format("{} tensors", tensors));
}

RouteKey KeyOf(const HalvesKey& halves, uint64_t bundle, uint32_t tensor, const CodecName& codec) {
  return {halves, tensor, codec.kind == CodecKind::kQuant ? bundle : 0,
          static_cast<uint8_t>(codec.kind), static_cast<uint8_t>(codec.parameter)};
}

}  // namespace fogline
