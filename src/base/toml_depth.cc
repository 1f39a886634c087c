#include "base/toml_depth.h"

#include <algorithm>

namespace fogline {
namespace {

constexpr size_t kMostTomlBytes = 4'000'000;
constexpr int kMostParts = 16;
constexpr int kMostNested = 16;

/// Behind the string that begins at `at`, in any of TOML's four ways to quote; where it does not
/// end, behind its line, or all of the text for one of many lines.
size_t AfterString(std::string_view text, size_t at) {
  const char quote = text[at];
  const bool many = text.substr(at).starts_with(std::string(3, quote));
  const std::string_view end = text.substr(at, many ? 3 : 1);
  for (size_t i = at + end.size(); i < text.size(); ++i) {
    if (text[i] == '\\' && quote == '"') {
      ++i;
    } else if (text.substr(i).starts_with(end)) {
      return i + end.size();
    } else if (text[i] == '\n' && !many) {
      return i;
    }
  }
  return text.size();
}

}  // namespace

Status CheckTomlDepth(std::string_view text, const std::string& where) {
  if (text.size() > kMostTomlBytes) {
    return Fail(ErrorCode::kInvalid, where, "is larger than {} MB, which no such file needs",
                kMostTomlBytes / 1'000'000);
  }
  int dots = 0;    // since what a key cannot hold
  int nested = 0;  // brackets and braces that are open
  size_t at = 0;
  const auto too_deep = [&](std::string_view what) {
    const auto line = std::ranges::count(text.substr(0, at), '\n') + 1;
    return Fail(ErrorCode::kInvalid, where, "line {}: {}", line, what);
  };
  while (at < text.size()) {
    switch (text[at]) {
      case '"':
      case '\'':
        at = AfterString(text, at);
        continue;
      case '#':
        at = std::min(text.find('\n', at), text.size());
        continue;
      case '.':
        if (++dots >= kMostParts) return too_deep("a key of more than 16 parts");
        break;
      case '[':
      case '{':
        dots = 0;
        if (++nested > kMostNested) return too_deep("values more than 16 deep in each other");
        break;
      case ']':
      case '}':
        nested = std::max(0, nested - 1);
        [[fallthrough]];
      case '=':
      case ',':
      case '\n':
        dots = 0;
        break;
      default:
        break;
    }
    ++at;
  }
  return {};
}

}  // namespace fogline
