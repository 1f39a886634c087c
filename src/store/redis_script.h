// What Redis keeps for a store, and the script that writes it.
//
// Every key begins with "{fogline}:". The braces are Redis Cluster's way to say that all of them
// belong on one node, which a script needs.
//
//   about                   hash    epoch, version
//   last                    string  the highest id so far
//   forgotten               string  the highest id that was forgotten
//   log                     stream  one entry a detection, "ID-0", see redis_row.h
//   places                  GEO     ID at its position
//   seen:RUN:BLOCK:DEVICE   hash    sequence within the block → ID, what makes a frame count once
//   gone:RUN:BLOCK:DEVICE   string  a bit a sequence of the block: stored once, and forgotten since
//   gone                    zset    RUN:BLOCK:DEVICE of those by when (ms) the last of them went
//   marks                   hash    name → the id where somebody who works through rows goes on
//   hold:NAME               string  who alone does something now; it ends by itself
//   late:BLOCK              hash    ID within the block → network_ms, known only after the entry
//   thumbnail:ID            string  JPEG
//   tally:KIND              hash    text → "count positives payload_bytes first_us last_us", of
//                                   devices also stored_bytes (see StoredBytes)
//   held:rows, held:bytes   zset    devices by what they hold, since they last stored something
//   deletions               string  how often rows were deleted
//   deleted                 stream  which: "STEP-0" ids "ID ID …", of the last steps only
//   probe                   string  when it was last tried whether anything can be written
//   newest:KIND             zset    text by last_us
//
// A block is 128 numbers (sequence / 128 or ID / 128, written in hexadecimal): Redis packs a hash
// of so few entries tightly, about 12 bytes an entry instead of 70.
#pragma once

#include <array>
#include <span>
#include <string>
#include <vector>

#include "store/redis_connection.h"
#include "store/store.h"

namespace fogline {

inline constexpr const char* kRedisPrefix = "{fogline}:";
inline constexpr const char* kRedisVersion = "4";  // reads those from "1" on, and makes them "4"
inline constexpr uint64_t kRedisBlock = 128;
inline constexpr std::array kTallyKinds{"device", "label", "mechanism", "model"};

std::string RedisKey(std::string_view name);
/// "RUN:BLOCK:DEVICE".
std::string NameBlock(const std::string& device, uint64_t run, uint64_t sequence);
std::string BlockKey(std::string_view name, uint64_t number);

/// What letting go of a batch of rows takes.
struct RedisForgetting {
  std::vector<StoredDetection> rows;  // ascending
  bool oldest = true;                 // they are the oldest of the log, and forgotten; or deleted
  int64_t now_us = 0;
  int64_t names_until_us = 0;  // blocks of names whose last one went before go
  uint64_t most_blocks = 0;
};

/// Lua: forgets rows in one atomic step, or nothing when the first of them is not the oldest any
/// more; or deletes those that are still there. Runs in a full memory.
const std::string& ForgetScript();
/// EVALs the script. Answers how many rows went.
RedisCommand ForgetCommand(const RedisForgetting& forgetting);

/// Lua, for SCRIPT LOAD: stores a batch and its settlements in one atomic step, each detection
/// once.
const std::string& PutScript();

/// Runs the script, whose name SCRIPT LOAD gave; `stored_us` has one for each detection. Answers
/// two integers a detection: 1 for stored or 0 for a duplicate, and the id.
RedisCommand PutCommand(const std::string& script, std::span<const Detection> batch,
                        std::span<const Settlement> settlements,
                        std::span<const int64_t> stored_us);

}  // namespace fogline
