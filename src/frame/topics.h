// The topics of Fogline on a broker. A device publishes and subscribes only below
// fogline/v1/<device>/, so that one line of an access-control list fences it in.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fogline {

/// Where a device publishes its frames.
std::string FrameTopic(std::string_view device);
/// Where the cloud answers one run of a device (the frame's MQTT 5 response topic).
std::string AckTopic(std::string_view device, uint64_t run);
/// The same of a run that asks to be told what was found in its pictures. The ask is the name of
/// the topic itself: a cloud that does not know it answers there as anywhere, and frames that wait
/// on a disk are the same with it and without.
std::string FindingsTopic(std::string_view device, uint64_t run);
/// Whether answers to this topic are to tell.
bool AsksForFindings(std::string_view answer_topic);
/// What every answer topic of a device starts with.
std::string AckTopicPrefix(std::string_view device);
/// Where the runs of one device say that they are there, so that two devices with one name notice.
std::string HelloTopic(std::string_view device);
/// What one worker of a share group subscribes to.
std::string WorkerFilter(std::string_view group);
/// The device of a frame topic, if it is one.
std::optional<std::string> DeviceOfFrameTopic(std::string_view topic);

}  // namespace fogline
