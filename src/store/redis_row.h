// A detection as an entry of a Redis stream.
#pragma once

#include <array>
#include <string>

#include "store/redis_connection.h"
#include "store/store.h"

namespace fogline {

/// The fields of every entry, in this order: Redis keeps names that repeat only once. Texts and
/// decimal numbers, empty where unknown, so that any other reader of the stream understands them.
/// stages: milliseconds in the order of kStages, with commas between. findings: the bytes that
/// WriteFindings puts (docs/wire_format.md), empty where label and score say it all. counts:
/// "waiting dead dropped", empty where the device did not tell them. Further fields are appended:
/// entries of older Foglines have fewer.
inline constexpr std::array kRedisFields{
    "device",   "run",           "sequence",    "captured_us", "stored_us",     "lat",
    "lon",      "accuracy_m",    "heading_deg", "model",       "label",         "score",
    "positive", "mechanism",     "cut",         "codec",       "payload_bytes", "thumbnail",
    "stages",   "captured_from", "findings",    "counts"};
/// What an entry of the first version had of them, and one of the second.
inline constexpr size_t kFirstRedisFields = 19, kSecondRedisFields = 20;

/// Appends the values of kRedisFields.
void AppendRedisRow(const Detection& detection, int64_t stored_us, RedisCommand& out);

/// An entry of XRANGE's reply. kInvalid for one that Fogline did not write.
Result<StoredDetection> ReadRedisRow(const redisReply& entry, const std::string& where);

}  // namespace fogline
