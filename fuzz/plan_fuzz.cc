// Any query to /api/plan gives a plan or an error, over a real model.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>

#include "base/log.h"
#include "web/planner.h"

using fogline::ErrorCode;
using fogline::Parameters;
using fogline::Planner;
using fogline::PlannerQuestion;

/// OpenSSL's state of a thread that has not ended yet is no leak.
extern "C" const char* __lsan_default_suppressions() { return "leak:CRYPTO_zalloc\n"; }

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fogline::SetLogLevel(fogline::LogLevel::kError);
  static Planner planner(FOGLINE_SOURCE_DIR "/models");
  const std::string query(reinterpret_cast<const char*>(data), size);
  auto parameters = Parameters::Parse("/api/plan?" + query);
  if (!parameters) return 0;
  const auto question = PlannerQuestion::Read(*parameters);
  if (!question || !parameters->Finish()) return 0;
  for (;;) {
    const auto answer = planner.Plan(*question);
    // What nobody has foreseen is a bug, as is an answer that is no object.
    if (!answer && answer.error().code == ErrorCode::kInternal) std::abort();
    if (answer && (answer->front() != '{' || !answer->ends_with("}\n"))) std::abort();
    if (answer || answer.error().code != ErrorCode::kUnavailable) return 0;
    std::this_thread::yield();
  }
}
