#include "cli/number.h"

#include <fmt/format.h>

#include <charconv>

namespace fogline::cli {
namespace {

constexpr double kSlowest = 1e-6;  // pictures a second: one in eleven days

/// NaN for what is no number.
double Read(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole ? value : std::numeric_limits<double>::quiet_NaN();
}

std::string Refusal(const std::string& text, double low, double high) {
  return fmt::format("{} is no number from {} to {}", text, low, high);
}

/// As CLI::Range says it in --help.
std::string InRange(double low, double high) {
  return fmt::format("FLOAT in [{:g} - {:g}]", low, high);
}

}  // namespace

CLI::Validator Within(double low, double high) {
  return CLI::Validator(
      [low, high](std::string& text) {
        const double value = Read(text);  // written so that NaN fails
        return value >= low && value <= high ? std::string() : Refusal(text, low, high);
      },
      InRange(low, high), "WITHIN");
}

CLI::Validator RateUpTo(double high) {
  return CLI::Validator(
      [high](std::string& text) {
        const double value = Read(text);
        return value == 0 || (value >= kSlowest && value <= high) ? std::string()
                                                                  : Refusal(text, kSlowest, high);
      },
      InRange(0, high), "RATE");
}

CLI::Option* AddDuration(CLI::App& command, const std::string& name, Nanos& into, Nanos unit,
                         double low, double high, const std::string& help) {
  return command
      .add_option_function<double>(
          name,
          [&into, unit](double units) {
            into = Nanos(static_cast<int64_t>(units * static_cast<double>(unit.count())));
          },
          help)
      ->check(Within(low, high))
      ->type_name("FLOAT");
}

}  // namespace fogline::cli
