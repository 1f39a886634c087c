// A store that hands everything on to another: what tests change one answer of.
#pragma once

#include "store/store.h"

namespace fogline {

class ForwardingStore : public Store {
 public:
  explicit ForwardingStore(Store& store) : store_(store) {}

  using Store::Put;
  Result<std::vector<PutOutcome>> Put(std::span<const Detection> batch,
                                      std::span<const Settlement> settlements) override {
    return store_.Put(batch, settlements);
  }
  Result<std::vector<PutOutcome>> Take(std::span<const Detection> batch,
                                       std::span<const int64_t> stored_us) override {
    return store_.Take(batch, stored_us);
  }
  Result<uint64_t> Mark(const std::string& name) override { return store_.Mark(name); }
  Status SetMark(const std::string& name, uint64_t id) override { return store_.SetMark(name, id); }
  Result<bool> Hold(const std::string& name, const std::string& holder,
                    std::chrono::milliseconds time) override {
    return store_.Hold(name, holder, time);
  }
  Result<std::vector<StoredDetection>> Query(const Filter& filter, Order order,
                                             size_t limit) override {
    return store_.Query(filter, order, limit);
  }
  Result<std::vector<HexCount>> Hexagons(const Filter& filter, int level) override {
    return store_.Hexagons(filter, level);
  }
  Result<TimeCounts> Timeline(const Filter& filter, int64_t from_us, int64_t to_us,
                              size_t bins) override {
    return store_.Timeline(filter, from_us, to_us, bins);
  }
  Result<std::vector<FoundTally>> Found(const Filter& filter) override {
    return store_.Found(filter);
  }
  Result<Inventory> Stock() override { return store_.Stock(); }
  Result<uint64_t> LastId() override { return store_.LastId(); }
  Result<uint64_t> CountedId() override { return store_.CountedId(); }
  Result<uint64_t> ForgottenId() override { return store_.ForgottenId(); }
  Result<ForgetStep> Forget(const Retention& keep) override { return store_.Forget(keep); }
  Result<uint64_t> Delete(std::span<const uint64_t> ids) override { return store_.Delete(ids); }
  Result<uint64_t> Deletions() override { return store_.Deletions(); }
  Result<Holdings> Heaviest(size_t most) override { return store_.Heaviest(most); }
  Result<std::vector<std::byte>> Thumbnail(uint64_t id) override { return store_.Thumbnail(id); }
  Status Probe() override { return store_.Probe(); }
  StoreHeld Held() const override { return store_.Held(); }
  const std::string& epoch() const override { return store_.epoch(); }

 private:
  Store& store_;
};

}  // namespace fogline
