#include "store/redis_script.h"

#include <algorithm>

#include "store/redis_cover.h"
#include "store/redis_row.h"
#include "store/retention.h"
#include "vision/findings_bytes.h"

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
local gone = redis.call('EXISTS', prefix .. 'gone') == 1
local at = 4

-- Whether a frame of that name was stored, and its row is gone.
local function is_forgotten(seen, place)
  return gone and redis.call('GETBIT', prefix .. 'gone:' .. seen:sub(#prefix + 6), place) == 1
end

local function count(kind, text, row, stored_bytes)
  local t = tallies[kind][text]
  if not t then
    t = {0, 0, 0, '9223372036854775807', '-9223372036854775808', 0}
    tallies[kind][text] = t
  end
  t[1] = t[1] + 1
  t[2] = t[2] + tonumber(row[13])
  t[3] = t[3] + tonumber(row[17])
  t[6] = t[6] + stored_bytes
  if row[20] == 'none' then return end
  if tonumber(row[4]) < tonumber(t[4]) then t[4] = row[4] end
  if tonumber(row[4]) > tonumber(t[5]) then t[5] = row[4] end
end

for i = 1, detections do
  local seen, place, lon, lat, jpeg = unpack(ARGV, at, at + 4)
  local row = {unpack(ARGV, at + 5, at + 4 + #names)}
  at = at + 5 + #names
  local id = string.format('%.0f', last + 1)
  if is_forgotten(seen, place) then
    stored[2 * i - 1] = 0
    stored[2 * i] = 0
  elseif redis.call('HSETNX', seen, place, id) == 1 then
    last = last + 1
    local entry = {}
    for k = 1, #names do
      entry[2 * k - 1] = names[k]
      entry[2 * k] = row[k]
    end
    redis.call('XADD', KEYS[1], id .. '-0', unpack(entry))
    if lon ~= '' then redis.call('GEOADD', KEYS[3], lon, lat, id) end
    if jpeg ~= '' then redis.call('SET', prefix .. 'thumbnail:' .. id, jpeg) end
    local bytes = $PLAIN + #row[21] + #jpeg
    for kind, field in pairs(kinds) do count(kind, row[field], row, bytes) end
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
      local n, positives, bytes, from, to, held = $TALLY
      t[1] = t[1] + tonumber(n)
      t[2] = t[2] + tonumber(positives)
      t[3] = t[3] + tonumber(bytes)
      t[6] = t[6] + (tonumber(held) or $PLAIN * tonumber(n))
      if tonumber(from) < tonumber(t[4]) then t[4] = from end
      if tonumber(to) > tonumber(t[5]) then t[5] = to end
    end
    redis.call('HSET', prefix .. 'tally:' .. kind, text, string.format('%.0f %.0f %.0f %s %s %.0f',
      t[1], t[2], t[3], t[4], t[5], kind == 'device' and t[6] or 0))
    redis.call('ZADD', prefix .. 'newest:' .. kind, t[5], text)
    if kind == 'device' then
      redis.call('ZADD', prefix .. 'held:rows', t[1], text)
      redis.call('ZADD', prefix .. 'held:bytes', t[6], text)
    end
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

// In a full memory Redis lets a script write on once it has freed some: the trimming comes first.
constexpr const char* kForgetScript = R"lua(
local prefix, mode, first, last, rows = ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local now_ms, until_ms, most, step = ARGV[6], ARGV[7], tonumber(ARGV[8]), tonumber(ARGV[9])
local kinds = {device = 8, label = 9, mechanism = 10, model = 11}
local tallies = {device = {}, label = {}, mechanism = {}, model = {}}
local at = 11
local gone = {}

-- All that a row has beside its entry in the log.
local function let_go(row)
  local id, block, place, placed, jpeg, late, late_place = unpack(row)
  local bytes = tonumber(row[14])
  if placed == '1' then redis.call('ZREM', KEYS[2], id) end
  if jpeg == '1' then
    bytes = bytes + redis.call('STRLEN', prefix .. 'thumbnail:' .. id)
    redis.call('UNLINK', prefix .. 'thumbnail:' .. id)
  end
  redis.call('HDEL', prefix .. 'seen:' .. block, place)
  redis.call('HDEL', late, late_place)
  redis.call('SETBIT', prefix .. 'gone:' .. block, place, 1)
  redis.call('ZADD', KEYS[3], now_ms, block)
  for kind, field in pairs(kinds) do
    local t = tallies[kind][row[field]] or {0, 0, 0, 0}
    tallies[kind][row[field]] = {t[1] + 1, t[2] + tonumber(row[12]), t[3] + tonumber(row[13]),
      t[4] + bytes}
  end
  gone[#gone + 1] = id
end

local function lower(kind, text, t)
  local known = redis.call('HGET', prefix .. 'tally:' .. kind, text)
  if not known then return end
  local n, positives, bytes, from, to, held = $TALLY
  local left = tonumber(n) - t[1]
  if left <= 0 then
    redis.call('HDEL', prefix .. 'tally:' .. kind, text)
    redis.call('ZREM', prefix .. 'newest:' .. kind, text)
    if kind == 'device' then
      redis.call('ZREM', prefix .. 'held:rows', text)
      redis.call('ZREM', prefix .. 'held:bytes', text)
    end
    return
  end
  held = math.max(0, (tonumber(held) or $PLAIN * tonumber(n)) - t[4])
  redis.call('HSET', prefix .. 'tally:' .. kind, text, string.format('%.0f %.0f %.0f %s %s %.0f',
    left, tonumber(positives) - t[2], tonumber(bytes) - t[3], from, to, kind == 'device' and held or 0))
  if kind == 'device' then
    redis.call('ZADD', prefix .. 'held:rows', left, text)
    redis.call('ZADD', prefix .. 'held:bytes', held, text)
  end
end

local wanted = rows > 0
if wanted and mode == 'oldest' then
  local head = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)
  wanted = #head > 0 and head[1][1] == first .. '-0'
  if wanted then redis.call('XTRIM', KEYS[1], 'MINID', ARGV[10]) end
end
for i = 1, wanted and rows or 0 do
  local row = {unpack(ARGV, at, at + 13)}
  at = at + 14
  if mode == 'oldest' or redis.call('XDEL', KEYS[1], row[1] .. '-0') == 1 then let_go(row) end
end
for kind, texts in pairs(tallies) do
  for text, t in pairs(texts) do lower(kind, text, t) end
end
if mode == 'oldest' then
  if wanted then redis.call('SET', KEYS[4], last) end
elseif #gone > 0 then
  local deletion = redis.call('INCR', prefix .. 'deletions')
  redis.call('XADD', prefix .. 'deleted', 'MAXLEN', $KEPT, deletion .. '-0', 'ids', table.concat(gone, ' '))
end

-- Names that have been kept long enough, and those beyond their share.
local excess = redis.call('ZCARD', KEYS[3]) - most
local oldest = redis.call('ZRANGE', KEYS[3], 0, step - 1, 'WITHSCORES')
for i = 1, #oldest, 2 do
  if tonumber(oldest[i + 1]) >= tonumber(until_ms) and (i + 1) / 2 > excess then break end
  redis.call('UNLINK', prefix .. 'gone:' .. oldest[i])
  redis.call('ZREM', KEYS[3], oldest[i])
end
return #gone
)lua";

/// A script with what stands in it for figures and for what both say alike.
std::string Build(std::string script) {
  std::string names;
  for (const char* name : kRedisFields) names += fmt::format("'{}', ", name);
  const std::array<std::pair<std::string_view, std::string>, 4> words{{
      {"$NAMES", names},
      {"$TALLY", "known:match('(%S+) (%S+) (%S+) (%S+) (%S+) ?(%S*)')"},
      {"$PLAIN", std::to_string(kPlainRowBytes)},
      {"$KEPT", std::to_string(kDeletionsKept)},
  }};
  for (const auto& [word, text] : words) {
    for (size_t at = script.find(word); at != script.npos; at = script.find(word, at)) {
      script.replace(at, word.size(), text);
    }
  }
  return script;
}

/// The key and field that know whether a frame is stored.
void AppendSeen(const std::string& device, uint64_t run, uint64_t sequence, RedisCommand& out) {
  out.push_back(fmt::format("{}seen:{}", kRedisPrefix, NameBlock(device, run, sequence)));
  out.push_back(std::to_string(sequence % kRedisBlock));
}

}  // namespace

std::string RedisKey(std::string_view name) { return fmt::format("{}{}", kRedisPrefix, name); }

std::string NameBlock(const std::string& device, uint64_t run, uint64_t sequence) {
  return fmt::format("{:016x}:{:x}:{}", run, sequence / kRedisBlock, device);
}

std::string BlockKey(std::string_view name, uint64_t number) {
  return fmt::format("{}{}:{:x}", kRedisPrefix, name, number / kRedisBlock);
}

const std::string& PutScript() {
  static const std::string script = Build(kScript);
  return script;
}

RedisCommand PutCommand(const std::string& script, std::span<const Detection> batch,
                        std::span<const Settlement> settlements,
                        std::span<const int64_t> stored_us) {
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
  for (size_t i = 0; i < batch.size(); ++i) {
    const Detection& d = batch[i];
    AppendSeen(d.device, d.run, d.sequence, put);
    put.push_back(d.has_position ? fmt::format("{}", GeoLongitude(d.lon)) : "");
    put.push_back(d.has_position ? fmt::format("{}", GeoLatitude(d.lat)) : "");
    put.emplace_back(reinterpret_cast<const char*>(d.thumbnail.data()), d.thumbnail.size());
    AppendRedisRow(d, stored_us[i], put);
  }
  for (const Settlement& s : settlements) {
    AppendSeen(s.device, s.run, s.sequence, put);
    put.push_back(fmt::format("{}", s.network_ms));
  }
  return put;
}

const std::string& ForgetScript() {
  static const std::string script = Build(kForgetScript);
  return script;
}

RedisCommand ForgetCommand(const RedisForgetting& f) {
  const uint64_t first = f.rows.empty() ? 0 : f.rows.front().id;
  const uint64_t last = f.rows.empty() ? 0 : f.rows.back().id;
  RedisCommand command{"EVAL",
                       ForgetScript(),
                       "4",
                       RedisKey("log"),
                       RedisKey("places"),
                       RedisKey("gone"),
                       RedisKey("forgotten"),
                       kRedisPrefix,
                       f.oldest ? "oldest" : "named",
                       std::to_string(first),
                       std::to_string(last),
                       std::to_string(f.rows.size()),
                       std::to_string(f.now_us / 1000),
                       std::to_string(f.names_until_us / 1000),
                       fmt::format("{}", std::min<uint64_t>(f.most_blocks, uint64_t{1} << 50)),
                       std::to_string(kForgetRows),
                       fmt::format("{}-0", last + 1)};
  std::vector<std::byte> findings;
  for (const StoredDetection& row : f.rows) {
    const Detection& d = row.detection;
    findings.clear();
    if (d.findings) WriteFindings(*d.findings, findings);
    command.push_back(std::to_string(row.id));
    command.push_back(NameBlock(d.device, d.run, d.sequence));
    command.push_back(std::to_string(d.sequence % kRedisBlock));
    command.push_back(d.has_position ? "1" : "0");
    command.push_back(row.has_thumbnail ? "1" : "0");
    command.push_back(BlockKey("late", row.id));
    command.push_back(std::to_string(row.id % kRedisBlock));
    for (const std::string* text : {&d.device, &d.label, &d.mechanism, &d.model}) {
      command.push_back(*text);
    }
    command.push_back(d.positive ? "1" : "0");
    command.push_back(std::to_string(d.payload_bytes));
    command.push_back(std::to_string(StoredBytes(findings.size(), 0)));
  }
  return command;
}

}  // namespace fogline
