#include "store/postgres_store.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/log.h"
#include "store/postgres_connection.h"
#include "store/postgres_forgetter.h"
#include "store/postgres_reader.h"
#include "store/postgres_schema.h"
#include "store/postgres_writer.h"

namespace fogline {
namespace {

/// How long the watcher waits at a time; also how long its end may take.
constexpr std::chrono::milliseconds kPostgresWatch{200};
/// Between two tries of a watcher that lost its server.
constexpr std::chrono::milliseconds kPostgresPause{500};

/// One thread that listens.
class PostgresWatch final : public StoreWatch {
 public:
  PostgresWatch(PostgresConnection postgres, std::function<void()> stored)
      : postgres_(std::move(postgres)),
        stored_(std::move(stored)),
        thread_([this](const std::stop_token& stop) { Loop(stop); }) {}

 private:
  void Loop(const std::stop_token& stop) {
    bool listening = false, before = false;
    while (!stop.stop_requested()) {
      if (!listening) {
        listening = postgres_.Execute(fmt::format("LISTEN {}", kPostgresChannel)).has_value();
        if (!listening) {
          Pause(stop);
          continue;
        }
        // What was stored meanwhile nobody told.
        if (std::exchange(before, true)) stored_();
      }
      const auto told = postgres_.AwaitNotification(kPostgresWatch);
      listening = told.has_value();
      if (told && *told) stored_();
    }
  }
  static void Pause(const std::stop_token& stop) {
    std::mutex alone;
    std::unique_lock lock(alone);
    std::condition_variable_any().wait_for(lock, stop, kPostgresPause, [] { return false; });
  }

  PostgresConnection postgres_;
  std::function<void()> stored_;
  std::jthread thread_;
};

class PostgresStore final : public Store {
 public:
  PostgresStore(const PostgresAddress& address, const StoreOptions& options)
      : address_(address),
        options_(options),
        write_postgres_(address, health_, [this](auto& fresh) { return PrepareWriter(fresh); }),
        writer_(write_postgres_, options),
        forget_postgres_(address, health_, [this](auto& fresh) { return PrepareWriter(fresh); }),
        forgetter_(forget_postgres_, options),
        quick_(*this),
        slow_(*this) {}

  Status Open() {
    PostgresConnection postgres(address_, health_);
    FOGLINE_TRY(epoch_, PreparePostgres(postgres, options_.read_only));
    FOGLINE_TRY(const PostgresRows sync, postgres.Run("SHOW fsync"));
    if (sync.Text(0, 0) == "off") {
      LogWarning("{}: fsync is off: a power cut loses the store", postgres.where());
    }
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
    return quick_.Ask(&PostgresReader::Mark, name);
  }
  Status SetMark(const std::string& name, uint64_t id) override {
    if (options_.read_only) return FailReadOnly(address_.ToString());
    const std::lock_guard lock(write_mutex_);
    return writer_.SetMark(name, id);
  }
  Result<bool> Hold(const std::string& name, const std::string& holder,
                    std::chrono::milliseconds time) override {
    if (options_.read_only) return FailReadOnly(address_.ToString());
    const std::lock_guard lock(write_mutex_);
    return writer_.Hold(name, holder, time);
  }
  Result<ForgetStep> Forget(const Retention& keep) override {
    if (options_.read_only) return FailReadOnly(address_.ToString());
    const std::lock_guard lock(forget_mutex_);
    return forgetter_.Forget(keep);
  }
  Result<uint64_t> Delete(std::span<const uint64_t> ids) override {
    if (options_.read_only) return FailReadOnly(address_.ToString());
    const std::lock_guard lock(forget_mutex_);
    return forgetter_.Delete(ids);
  }
  Result<uint64_t> Deletions() override { return quick_.Ask(&PostgresReader::Deletions); }
  Result<Holdings> Heaviest(size_t most) override {
    return quick_.Ask(&PostgresReader::Heaviest, most);
  }
  Status Probe() override {
    if (options_.read_only) return FailReadOnly(address_.ToString());
    const std::lock_guard lock(write_mutex_);
    return write_postgres_.Transact(
        [this] { return write_postgres_.Execute("UPDATE fogline.about SET one = one"); });
  }
  Result<std::vector<StoredDetection>> Query(const Filter& filter, Order order,
                                             size_t limit) override {
    return (filter.Selects() ? slow_ : quick_).Ask(&PostgresReader::Query, filter, order, limit);
  }
  Result<std::vector<HexCount>> Hexagons(const Filter& filter, int level) override {
    return slow_.Ask(&PostgresReader::Hexagons, filter, level);
  }
  Result<TimeCounts> Timeline(const Filter& filter, int64_t from_us, int64_t to_us,
                              size_t bins) override {
    return slow_.Ask(&PostgresReader::Timeline, filter, from_us, to_us, bins);
  }
  Result<std::vector<FoundTally>> Found(const Filter& filter) override {
    return slow_.Ask(&PostgresReader::Found, filter);
  }
  Result<Inventory> Stock() override { return quick_.Ask(&PostgresReader::Stock); }
  StoreHeld Held() const override {
    StoreHeld held = quick_.reader.Held();
    held += slow_.reader.Held();
    held.name_bytes += writer_.name_bytes();
    return held;
  }
  Result<uint64_t> LastId() override { return quick_.Ask(&PostgresReader::LastId); }
  Result<uint64_t> CountedId() override { return slow_.Ask(&PostgresReader::CountedId); }
  Result<uint64_t> ForgottenId() override { return quick_.Ask(&PostgresReader::ForgottenId); }
  Result<std::vector<std::byte>> Thumbnail(uint64_t id) override {
    return quick_.Ask(&PostgresReader::Thumbnail, id);
  }
  const std::string& epoch() const override { return epoch_; }
  std::unique_ptr<StoreWatch> Watch(std::function<void()> stored) override {
    return std::make_unique<PostgresWatch>(PostgresConnection(address_, health_),
                                           std::move(stored));
  }

 private:
  /// One connection for reading, used for one question at a time.
  struct Lane {
    explicit Lane(PostgresStore& store)
        : postgres(store.address_, store.health_,
                   [&store](auto& fresh) { return store.PrepareReader(fresh); }),
          reader(postgres, store.options_) {}

    template <typename Answer, typename... Parameters, typename... Arguments>
    Answer Ask(Answer (PostgresReader::*question)(Parameters...), Arguments&&... arguments) {
      const std::lock_guard lock(mutex);
      return (reader.*question)(std::forward<Arguments>(arguments)...);
    }

    std::mutex mutex;
    PostgresConnection postgres;
    PostgresReader reader;
  };

  Result<std::vector<PutOutcome>> PutRows(std::span<const Detection> batch,
                                          std::span<const Settlement> settlements,
                                          std::span<const int64_t> stored_us) {
    if (options_.read_only) return FailReadOnly(address_.ToString());
    const std::lock_guard lock(write_mutex_);
    auto outcomes = writer_.Put(batch, settlements, stored_us);
    if (!outcomes && outcomes.error().code == ErrorCode::kExhausted) forgetter_.Full();
    if (outcomes) {
      for (const PutOutcome& outcome : *outcomes) {
        if (outcome.id > acknowledged_) acknowledged_ = outcome.id;
      }
    }
    return outcomes;
  }
  /// Ids and what clients remember mean something only together with the epoch, and only where
  /// nothing that was acknowledged is missing.
  Status Recognise(PostgresConnection& postgres) const {
    const auto about = postgres.Run("SELECT epoch, last_id FROM fogline.about");
    const bool there = about && about->size() == 1;
    if (!there && (about || about.error().code == ErrorCode::kConflict)) {
      return Fail(ErrorCode::kConflict, postgres.where(),
                  "came back without the store that was in it; bring its data back, or restart "
                  "Fogline to begin a new store");
    }
    if (!about) return tl::unexpected<Error>(about.error());
    if (about->Text(0, 0) != epoch_) {
      return Fail(ErrorCode::kConflict, postgres.where(),
                  "came back with another store in it; bring its data back, or restart Fogline to "
                  "go on with the new one");
    }
    if (about->Unsigned(0, 1) < acknowledged_) {
      return Fail(
          ErrorCode::kConflict, postgres.where(),
          "came back without rows that were acknowledged (it ends at id {}, {} was stored): "
          "a replica that was promoted too early, or an older copy; bring the newer one "
          "back, or restart Fogline to go on without them",
          about->Unsigned(0, 1), acknowledged_.load());
    }
    return {};
  }
  Status PrepareWriter(PostgresConnection& postgres) const {
    FOGLINE_CHECK(Recognise(postgres));
    return PreparePostgresWriter(postgres);
  }
  Status PrepareReader(PostgresConnection& postgres) const {
    FOGLINE_CHECK(Recognise(postgres));
    const auto most = std::chrono::duration_cast<std::chrono::milliseconds>(options_.longest_read);
    return postgres.Execute(fmt::format(
        "SET statement_timeout = {}; SET jit = off; SET default_transaction_read_only = on",
        std::max<int64_t>(1, most.count())));
  }

  const PostgresAddress address_;
  const StoreOptions options_;
  const std::shared_ptr<ServerHealth> health_ = std::make_shared<ServerHealth>();
  std::string epoch_;  // set once, by Open
  std::atomic<uint64_t> acknowledged_{0};
  std::mutex write_mutex_;
  PostgresConnection write_postgres_;
  PostgresWriter writer_;
  // Of its own, so that a Put waits for no more than the transaction.
  std::mutex forget_mutex_;
  PostgresConnection forget_postgres_;
  PostgresForgetter forgetter_;
  // Two, so that what costs next to nothing never waits for what reads much.
  Lane quick_, slow_;
};

}  // namespace

Result<std::unique_ptr<Store>> OpenPostgresStore(const std::string& url,
                                                 const StoreOptions& options) {
  FOGLINE_TRY(const PostgresAddress address, ParsePostgres(url));
  auto store = std::make_unique<PostgresStore>(address, options);
  FOGLINE_CHECK(store->Open());
  return store;
}

}  // namespace fogline
