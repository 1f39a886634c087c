#include "store/redis_store.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <random>
#include <thread>

#include "base/log.h"
#include "store/redis_connection.h"
#include "store/redis_reader.h"
#include "store/redis_row.h"
#include "store/redis_script.h"
#include "store/retention.h"

namespace fogline {
namespace {

/// How long the watcher waits at a time; also how long its end may take.
constexpr const char* kWatchMs = "200";
/// Between two tries of a watcher that lost its server.
constexpr std::chrono::milliseconds kWatchPause{500};

/// See Store::Hold.
constexpr const char* kHoldScript = R"lua(
local has = redis.call('GET', KEYS[1])
if has and has ~= ARGV[1] then return 0 end
if tonumber(ARGV[2]) == 0 then redis.call('DEL', KEYS[1])
else redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) end
return 1)lua";

/// One thread that waits at the ends of the log and of what was deleted.
class RedisWatch final : public StoreWatch {
 public:
  RedisWatch(RedisConnection redis, std::function<void()> stored)
      : redis_(std::move(redis)),
        stored_(std::move(stored)),
        thread_([this](const std::stop_token& stop) { Loop(stop); }) {}

 private:
  void Loop(const std::stop_token& stop) {
    std::string after, deleted;  // empty: not known yet
    while (!stop.stop_requested()) {
      if (after.empty()) after = End("last");
      if (deleted.empty()) deleted = End("deletions");
      const auto reply = redis_.Run({"XREAD", "COUNT", "1", "BLOCK", kWatchMs, "STREAMS",
                                     RedisKey("log"), RedisKey("deleted"),
                                     after.empty() ? "$" : after, deleted.empty() ? "$" : deleted});
      if (!reply) {
        Pause(stop);
      } else if ((*reply)->type != REDIS_REPLY_NIL) {
        // On from the end: how many rows there were is the reader's business.
        after = End("last");
        deleted = End("deletions");
        stored_();
      }
    }
  }
  std::string End(const char* counter) {
    const auto last = redis_.Run({"GET", RedisKey(counter)});
    if (!last) return {};
    return fmt::format("{}-0", (*last)->type == REDIS_REPLY_NIL ? "0" : Text(**last));
  }
  static void Pause(const std::stop_token& stop) {
    std::mutex alone;
    std::unique_lock lock(alone);
    std::condition_variable_any().wait_for(lock, stop, kWatchPause, [] { return false; });
  }

  RedisConnection redis_;
  std::function<void()> stored_;
  std::jthread thread_;
};

class RedisStore final : public Store {
 public:
  RedisStore(const RedisAddress& address, const StoreOptions& options)
      : address_(address),
        options_(options),
        writer_(address, health_, [this](RedisConnection& redis) { return PrepareWriter(redis); }),
        forgetter_(address, health_, [this](RedisConnection& redis) { return Recognise(redis); }),
        quick_(*this),
        slow_(*this) {}

  Status Open() {
    const std::lock_guard lock(write_mutex_);
    FOGLINE_CHECK(LayDown());
    if (options_.read_only) return {};
    FOGLINE_CHECK(writer_.Run({"PING"}));
    WarnIfForgetful();
    return {};
  }

  Result<std::vector<PutOutcome>> Put(std::span<const Detection> batch,
                                      std::span<const Settlement> settlements) override {
    return PutRows(batch, settlements, {});
  }
  Result<std::vector<PutOutcome>> Take(std::span<const Detection> batch,
                                       std::span<const int64_t> stored_us) override {
    return PutRows(batch, {}, stored_us);
  }
  Result<uint64_t> Mark(const std::string& name) override {
    return quick_.Ask(&RedisReader::Mark, name);
  }
  Status SetMark(const std::string& name, uint64_t id) override {
    if (options_.read_only) return FailReadOnly(writer_.where());
    const std::lock_guard lock(write_mutex_);
    return writer_.Run({"HSET", RedisKey("marks"), name, std::to_string(id)})
        .map([](const RedisReply&) {});
  }
  Result<bool> Hold(const std::string& name, const std::string& holder,
                    std::chrono::milliseconds time) override {
    if (options_.read_only) return FailReadOnly(writer_.where());
    const std::lock_guard lock(write_mutex_);
    FOGLINE_TRY(const RedisReply held,
                writer_.Run({"EVAL", kHoldScript, "1", RedisKey("hold:" + name), holder,
                             std::to_string(time.count())}));
    return held->integer == 1;
  }

  Result<ForgetStep> Forget(const Retention& keep) override;
  Result<uint64_t> Delete(std::span<const uint64_t> ids) override;
  Result<uint64_t> Deletions() override { return quick_.Ask(&RedisReader::Deletions); }
  Result<Holdings> Heaviest(size_t most) override {
    return quick_.Ask(&RedisReader::Heaviest, most);
  }

  Result<std::vector<StoredDetection>> Query(const Filter& filter, Order order,
                                             size_t limit) override {
    return (filter.Selects() ? slow_ : quick_).Ask(&RedisReader::Query, filter, order, limit);
  }
  Result<std::vector<HexCount>> Hexagons(const Filter& filter, int level) override {
    return slow_.Ask(&RedisReader::Hexagons, filter, level);
  }
  Result<TimeCounts> Timeline(const Filter& filter, int64_t from_us, int64_t to_us,
                              size_t bins) override {
    return slow_.Ask(&RedisReader::Timeline, filter, from_us, to_us, bins);
  }
  Result<std::vector<FoundTally>> Found(const Filter& filter) override {
    return slow_.Ask(&RedisReader::Found, filter);
  }
  Result<Inventory> Stock() override { return quick_.Ask(&RedisReader::Stock); }
  StoreHeld Held() const override {
    StoreHeld held = quick_.reader.Held();
    return held += slow_.reader.Held();
  }
  Result<uint64_t> LastId() override { return quick_.Ask(&RedisReader::LastId); }
  Result<uint64_t> CountedId() override { return slow_.Ask(&RedisReader::CountedId); }
  Result<uint64_t> ForgottenId() override { return quick_.Ask(&RedisReader::ForgottenId); }
  Result<std::vector<std::byte>> Thumbnail(uint64_t id) override {
    return quick_.Ask(&RedisReader::Thumbnail, id);
  }
  Status Probe() override {
    if (options_.read_only) return FailReadOnly(writer_.where());
    const std::lock_guard lock(write_mutex_);
    const auto at_us = std::to_string(options_.clock->WallMicros());
    return writer_.Run({"SET", RedisKey("probe"), at_us}).map([](const RedisReply&) {});
  }
  const std::string& epoch() const override { return epoch_; }
  std::unique_ptr<StoreWatch> Watch(std::function<void()> stored) override {
    return std::make_unique<RedisWatch>(RedisConnection(address_, health_), std::move(stored));
  }

 private:
  /// One connection for reading, used for one question at a time.
  struct Lane {
    explicit Lane(RedisStore& store)
        : redis(store.address_, store.health_,
                [&store](RedisConnection& connection) { return store.Recognise(connection); }),
          reader(redis, store.options_) {}

    template <typename Answer, typename... Parameters, typename... Arguments>
    Answer Ask(Answer (RedisReader::*question)(Parameters...), Arguments&&... arguments) {
      const std::lock_guard lock(mutex);
      return (reader.*question)(std::forward<Arguments>(arguments)...);
    }

    std::mutex mutex;
    RedisConnection redis;
    RedisReader reader;
  };

  Result<std::vector<PutOutcome>> PutRows(std::span<const Detection> batch,
                                          std::span<const Settlement> settlements,
                                          std::span<const int64_t> stored_us);
  Result<uint64_t> UsedBytes();
  /// The oldest rows that this step forgets.
  Result<std::vector<StoredDetection>> Excess(const Retention& keep);
  Status LayDown();
  Status Recognise(RedisConnection& redis) const;
  Status PrepareWriter(RedisConnection& redis);
  void WarnIfForgetful();

  const RedisAddress address_;
  const StoreOptions options_;
  const std::shared_ptr<ServerHealth> health_ = std::make_shared<ServerHealth>();
  std::string epoch_;  // set once, by Open
  std::mutex write_mutex_;
  std::string script_;
  RedisConnection writer_;
  // Of its own, so that a Put waits for no more than the script.
  std::mutex forget_mutex_;
  RedisConnection forgetter_;
  Pressure pressure_;               // under forget_mutex_
  std::atomic<bool> full_ = false;  // a Put found no room
  // Two, so that what costs next to nothing never waits for what reads much.
  Lane quick_, slow_;
};

/// Creates the store when there is none and it is not only to be read. Of several that try at once,
/// one draws the epoch.
Status RedisStore::LayDown() {
  RedisConnection redis(address_, health_);
  std::random_device random;
  const std::string drawn = fmt::format("{:08x}{:08x}", random(), random());
  const std::string about = RedisKey("about");
  if (!options_.read_only) {
    FOGLINE_CHECK(redis.Run({"HSETNX", about, "version", kRedisVersion}));
    FOGLINE_CHECK(redis.Run({"HSETNX", about, "epoch", drawn}));
  }
  FOGLINE_TRY(const RedisReply version, redis.Run({"HGET", about, "version"}));
  if (version->type == REDIS_REPLY_NIL) return FailNoStore(redis.where());
  // Entries of older ones are read as they are; an older Fogline reads no new ones.
  if (Text(*version) == "1" || Text(*version) == "2" || Text(*version) == "3") {
    if (!options_.read_only) {
      FOGLINE_CHECK(redis.Run({"HSET", about, "version", kRedisVersion}));
    }
  } else if (Text(*version) != kRedisVersion) {
    return Fail(ErrorCode::kUnsupported, redis.where(),
                "is a store of version {}; this Fogline reads versions up to {}", Text(*version),
                kRedisVersion);
  }
  FOGLINE_TRY(const RedisReply epoch, redis.Run({"HGET", about, "epoch"}));
  epoch_ = Text(*epoch);
  return {};
}

/// Ids and what clients remember mean something only together with the epoch: a server that comes
/// back empty is not written to as if nothing had happened.
Status RedisStore::Recognise(RedisConnection& redis) const {
  FOGLINE_TRY(const RedisReply epoch, redis.Run({"HGET", RedisKey("about"), "epoch"}));
  if (Text(*epoch) == epoch_) return {};
  return Fail(ErrorCode::kConflict, redis.where(),
              "came back without the store that was in it; bring its data back, or restart Fogline "
              "to begin a new store");
}

Status RedisStore::PrepareWriter(RedisConnection& redis) {
  FOGLINE_CHECK(Recognise(redis));
  FOGLINE_TRY(const RedisReply script, redis.Run({"SCRIPT", "LOAD", PutScript()}));
  script_ = Text(*script);
  return {};
}

void RedisStore::WarnIfForgetful() {
  const std::vector<RedisCommand> ask{{"CONFIG", "GET", "appendonly"},
                                      {"CONFIG", "GET", "appendfsync"},
                                      {"CONFIG", "GET", "maxmemory"},
                                      {"CONFIG", "GET", "maxmemory-policy"}};
  const auto replies = writer_.Pipeline(ask);
  if (!replies) return;
  const auto value = [&](size_t i) {
    const auto pair = Elements(*(*replies)[i]);
    return pair.size() == 2 ? std::string(Text(*pair[1])) : std::string();
  };
  const std::string log = value(0), sync = value(1);  // empty when an ACL hides them
  if (log == "no") {
    LogWarning("{}: keeps nothing on disk (appendonly no): a restart loses what was stored",
               writer_.where());
  } else if (!sync.empty() && sync != "always") {
    LogWarning("{}: appendfsync is '{}', not 'always': a power cut loses the last moments",
               writer_.where(), sync);
  }
  const std::string most = value(2), policy = value(3);
  if (!most.empty() && most != "0" && policy != "noeviction") {
    LogWarning("{}: maxmemory-policy is '{}', not 'noeviction': full, it forgets what was stored",
               writer_.where(), policy);
  }
}

/// `stored_us`: when each was stored; empty: now.
Result<std::vector<PutOutcome>> RedisStore::PutRows(std::span<const Detection> batch,
                                                    std::span<const Settlement> settlements,
                                                    std::span<const int64_t> stored_us) {
  FOGLINE_CHECK(CheckBatch(batch, writer_.where()));
  std::vector<PutOutcome> outcomes;
  if (options_.read_only) return FailReadOnly(writer_.where());
  if (batch.empty() && settlements.empty()) return outcomes;
  const std::lock_guard lock(write_mutex_);
  std::vector<int64_t> times(stored_us.begin(), stored_us.end());
  if (times.empty()) times.assign(batch.size(), options_.clock->WallMicros());
  RedisCommand put = PutCommand(script_, batch, settlements, times);
  FOGLINE_TRY(auto replies, writer_.Pipeline({&put, 1}));
  if (Text(*replies[0]).starts_with("NOSCRIPT")) {  // somebody flushed the scripts
    put[0] = "EVAL";
    put[1] = PutScript();
    FOGLINE_TRY(replies, writer_.Pipeline({&put, 1}));
  }
  const Status put_status = writer_.Check(*replies[0]);
  if (!put_status && put_status.error().code == ErrorCode::kExhausted) full_ = true;
  FOGLINE_CHECK(put_status);
  const auto numbers = Elements(*replies[0]);
  if (numbers.size() != 2 * batch.size()) {
    return Fail(ErrorCode::kInternal, writer_.where(), "answered {} numbers for {} detections",
                numbers.size(), batch.size());
  }
  for (size_t i = 0; i < batch.size(); ++i) {
    outcomes.push_back({numbers[2 * i]->integer == 1 ? PutOutcome::kStored : PutOutcome::kDuplicate,
                        static_cast<uint64_t>(numbers[2 * i + 1]->integer)});
  }
  return outcomes;
}

Result<uint64_t> RedisStore::UsedBytes() {
  FOGLINE_TRY(const RedisReply info, forgetter_.Run({"INFO", "memory"}));
  return MemoryOfData(Text(*info));
}

Result<std::vector<StoredDetection>> RedisStore::Excess(const Retention& keep) {
  const auto oldest = [this](uint64_t from, size_t most) -> Result<std::vector<StoredDetection>> {
    FOGLINE_TRY(const RedisReply reply,
                forgetter_.Run({"XRANGE", RedisKey("log"), fmt::format("{}-0", from), "+", "COUNT",
                                std::to_string(most)}));
    std::vector<StoredDetection> rows;
    for (const redisReply* entry : Elements(*reply)) {
      FOGLINE_TRY(StoredDetection row, ReadRedisRow(*entry, forgetter_.where()));
      rows.push_back(std::move(row));
    }
    return rows;
  };
  FOGLINE_TRY(std::vector<StoredDetection> rows, oldest(0, kForgetRows));
  const auto times = [&](uint64_t from, size_t most) -> Result<std::vector<StoredAt>> {
    std::vector<StoredAt> found;
    const auto add = [&](const std::vector<StoredDetection>& some) {
      for (const StoredDetection& row : some) found.push_back({row.id, row.stored_us});
    };
    if (from == 0) {
      add(rows);
    } else {
      FOGLINE_TRY(const auto more, oldest(from, most));
      add(more);
    }
    return found;
  };
  FOGLINE_TRY(const uint64_t too_old, LastTooOld(times, keep.age, options_.clock->WallMicros()));
  size_t excess = 0;
  while (excess < rows.size() && rows[excess].id <= too_old) ++excess;
  if (keep.rows > 0) {
    FOGLINE_TRY(const RedisReply length, forgetter_.Run({"XLEN", RedisKey("log")}));
    const auto count = static_cast<uint64_t>(length->integer);
    if (count > keep.rows) excess = std::max<size_t>(excess, count - keep.rows);
  }
  if (full_.exchange(false)) pressure_.Full();
  if (keep.bytes > 0) {
    FOGLINE_TRY(const uint64_t used, UsedBytes());
    if (pressure_.Wants(used, keep)) excess = kForgetRows;
  }
  if (excess < rows.size()) rows.resize(excess);
  return rows;
}

Result<ForgetStep> RedisStore::Forget(const Retention& keep) {
  if (options_.read_only) return FailReadOnly(forgetter_.where());
  ForgetStep step;
  if (!keep.any()) return step;
  const std::lock_guard lock(forget_mutex_);
  RedisForgetting forgetting;
  FOGLINE_TRY(forgetting.rows, Excess(keep));
  forgetting.now_us = options_.clock->WallMicros();
  forgetting.names_until_us = forgetting.now_us - kNamesOutlive.count();
  forgetting.most_blocks = MostNameBlocks(keep);
  FOGLINE_TRY(const RedisReply forgot, forgetter_.Run(ForgetCommand(forgetting)));
  step.rows = static_cast<uint64_t>(forgot->integer);
  // Where somebody else was quicker, there may be more all the same.
  step.more = forgetting.rows.size() == kForgetRows;
  return step;
}

Result<uint64_t> RedisStore::Delete(std::span<const uint64_t> ids) {
  if (options_.read_only) return FailReadOnly(forgetter_.where());
  if (ids.empty()) return 0;
  const std::lock_guard lock(forget_mutex_);
  std::vector<RedisCommand> reads;
  for (const uint64_t id : ids) {
    const std::string entry = fmt::format("{}-0", id);
    reads.push_back({"XRANGE", RedisKey("log"), entry, entry});
  }
  FOGLINE_TRY(const auto replies, forgetter_.Pipeline(reads));
  RedisForgetting deleting{.rows = {}, .oldest = false};
  deleting.most_blocks = MostNameBlocks({});
  for (const RedisReply& reply : replies) {
    FOGLINE_CHECK(forgetter_.Check(*reply));
    for (const redisReply* entry : Elements(*reply)) {
      FOGLINE_TRY(StoredDetection row, ReadRedisRow(*entry, forgetter_.where()));
      deleting.rows.push_back(std::move(row));
    }
  }
  deleting.now_us = options_.clock->WallMicros();
  FOGLINE_TRY(const RedisReply deleted, forgetter_.Run(ForgetCommand(deleting)));
  return static_cast<uint64_t>(deleted->integer);
}

}  // namespace

Result<std::unique_ptr<Store>> OpenRedisStore(const std::string& url, const StoreOptions& options) {
  FOGLINE_TRY(const RedisAddress address, ParseRedis(url));
  auto store = std::make_unique<RedisStore>(address, options);
  FOGLINE_CHECK(store->Open());
  return store;
}

}  // namespace fogline
