#include "store/redis_reader.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "store/redis_cover.h"
#include "store/redis_row.h"
#include "store/redis_script.h"

namespace fogline {
namespace {

constexpr size_t kPage = 1000;
constexpr size_t kMostInBox = 50'000;  // candidates of the GEO index; more are read from the log

template <typename T>
T Number(std::string_view text) {
  T value{};
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::string EntryId(uint64_t id) { return std::to_string(id) + "-0"; }

bool IsAnyOf(const std::vector<std::string>& texts, const std::string& text) {
  return texts.empty() || std::find(texts.begin(), texts.end(), text) != texts.end();
}

bool Passes(const Filter& f, const StoredDetection& row) {
  const Detection& d = row.detection;
  if (row.id <= f.after_id || row.id >= f.before_id) return false;
  if (f.box && !(d.has_position && f.box->Contains(d.lat, d.lon))) return false;
  if (f.ByTime() && (d.captured_from == TimeSource::kNone || d.captured_us < f.first_us() ||
                     d.captured_us >= f.end_us())) {
    return false;
  }
  return d.score >= f.min_score && d.score <= f.max_score && (d.positive || !f.positive_only) &&
         IsAnyOf(f.labels, d.label) && IsAnyOf(f.devices, d.device) &&
         IsAnyOf(f.mechanisms, d.mechanism) && f.found.Passes(d.findings);
}

}  // namespace

Status RedisReader::CheckTime() const {
  if (options_.clock->Steady() <= deadline_) return {};
  return Fail(ErrorCode::kExhausted, redis_.where(),
              "the query took too long; narrow its box, time or filters");
}

/// Network times that came after their rows, one hash for 128 ids.
Status RedisReader::AddLateTimes(std::vector<StoredDetection>& rows) {
  std::vector<RedisCommand> commands;
  std::unordered_map<uint64_t, size_t> at;  // block → command
  for (const StoredDetection& row : rows) {
    if (at.try_emplace(row.id / kRedisBlock, commands.size()).second) {
      commands.push_back({"HGETALL", BlockKey("late", row.id)});
    }
  }
  if (commands.empty()) return {};
  FOGLINE_TRY(const auto replies, redis_.Pipeline(commands));
  std::vector<std::unordered_map<uint64_t, float>> times(replies.size());
  for (size_t i = 0; i < replies.size(); ++i) {
    FOGLINE_CHECK(redis_.Check(*replies[i]));
    const auto pairs = Elements(*replies[i]);
    for (size_t k = 0; k + 1 < pairs.size(); k += 2) {
      times[i][Number<uint64_t>(Text(*pairs[k]))] = Number<float>(Text(*pairs[k + 1]));
    }
  }
  for (StoredDetection& row : rows) {
    const auto& block = times[at[row.id / kRedisBlock]];
    const auto found = block.find(row.id % kRedisBlock);
    if (found != block.end()) row.detection.stages.network = found->second;
  }
  return {};
}

Result<std::vector<StoredDetection>> RedisReader::ReadRows(std::span<redisReply* const> entries) {
  std::vector<StoredDetection> rows;
  rows.reserve(entries.size());
  for (const redisReply* entry : entries) {
    FOGLINE_TRY(StoredDetection row, ReadRedisRow(*entry, redis_.where()));
    rows.push_back(std::move(row));
  }
  return rows;
}

Status RedisReader::VisitLog(const Filter& filter, Order order, size_t page,
                             const Visitor& visitor) {
  uint64_t after = filter.after_id, before = filter.before_id;
  while (before - after > 1) {
    FOGLINE_CHECK(CheckTime());
    const std::string low = EntryId(after + 1), high = EntryId(before - 1);
    const bool up = order == Order::kOldestFirst;
    FOGLINE_TRY(const RedisReply reply,
                redis_.Run({up ? "XRANGE" : "XREVRANGE", RedisKey("log"), up ? low : high,
                            up ? high : low, "COUNT", std::to_string(page)}));
    FOGLINE_TRY(auto rows, ReadRows(Elements(*reply)));
    if (rows.empty()) return {};
    (up ? after : before) = rows.back().id;
    const bool more = rows.size() == page;
    std::erase_if(rows, [&](const StoredDetection& row) { return !Passes(filter, row); });
    FOGLINE_CHECK(AddLateTimes(rows));
    for (StoredDetection& row : rows) {
      if (!visitor(std::move(row))) return {};
    }
    if (!more) return {};
  }
  return {};
}

Status RedisReader::VisitIds(std::span<const uint64_t> ids, const Filter& filter,
                             const Visitor& visitor) {
  while (!ids.empty()) {
    FOGLINE_CHECK(CheckTime());
    const auto page = ids.first(std::min(ids.size(), kPage));
    ids = ids.subspan(page.size());
    std::vector<RedisCommand> commands;
    for (const uint64_t id : page) {
      commands.push_back({"XRANGE", RedisKey("log"), EntryId(id), EntryId(id)});
    }
    FOGLINE_TRY(const auto replies, redis_.Pipeline(commands));
    std::vector<StoredDetection> rows;
    for (const RedisReply& reply : replies) {
      FOGLINE_CHECK(redis_.Check(*reply));
      FOGLINE_TRY(auto found, ReadRows(Elements(*reply)));
      for (StoredDetection& row : found) {
        if (Passes(filter, row)) rows.push_back(std::move(row));
      }
    }
    FOGLINE_CHECK(AddLateTimes(rows));
    for (StoredDetection& row : rows) {
      if (!visitor(std::move(row))) return {};
    }
  }
  return {};
}

Result<std::optional<std::vector<uint64_t>>> RedisReader::InBox(const Box& box) {
  std::vector<RedisCommand> counts, reads;
  for (const GeoRange& range : Cover(box)) {
    const std::string first = std::to_string(range.first), last = std::to_string(range.last);
    counts.push_back({"ZCOUNT", RedisKey("places"), first, last});
    reads.push_back({"ZRANGEBYSCORE", RedisKey("places"), first, last});
  }
  FOGLINE_TRY(const auto counted, redis_.Pipeline(counts));
  size_t total = 0;
  for (const RedisReply& reply : counted) {
    FOGLINE_CHECK(redis_.Check(*reply));
    total += static_cast<size_t>(reply->integer);
  }
  if (total > kMostInBox) return std::nullopt;
  FOGLINE_TRY(const auto found, redis_.Pipeline(reads));
  std::vector<uint64_t> ids;
  for (const RedisReply& reply : found) {
    FOGLINE_CHECK(redis_.Check(*reply));
    for (const redisReply* id : Elements(*reply)) ids.push_back(Number<uint64_t>(Text(*id)));
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

Status RedisReader::Visit(const Filter& filter, Order order, size_t page, const Visitor& visitor) {
  if (filter.box) {
    FOGLINE_TRY(auto ids, InBox(*filter.box));
    if (ids) {
      if (order == Order::kNewestFirst) std::reverse(ids->begin(), ids->end());
      return VisitIds(*ids, filter, visitor);
    }
  }
  return VisitLog(filter, order, page, visitor);
}

Result<std::vector<StoredDetection>> RedisReader::Query(const Filter& filter, Order order,
                                                        size_t limit) {
  deadline_ = options_.clock->Steady() + options_.longest_read;
  std::vector<StoredDetection> rows;
  if (limit == 0) return rows;
  const auto take = [&](StoredDetection&& row) {
    rows.push_back(std::move(row));
    return rows.size() < limit;
  };
  if (!filter.Selects()) {
    FOGLINE_CHECK(VisitLog(filter, order, std::min(limit, kPage), take));
    return rows;
  }
  FOGLINE_TRY(const bool mirrored, Mirrored(filter.before_id));
  if (mirrored) {
    FOGLINE_CHECK(
        VisitIds(mirror_.columns().Ids(filter, Words(filter), order, limit), filter, take));
  } else {
    FOGLINE_CHECK(Visit(filter, order, kPage, take));
  }
  return rows;
}

WordFilter RedisReader::Words(const Filter& filter) const {
  WordFilter words;
  for (const auto& [texts, numbers] : {std::pair{&filter.labels, &words.labels},
                                       {&filter.devices, &words.devices},
                                       {&filter.mechanisms, &words.mechanisms}}) {
    for (const std::string& text : *texts) numbers->insert(mirror_.columns().NumberOf(text));
  }
  return words;
}

void RedisReader::AddTo(Columns& columns, const StoredDetection& row, bool words) {
  const Detection& d = row.detection;
  const auto number = [&](const std::string& text) { return words ? columns.Number(text) : 0; };
  columns.Add(
      {.id = row.id,
       .captured_us = d.captured_from == TimeSource::kNone ? Columns::kNoTime : d.captured_us,
       .has_position = d.has_position,
       .lat = d.lat,
       .lon = d.lon,
       .score = d.score,
       .positive = d.positive,
       .device = number(d.device),
       .label = number(d.label),
       .mechanism = number(d.mechanism),
       .boxes = BoxesOf(d.findings)});
}

Result<Mirror::Extent> RedisReader::Extent() {
  Mirror::Extent extent;
  extent.where = redis_.where();
  extent.deleted = [this](uint64_t after) { return DeletedAfter(after); };
  extent.epoch = [this]() -> Result<std::string> {
    FOGLINE_TRY(const RedisReply epoch, redis_.Run({"HGET", RedisKey("about"), "epoch"}));
    return std::string(Text(*epoch));
  };
  extent.row = [this](uint64_t id, Columns& columns) {
    return VisitLog({.after_id = id - 1, .before_id = id + 1}, Order::kOldestFirst, 1,
                    [&](StoredDetection&& row) {
                      AddTo(columns, row, true);
                      return true;
                    });
  };
  FOGLINE_TRY(extent.deletions, Deletions());
  FOGLINE_TRY(extent.last, LastId());
  FOGLINE_TRY(extent.forgotten, ForgottenId());
  return extent;
}

Status RedisReader::LoadNewer(uint64_t after_id, Columns& columns) {
  return VisitLog({.after_id = after_id}, Order::kOldestFirst, kPage, [&](StoredDetection&& row) {
    AddTo(columns, row, true);
    return !columns.overfull();
  });
}

Result<bool> RedisReader::Mirrored(uint64_t before_id) {
  FOGLINE_TRY(const Mirror::Extent extent, Extent());
  return mirror_.Follow(
      extent, options_.mirrored_rows, before_id,
      [this](uint64_t after, Columns& columns) { return LoadNewer(after, columns); });
}

Result<uint64_t> RedisReader::CountedId() {
  deadline_ = options_.clock->Steady() + std::min(Mirror::kStep, options_.longest_read);
  FOGLINE_TRY(const Mirror::Extent extent, Extent());
  return mirror_.ReadOn(extent, options_.mirrored_rows, [this](uint64_t after, Columns& columns) {
    return LoadNewer(after, columns);
  });
}

Result<RedisReader::Selection> RedisReader::Counted(const Filter& filter) {
  deadline_ = options_.clock->Steady() + options_.longest_read;
  FOGLINE_TRY(const bool mirrored, Mirrored(filter.before_id));
  if (mirrored) return Selection{&mirror_.columns(), Words(filter)};
  selection_ = {};
  FOGLINE_CHECK(Visit(filter, Order::kOldestFirst, kPage, [this](StoredDetection&& row) {
    AddTo(selection_, row, false);
    return !TooManySelected(selection_);
  }));
  FOGLINE_CHECK(CheckSelected(selection_, redis_.where()));
  return Selection{&selection_, {}};
}

Result<std::vector<HexCount>> RedisReader::Hexagons(const Filter& filter, int level) {
  FOGLINE_TRY(const Selection counted, Counted(filter));
  return counted.columns->Hexagons(filter, counted.words, level);
}

Result<TimeCounts> RedisReader::Timeline(const Filter& filter, int64_t from_us, int64_t to_us,
                                         size_t bins) {
  FOGLINE_TRY(const Selection counted, Counted(filter));
  return counted.columns->Timeline(filter, counted.words, from_us, to_us, bins);
}

Result<std::vector<FoundTally>> RedisReader::Found(const Filter& filter) {
  FOGLINE_TRY(const Selection counted, Counted(filter));
  return counted.columns->Found(filter, counted.words);
}

Status RedisReader::ReadNewest(const char* kind, std::vector<ValueTally>& tallies) {
  FOGLINE_TRY(const RedisReply newest,
              redis_.Run({"ZREVRANGE", RedisKey(fmt::format("newest:{}", kind)), "0",
                          std::to_string(kMostTallies - 1)}));
  std::vector<std::string> texts;
  for (const redisReply* text : Elements(*newest)) texts.emplace_back(Text(*text));
  return ReadTallies(kind, texts, tallies);
}

Status RedisReader::ReadTallies(const char* kind, const std::vector<std::string>& texts,
                                std::vector<ValueTally>& tallies) {
  if (texts.empty()) return {};
  RedisCommand get{"HMGET", RedisKey(fmt::format("tally:{}", kind))};
  get.insert(get.end(), texts.begin(), texts.end());
  FOGLINE_TRY(const RedisReply counts, redis_.Run(get));
  for (size_t i = 0; i < counts->elements && i < texts.size(); ++i) {
    ValueTally& tally = tallies.emplace_back();
    tally.text = texts[i];
    std::string_view rest = Text(*counts->element[i]);
    const auto next = [&] {
      const std::string_view word = rest.substr(0, rest.find(' '));
      rest.remove_prefix(std::min(rest.size(), word.size() + 1));
      return word;
    };
    tally.count = Number<uint64_t>(next());
    tally.positives = Number<uint64_t>(next());
    tally.payload_bytes = Number<uint64_t>(next());
    tally.first_us = Number<int64_t>(next());
    tally.last_us = Number<int64_t>(next());
    tally.stored_bytes = Number<uint64_t>(next());
    if (tally.first_us > tally.last_us) tally.first_us = tally.last_us = 0;  // no row has a time
  }
  return {};
}

Result<Inventory> RedisReader::Stock() {
  Inventory stock;
  FOGLINE_CHECK(ReadNewest("device", stock.devices));
  FOGLINE_CHECK(ReadNewest("label", stock.labels));
  FOGLINE_CHECK(ReadNewest("mechanism", stock.mechanisms));
  FOGLINE_CHECK(ReadNewest("model", stock.models));
  SumUp(stock);
  FOGLINE_TRY(stock.forgotten_id, ForgottenId());
  FOGLINE_TRY(stock.last_id, LastId());
  return stock;
}

Result<uint64_t> RedisReader::LastId() {
  FOGLINE_TRY(const RedisReply last, redis_.Run({"GET", RedisKey("last")}));
  return Number<uint64_t>(Text(*last));
}

Result<uint64_t> RedisReader::ForgottenId() {
  FOGLINE_TRY(const RedisReply id, redis_.Run({"GET", RedisKey("forgotten")}));
  return Number<uint64_t>(Text(*id));
}

Result<uint64_t> RedisReader::Deletions() {
  FOGLINE_TRY(const RedisReply steps, redis_.Run({"GET", RedisKey("deletions")}));
  return Number<uint64_t>(Text(*steps));
}

Result<std::optional<std::vector<uint64_t>>> RedisReader::DeletedAfter(uint64_t step) {
  FOGLINE_TRY(const RedisReply entries,
              redis_.Run({"XRANGE", RedisKey("deleted"), EntryId(step + 1), "+"}));
  std::vector<uint64_t> ids;
  for (const redisReply* entry : Elements(*entries)) {
    const auto parts = Elements(*entry);
    const auto fields = parts.size() == 2 ? Elements(*parts[1]) : std::span<redisReply* const>();
    if (fields.size() != 2 || Number<uint64_t>(Text(*parts[0])) != ++step) return std::nullopt;
    for (std::string_view rest = Text(*fields[1]); !rest.empty();) {
      const size_t next = rest.find(' ');
      ids.push_back(Number<uint64_t>(rest.substr(0, next)));
      rest.remove_prefix(next == rest.npos ? rest.size() : next + 1);
    }
  }
  return ids;
}

Result<Holdings> RedisReader::Heaviest(size_t most) {
  Holdings holdings;
  for (const auto& [key, tallies] :
       {std::pair{"held:rows", &holdings.by_rows}, {"held:bytes", &holdings.by_bytes}}) {
    FOGLINE_TRY(const RedisReply names,
                redis_.Run({"ZREVRANGE", RedisKey(key), "0", std::to_string(most - 1)}));
    std::vector<std::string> texts;
    for (const redisReply* name : Elements(*names)) texts.emplace_back(Text(*name));
    FOGLINE_CHECK(ReadTallies("device", texts, *tallies));
  }
  return holdings;
}

Result<uint64_t> RedisReader::Mark(const std::string& name) {
  FOGLINE_TRY(const RedisReply id, redis_.Run({"HGET", RedisKey("marks"), name}));
  return Number<uint64_t>(Text(*id));
}

Result<std::vector<std::byte>> RedisReader::Thumbnail(uint64_t id) {
  FOGLINE_TRY(const RedisReply jpeg,
              redis_.Run({"GET", RedisKey(fmt::format("thumbnail:{}", id))}));
  if (jpeg->type == REDIS_REPLY_NIL) {
    return Fail(ErrorCode::kNotFound, redis_.where(), "detection {} has no picture", id);
  }
  const auto bytes = std::as_bytes(std::span(Text(*jpeg)));
  return std::vector<std::byte>(bytes.begin(), bytes.end());
}

}  // namespace fogline
