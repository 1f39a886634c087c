// Tests of several workers on one Redis.
#pragma once

#include "servers/local_redis.h"
#include "tests/line/reliability.h"

namespace fogline {

/// The line, whose store is a Redis of its own.
class OnRedis : public Reliability {
 protected:
  void SetUp() override {
    Reliability::SetUp();
    auto redis = LocalRedis::Start(RedisSettings());
    ASSERT_TRUE(redis) << redis.error().ToString();
    redis_ = *std::move(redis);
    auto store = OpenStore(redis_->url());
    ASSERT_TRUE(store) << store.error().ToString();
    store_ = *std::move(store);
  }

  /// Further lines for its configuration.
  virtual std::string RedisSettings() const { return {}; }

  std::unique_ptr<LocalRedis> redis_;
};

}  // namespace fogline
