// One connection to Redis that opens itself anew, and its errors as ours.
#pragma once

#include <hiredis/hiredis.h>

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "store/server_health.h"

namespace fogline {

/// "redis://[[user]:password@]host[:port][/db]".
struct RedisAddress {
  std::string host;
  int port = 6379;
  int db = 0;
  std::string user, password;

  /// Without the login, for messages.
  std::string ToString() const;
};
Result<RedisAddress> ParseRedis(const std::string& url);

struct RedisReplyDelete {
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
using RedisReply = std::unique_ptr<redisReply, RedisReplyDelete>;
using RedisCommand = std::vector<std::string>;

/// The bytes of a string or status reply; empty for any other.
inline std::string_view Text(const redisReply& reply) {
  return reply.str != nullptr ? std::string_view(reply.str, reply.len) : std::string_view();
}
inline std::span<redisReply* const> Elements(const redisReply& reply) {
  return {reply.element, reply.element != nullptr ? reply.elements : 0};
}

/// What the server's data takes, of INFO memory's answer; 0 when it does not say.
uint64_t MemoryOfData(std::string_view info);

/// Not thread-safe; connects when first used.
class RedisConnection {
 public:
  /// Runs after each connect and login, e.g. to see whether it is still the same store.
  using Greeting = std::function<Status(RedisConnection&)>;

  RedisConnection(RedisAddress address, std::shared_ptr<ServerHealth> health,
                  Greeting greeting = {})
      : address_(std::move(address)), health_(std::move(health)), greeting_(std::move(greeting)) {}

  /// Sends the commands together and gives their replies in order, error replies among them. When
  /// the connection turns out to be gone, all of them are sent once more over a new one: they must
  /// be such that twice does no harm. kUnavailable when nobody answers.
  Result<std::vector<RedisReply>> Pipeline(std::span<const RedisCommand> commands);
  /// One command; an error reply is an error.
  Result<RedisReply> Run(const RedisCommand& command);

  /// What an error reply means: kExhausted for a full memory or disk, kUnavailable while Redis
  /// loads or is a replica, kUsage for a refused login.
  Status Check(const redisReply& reply) const;

  std::string where() const { return address_.ToString(); }

 private:
  struct Free {
    void operator()(redisContext* context) const { redisFree(context); }
  };
  Status Connect();
  Status Exchange(std::span<const RedisCommand> commands, std::vector<RedisReply>& replies);
  tl::unexpected<Error> Broken();

  RedisAddress address_;
  std::shared_ptr<ServerHealth> health_;
  Greeting greeting_;
  bool greeting_now_ = false;
  std::unique_ptr<redisContext, Free> context_;
};

}  // namespace fogline
