#include "engine/ort.h"

#include <algorithm>
#include <array>
#include <new>

#include "base/log.h"
#include "base/uncaught.h"

namespace fogline {
namespace {

void ORT_API_CALL OnEngineLog(void*, OrtLoggingLevel level, const char*, const char*, const char*,
                              const char* message) {
  if (level >= ORT_LOGGING_LEVEL_ERROR) {
    LogDebug("engine: {}",
             message);  // the same text arrives as an exception, and is reported from there
  }
}

}  // namespace

Ort::Env& Environment() {
  // Where this fails, for want of memory or threads, the engine is half set up for good: a second
  // try finds it so, and refuses every network. The process ends, and its next start is whole.
  static Ort::Env env = [] {
    try {
      Ort::Env made(ORT_LOGGING_LEVEL_ERROR, "fogline", OnEngineLog, nullptr);
      made.DisableTelemetryEvents();
      return made;
    } catch (const std::exception&) {
      EndWithoutMemory();
    }
  }();
  return env;
}

Error FromRun(const Ort::Exception& e, const std::string& where) {
  Error error = FromEngine(e, where);
  const std::string_view text = e.what();
  const bool memory = text.find("allocat") != text.npos;  // "bad allocation", "Failed to allocate"
  error.code = memory                                        ? ErrorCode::kExhausted
               : e.GetOrtErrorCode() == ORT_INVALID_ARGUMENT ? ErrorCode::kInvalid
                                                             : ErrorCode::kInternal;
  return error;
}

Error FromThrown(const std::exception& e, const std::string& where) {
  if (dynamic_cast<const std::bad_alloc*>(&e) != nullptr) {
    return Error{ErrorCode::kExhausted, where, "does not fit into memory"};
  }
  return Error{ErrorCode::kInternal, where, std::string("the engine failed: ") + e.what()};
}

Error FromEngine(const Ort::Exception& e, const std::string& where) {
  ErrorCode code = ErrorCode::kInvalid;
  switch (e.GetOrtErrorCode()) {
    case ORT_NOT_IMPLEMENTED:
      code = ErrorCode::kUnsupported;
      break;
    case ORT_NO_SUCHFILE:
      code = ErrorCode::kNotFound;
      break;
    case ORT_EP_FAIL:
    case ORT_RUNTIME_EXCEPTION:
      code = ErrorCode::kInternal;
      break;
    default:
      break;
  }
  // One line: the engine's messages hold newlines, and some begin with a place in its source.
  std::string text = e.what();
  constexpr std::string_view kMark = "[ONNXRuntimeError] : ";
  if (const size_t mark = text.find(kMark); text.starts_with('/') && mark != text.npos) {
    text.erase(0, mark + kMark.size());
  }
  std::replace(text.begin(), text.end(), '\n', ' ');
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return Error{code, where, "the engine refuses it: " + text};
}

Ort::SessionOptions ToEngine(const SessionOptions& options, Level level, const Provider& provider) {
  static constexpr std::array kEngineLevels{ORT_ENABLE_ALL, ORT_ENABLE_EXTENDED, ORT_ENABLE_BASIC,
                                            ORT_DISABLE_ALL};
  Ort::SessionOptions to;
  to.SetIntraOpNumThreads(options.threads);
  to.SetInterOpNumThreads(1);
  to.SetGraphOptimizationLevel(kEngineLevels[static_cast<size_t>(level)]);
  // Threads that spin between frames burn an edge device's battery and steal a cloud worker's other
  // cores.
  to.AddConfigEntry("session.intra_op.allow_spinning", "0");
  for (const auto& [name, value] : options.free_dimensions) {
    Ort::ThrowOnError(Ort::GetApi().AddFreeDimensionOverrideByName(to, name.c_str(), value));
  }
  AppendProvider(provider, options.threads, to);
  return to;
}

}  // namespace fogline
