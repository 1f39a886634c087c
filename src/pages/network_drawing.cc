#include "pages/network_drawing.h"

#include <fmt/format.h>

#include <string_view>

#include "base/json.h"
#include "graph/graph_json.h"

// Out of web/report_script.mjs: each begins at its name and ends before that with _end.
extern "C" {
extern const char fogline_network_script[];      // NOLINT(readability-identifier-naming)
extern const char fogline_network_script_end[];  // NOLINT(readability-identifier-naming)
extern const char fogline_network_style[];       // NOLINT(readability-identifier-naming)
extern const char fogline_network_style_end[];   // NOLINT(readability-identifier-naming)
}

namespace fogline {
namespace {

std::string_view Between(const char* begin, const char* end) {
  return {begin, static_cast<size_t>(end - begin)};
}

/// JSON that no name in it can end early: inside <script> only "</" and "<!--" could.
std::string InsideScript(const Json& json) {
  std::string text;
  for (const char c : Dump(json)) {
    if (c == '<') {
      text += "\\u003c";
    } else {
      text += c;
    }
  }
  return text;
}

}  // namespace

std::string NetworkDrawing(const Model& model, const std::vector<Cut>& cuts) {
  std::vector<Cut> listed;
  for (const Cut& cut : cuts) {
    if (cut.index >= 0) listed.push_back(cut);
  }
  return fmt::format(
      "<style>{}</style><div id=\"network\"><noscript>The tables below say the same.</noscript>"
      "</div><script type=\"application/json\" id=\"network-data\">{}</script><script>{}</script>",
      Between(fogline_network_style, fogline_network_style_end),
      InsideScript(GraphJson(model, listed)),
      Between(fogline_network_script, fogline_network_script_end));
}

}  // namespace fogline
