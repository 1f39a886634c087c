#include "store/redis_script.h"

#include "store/redis_cover.h"
#include "store/redis_row.h"

namespace fogline {
namespace {

// Everything that could fail is checked before: Redis does not undo what a script did before an
// error. A full memory refuses the first write, so then nothing is written either.
constexpr const char* kScript = R"lua(
local prefix, stored, detections, settlements = ARGV[1], {}, tonumber(ARGV[2]), tonumber(ARGV[3])
local kinds = {device = 1, label = 11, mechanism = 14, model = 10}
local names = {$NAMES}
local tallies = {device = {}, label = {}, mechanism = {}, model = {}}
local last = tonumber(redis.call('GET', KEYS[2]) or '0')
local first = last
local at = 4

local function count(kind, text, row)
  local t = tallies[kind][text]
  if not t then
    t = {0, 0, 0, row[4], row[4]}
    tallies[kind][text] = t
  end
  t[1] = t[1] + 1
  t[2] = t[2] + tonumber(row[13])
  t[3] = t[3] + tonumber(row[17])
  if tonumber(row[4]) < tonumber(t[4]) then t[4] = row[4] end
  if tonumber(row[4]) > tonumber(t[5]) then t[5] = row[4] end
end

for i = 1, detections do
  local seen, place, lon, lat, jpeg = unpack(ARGV, at, at + 4)
  local row = {unpack(ARGV, at + 5, at + 4 + #names)}
  at = at + 5 + #names
  local id = string.format('%.0f', last + 1)
  if redis.call('HSETNX', seen, place, id) == 1 then
    last = last + 1
    local entry = {}
    for k = 1, #names do
      entry[2 * k - 1] = names[k]
      entry[2 * k] = row[k]
    end
    redis.call('XADD', KEYS[1], id .. '-0', unpack(entry))
    if lon ~= '' then redis.call('GEOADD', KEYS[3], lon, lat, id) end
    if jpeg ~= '' then redis.call('SET', prefix .. 'thumbnail:' .. id, jpeg) end
    for kind, field in pairs(kinds) do count(kind, row[field], row) end
    stored[2 * i - 1] = 1
    stored[2 * i] = last
  else
    stored[2 * i - 1] = 0
    stored[2 * i] = tonumber(redis.call('HGET', seen, place))
  end
end
if last > first then redis.call('SET', KEYS[2], string.format('%.0f', last)) end

for kind, texts in pairs(tallies) do
  for text, t in pairs(texts) do
    local known = redis.call('HGET', prefix .. 'tally:' .. kind, text)
    if known then
      local n, positives, bytes, from, to = known:match('(%S+) (%S+) (%S+) (%S+) (%S+)')
      t[1] = t[1] + tonumber(n)
      t[2] = t[2] + tonumber(positives)
      t[3] = t[3] + tonumber(bytes)
      if tonumber(from) < tonumber(t[4]) then t[4] = from end
      if tonumber(to) > tonumber(t[5]) then t[5] = to end
    end
    redis.call('HSET', prefix .. 'tally:' .. kind, text,
      string.format('%.0f %.0f %.0f %s %s', t[1], t[2], t[3], t[4], t[5]))
    redis.call('ZADD', prefix .. 'newest:' .. kind, t[5], text)
  end
end

for i = 1, settlements do
  local seen, place, network_ms = unpack(ARGV, at, at + 2)
  at = at + 3
  local id = tonumber(redis.call('HGET', seen, place) or '0')
  if id > 0 then
    redis.call('HSET', string.format('%slate:%x', prefix, math.floor(id / 128)), id % 128, network_ms)
  end
end
return stored
)lua";

std::string Build() {
  std::string script = kScript;
  std::string names;
  for (const char* name : kRedisFields) names += fmt::format("'{}', ", name);
  constexpr std::string_view kPlace = "$NAMES";
  script.replace(script.find(kPlace), kPlace.size(), names);
  return script;
}

/// The key and field that know whether a frame is stored.
void AppendSeen(const std::string& device, uint64_t run, uint64_t sequence, RedisCommand& out) {
  out.push_back(
      fmt::format("{}seen:{:016x}:{:x}:{}", kRedisPrefix, run, sequence / kRedisBlock, device));
  out.push_back(std::to_string(sequence % kRedisBlock));
}

}  // namespace

std::string RedisKey(std::string_view name) { return fmt::format("{}{}", kRedisPrefix, name); }

std::string BlockKey(std::string_view name, uint64_t number) {
  return fmt::format("{}{}:{:x}", kRedisPrefix, name, number / kRedisBlock);
}

const std::string& PutScript() {
  static const std::string script = Build();
  return script;
}

RedisCommand PutCommand(const std::string& script, std::span<const Detection> batch,
                        std::span<const Settlement> settlements, int64_t stored_us) {
  RedisCommand put{"EVALSHA",
                   script,
                   "3",
                   RedisKey("log"),
                   RedisKey("last"),
                   RedisKey("places"),
                   kRedisPrefix,
                   std::to_string(batch.size()),
                   std::to_string(settlements.size())};
  put.reserve(put.size() + batch.size() * (5 + kRedisFields.size()) + settlements.size() * 3);
  for (const Detection& d : batch) {
    AppendSeen(d.device, d.run, d.sequence, put);
    put.push_back(d.has_position ? fmt::format("{}", GeoLongitude(d.lon)) : "");
    put.push_back(d.has_position ? fmt::format("{}", GeoLatitude(d.lat)) : "");
    put.emplace_back(reinterpret_cast<const char*>(d.thumbnail.data()), d.thumbnail.size());
    AppendRedisRow(d, stored_us, put);
  }
  for (const Settlement& s : settlements) {
    AppendSeen(s.device, s.run, s.sequence, put);
    put.push_back(fmt::format("{}", s.network_ms));
  }
  return put;
}

}  // namespace fogline
