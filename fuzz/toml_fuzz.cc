// Any bytes as the files that people write: machines, links, measured profiles, scenarios.
// Each reader takes them or says in one line what is wrong.
#include <cstdlib>
#include <string_view>

#include "cost/fleet.h"
#include "cost/paper_tables.h"
#include "profile/link.h"
#include "profile/machine.h"
#include "profile/measured.h"

namespace {

template <typename T>
void Expect(const fogline::Result<T>& read) {
  if (read) return;
  const std::string line = read.error().ToString();
  if (line.empty() || line.find('\n') != line.npos) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fogline;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Expect(ParseMachine(text, "fuzz"));
  Expect(ParseLink(text, "fuzz"));
  Expect(ParseInlineLink(text));
  Expect(MeasuredProfile::Parse(text, "fuzz"));
  Expect(ParseFleet(text, "fuzz"));
  Expect(ParsePaperConstants(text, "fuzz"));
  return 0;
}
