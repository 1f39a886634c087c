#include "base/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <memory>

#include "base/text.h"

namespace fogline {
namespace {

std::atomic<bool> json_lines{false};

spdlog::logger& Logger() {
  static const std::shared_ptr<spdlog::logger> logger = [] {
    auto made = std::make_shared<spdlog::logger>(
        "fogline", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
    made->set_pattern("%H:%M:%S.%e %^%-7l%$ %v");
    made->set_level(spdlog::level::info);
    return made;
  }();
  return *logger;
}

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
    case LogLevel::kOff:
      return spdlog::level::off;
  }
  return spdlog::level::info;
}

}  // namespace

void SetLogLevel(LogLevel level) { Logger().set_level(ToSpdlog(level)); }

void SetLogJson(bool json) {
  json_lines = json;
  Logger().set_pattern(json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l","message":%v})"
                            : "%H:%M:%S.%e %^%-7l%$ %v");
}

void LogLine(LogLevel level, std::string_view line) {
  const auto to = ToSpdlog(level);
  if (!Logger().should_log(to)) return;
  if (json_lines) {
    Logger().log(to, "{}", JsonQuote(line));
  } else {
    Logger().log(to, "{}", Printable(line));
  }
}

void LogFormatted(LogLevel level, fmt::string_view format, fmt::format_args args) {
  if (Logger().should_log(ToSpdlog(level))) LogLine(level, fmt::vformat(format, args));
}

}  // namespace fogline
