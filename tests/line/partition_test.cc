// A network that stands still between a worker and its PostgreSQL, for longer than anybody waits.
#include "servers/local_postgres.h"
#include "tests/line/line.h"
#include "tests/line/proxy.h"

namespace fogline {
namespace {

/// The connection stays, and nothing comes through: each Put ends as "not now", and once the line
/// is back, the same frames are stored once.
TEST(Partition, AStoreBehindALineThatStandsStillIsNotNowAndStoresOnceAfterwards) {
  const auto server = LocalPostgres::Start().value();
  Proxy line(server->port());
  const auto opened =
      OpenStore(fmt::format("postgresql://fogline@127.0.0.1:{}/postgres", line.port()));
  ASSERT_TRUE(opened) << opened.error().ToString();
  Store& store = **opened;
  std::vector<Detection> batch(3);
  const auto put = [&](uint64_t first) {
    for (size_t i = 0; i < batch.size(); ++i) {
      batch[i].device = "cam";
      batch[i].sequence = first + i;
    }
    return store.Put(batch);
  };
  ASSERT_TRUE(put(0));
  line.Set(Proxy::Line::kStalled);
  for (int tries = 0; tries < 2; ++tries) {
    const auto not_now = put(3);
    ASSERT_FALSE(not_now);
    EXPECT_EQ(not_now.error().code, ErrorCode::kUnavailable) << not_now.error().ToString();
  }
  line.Set(Proxy::Line::kCut);
  EXPECT_EQ(put(3).error().code, ErrorCode::kUnavailable);
  line.Set(Proxy::Line::kOpen);
  Result<std::vector<PutOutcome>> again;
  ASSERT_TRUE(Until([&] { return (again = put(3)).has_value(); }));
  EXPECT_EQ((*again)[2].id, 6U) << "without a hole";
  EXPECT_EQ(store.Query({}, Order::kOldestFirst, 100).value().size(), 6U);
}

}  // namespace
}  // namespace fogline
