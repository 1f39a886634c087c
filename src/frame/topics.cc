#include "frame/topics.h"

#include <fmt/format.h>

#include "frame/frame.h"

namespace fogline {
namespace {
constexpr std::string_view kRoot = "fogline/v1/";
constexpr std::string_view kFrame = "/frame";
// On the same level, which is what access-control lists allow.
constexpr std::string_view kFindings = ".findings";
}  // namespace

std::string FrameTopic(std::string_view device) {
  return fmt::format("{}{}{}", kRoot, device, kFrame);
}

std::string AckTopic(std::string_view device, uint64_t run) {
  return fmt::format("{}{}/ack/{:016x}", kRoot, device, run);
}

std::string FindingsTopic(std::string_view device, uint64_t run) {
  return fmt::format("{}{}", AckTopic(device, run), kFindings);
}

bool AsksForFindings(std::string_view answer_topic) { return answer_topic.ends_with(kFindings); }

std::string AckTopicPrefix(std::string_view device) {
  return fmt::format("{}{}/ack/", kRoot, device);
}

std::string HelloTopic(std::string_view device) { return fmt::format("{}{}/hello", kRoot, device); }

std::string WorkerFilter(std::string_view group) {
  return fmt::format("$share/{}/{}+{}", group, kRoot, kFrame);
}

std::optional<std::string> DeviceOfFrameTopic(std::string_view topic) {
  if (!topic.starts_with(kRoot) || !topic.ends_with(kFrame)) return std::nullopt;
  topic.remove_prefix(kRoot.size());
  if (topic.size() < kFrame.size()) return std::nullopt;
  topic.remove_suffix(kFrame.size());
  if (!IsDeviceName(topic)) return std::nullopt;
  return std::string(topic);
}

}  // namespace fogline
