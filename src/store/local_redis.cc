#include "store/local_redis.h"

#include <chrono>
#include <csignal>
#include <thread>

#include "base/file.h"
#include "base/paths.h"
#include "store/redis_connection.h"

namespace fogline {
namespace {

using namespace std::chrono_literals;

bool Answers(int port) {
  const std::unique_ptr<redisContext, decltype(&redisFree)> context(
      redisConnectWithTimeout("127.0.0.1", port, {1, 0}), redisFree);
  if (context == nullptr || context->err != 0) return false;
  const RedisReply reply(static_cast<redisReply*>(redisCommand(context.get(), "PING")));
  // NOAUTH is an answer too; LOADING is none yet.
  return reply != nullptr && !Text(*reply).starts_with("LOADING");
}

}  // namespace

Result<std::unique_ptr<LocalRedis>> LocalRedis::Start(const std::string& settings) {
  std::unique_ptr<LocalRedis> redis(new LocalRedis(FreePort()));
  const std::string config = fmt::format(
      "port {}\nbind 127.0.0.1\ndir {}\nsave \"\"\nappendonly yes\nappendfsync always\n"
      "logfile {}/redis.log\n{}\n",
      redis->port_, redis->dir_.path().string(), redis->dir_.path().string(), settings);
  FOGLINE_CHECK(WriteFile(redis->dir_.path() / "redis.conf", config));
  FOGLINE_CHECK(redis->Run());
  return redis;
}

std::string LocalRedis::url() const { return fmt::format("redis://127.0.0.1:{}/0", port_); }

Status LocalRedis::Run() {
  FOGLINE_TRY(process_, Process::Start({.command = {"redis-server", (dir_.path() / "redis.conf")},
                                        .capture_stdout = false,
                                        .stderr_to = dir_.path() / "stderr.log"}));
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (!Answers(port_)) {
    if (!process_.Running() || std::chrono::steady_clock::now() > deadline) {
      return Fail(ErrorCode::kUnavailable, "redis-server", "does not start: {}",
                  ReadTextFile(dir_.path() / "redis.log").value_or("no log"));
    }
    std::this_thread::sleep_for(5ms);
  }
  return {};
}

void LocalRedis::Kill() {
  process_.Signal(SIGKILL);
  process_.Wait();
}

Status LocalRedis::Restart() {
  Kill();
  return Run();
}

Result<uint64_t> LocalRedis::UsedBytes() const {
  FOGLINE_TRY(RedisAddress address, ParseRedis(url()));
  RedisConnection redis(std::move(address), std::make_shared<RedisHealth>());
  FOGLINE_TRY(const RedisReply info, redis.Run({"INFO", "memory"}));
  const uint64_t bytes = MemoryOfData(Text(*info));
  if (bytes == 0) return Fail(ErrorCode::kInternal, redis.where(), "does not count its memory");
  return bytes;
}

void LocalRedis::Forget() { RemoveAll(dir_.path() / "appendonlydir"); }

}  // namespace fogline
