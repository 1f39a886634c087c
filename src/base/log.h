// Logging, on stderr only: stdout belongs to results. The only header that knows spdlog is log.cc.
#pragma once

#include <string>
#include <string_view>

#include "base/format.h"

namespace fogline {

enum class LogLevel { kDebug, kInfo, kWarning, kError, kOff };

/// Lines below `level` are dropped. Thread-safe.
void SetLogLevel(LogLevel level);
/// One JSON object a line instead of text for people.
void SetLogJson(bool json);

void LogLine(LogLevel level, std::string_view line);
/// What the functions below do once their types are gone: a line that is dropped is not formatted.
void LogFormatted(LogLevel level, fmt::string_view format, fmt::format_args args);

template <typename... Args>
void LogDebug(fmt::format_string<Args...> format, Args&&... args) {
  LogFormatted(LogLevel::kDebug, format, fmt::make_format_args(args...));
}
template <typename... Args>
void LogInfo(fmt::format_string<Args...> format, Args&&... args) {
  LogFormatted(LogLevel::kInfo, format, fmt::make_format_args(args...));
}
template <typename... Args>
void LogWarning(fmt::format_string<Args...> format, Args&&... args) {
  LogFormatted(LogLevel::kWarning, format, fmt::make_format_args(args...));
}
template <typename... Args>
void LogError(fmt::format_string<Args...> format, Args&&... args) {
  LogFormatted(LogLevel::kError, format, fmt::make_format_args(args...));
}

}  // namespace fogline
