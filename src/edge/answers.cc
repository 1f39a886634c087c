#include "edge/answers.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/json_writer.h"
#include "base/log.h"
#include "frame/json_frame.h"
#include "vision/findings_json.h"

namespace fogline {

Result<std::unique_ptr<Answers>> Answers::Open(const std::string& name, const RoutePool& pool) {
  FOGLINE_TRY(auto lines, LineFile::Open(name));
  return std::unique_ptr<Answers>(new Answers(std::move(lines), pool));
}

void Answers::Own(const std::string& device, const Frame& frame, bool sent,
                  const ResultPayload& result) {
  Write(device, frame, sent, &result, {});
}

void Answers::Heard(const std::string& device, const Receipt& receipt) {
  Frame frame;
  std::vector<std::byte> scratch;
  const Status read = IsJsonFrame(receipt.frame) ? ParseJsonFrame(receipt.frame, frame, scratch)
                                                 : ParseFrame(receipt.frame, frame);
  if (!read) return LogDebug("{}", read.error().ToString());  // a newer build's, in the spool
  const auto holds = [&](Role role) {
    return std::ranges::find(frame.payloads, role, &Payload::role) != frame.payloads.end();
  };
  const bool own = holds(Role::kResult) && !holds(Role::kActivation);
  if (!own) Write(device, frame, true, receipt.result, receipt.reason);
}

void Answers::Write(const std::string& device, const Frame& frame, bool named,
                    const ResultPayload* result, std::string_view error) {
  std::string line;
  JsonWriter json(line);
  json.Object([&] {
    json.Put("device", device);
    json.Put("run", fmt::format("{:016x}", frame.run));
    named ? json.Put("sequence", frame.sequence) : json.Put("sequence", nullptr);
    if (frame.captured_from != TimeSource::kNone) json.Put("captured", frame.captured_us / 1000);
    json.Put("captured_from", ToString(frame.captured_from));
    json.Put("route", pool_.TextOf(frame));
    if (result == nullptr) {
      json.Put("verdict", nullptr);
      json.Put("findings", nullptr);
    } else {
      json.Object("verdict", [&] {
        json.Put("label", result->text);
        json.Put("score", result->score);
        json.Put("positive", result->positive);
      });
      json.Object("findings", [&] {
        if (!result->findings) return;
        json.Members([&](std::string& out) { AppendFindingsJson(out, *result->findings); });
      });
    }
    if (!error.empty()) json.Put("error", error);
  });
  lines_->Write(std::move(line));
}

}  // namespace fogline
