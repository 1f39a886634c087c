#include "web/metrics.h"

#include <fmt/format.h>

namespace fogline {
namespace {

std::string Escape(std::string_view text, bool quotes) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && quotes) {
      out += "\\\"";
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

void MetricsWriter::Family(std::string_view name, std::string_view help, Metric::Kind kind) {
  name_ = name;
  out_ += fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n", name, Escape(help, false),
                      kind == Metric::kCounter ? "counter" : "gauge");
}

void MetricsWriter::Sample(double value) { out_ += fmt::format("{} {}\n", name_, value); }

void MetricsWriter::Sample(std::string_view label, std::string_view label_value, double value) {
  Sample({{label, label_value}}, value);
}

void MetricsWriter::Sample(
    std::initializer_list<std::pair<std::string_view, std::string_view>> labels, double value) {
  out_ += name_ + "{";
  const char* between = "";
  for (const auto& [label, text] : labels) {
    out_ += fmt::format("{}{}=\"{}\"", between, label, Escape(text, true));
    between = ",";
  }
  out_ += fmt::format("}} {}\n", value);
}

}  // namespace fogline
