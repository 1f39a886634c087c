#include "store/redis_connection.h"

#include <sys/time.h>

#include <charconv>
#include <csignal>

#include "base/host_port.h"
#include "base/text.h"
#include "base/url.h"

namespace fogline {
namespace {

constexpr timeval kConnectTimeout{2, 0};
// Longer than a disk takes for a sync of the log on a bad day.
constexpr timeval kReplyTimeout{10, 0};

/// This hiredis writes with write(), which would end the process when the server has just gone.
void IgnoreBrokenPipes() {
  static const bool once = [] {
    struct sigaction now {};
    if (sigaction(SIGPIPE, nullptr, &now) == 0 && now.sa_handler == SIG_DFL) {
      signal(SIGPIPE, SIG_IGN);
    }
    return true;
  }();
  (void)once;
}

template <typename T>
bool ReadNumber(std::string_view text, T& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::string RedisAddress::ToString() const {
  return fmt::format("redis://{}:{}/{}", Bracketed(host), port, db);
}

Result<RedisAddress> ParseRedis(const std::string& url) {
  // The address is not repeated: a password may be in it.
  const auto bad = [] {
    return Fail(ErrorCode::kUsage, "redis:",
                "is no address of a store: write redis://[user:password@]host[:port][/db]");
  };
  const auto parsed = Url::Parse(url);
  if (!parsed || parsed->scheme != "redis" || (!parsed->user.empty() && !parsed->password)) {
    return bad();
  }
  RedisAddress address;
  address.user = parsed->user;
  address.password = parsed->password.value_or("");
  address.host = parsed->host;
  address.port = parsed->port.value_or(address.port);
  const std::string_view db = std::string_view(parsed->path).substr(parsed->path.empty() ? 0 : 1);
  if (!db.empty() && (!ReadNumber(db, address.db) || address.db < 0)) return bad();
  return address;
}

uint64_t MemoryOfData(std::string_view info) {
  constexpr std::string_view kField = "used_memory_dataset:";
  const size_t at = info.find(kField);
  uint64_t bytes = 0;
  if (at != info.npos) {
    const char* digits = info.data() + at + kField.size();
    std::from_chars(digits, info.data() + info.size(), bytes);
  }
  return bytes;
}

Status RedisConnection::Check(const redisReply& reply) const {
  if (reply.type != REDIS_REPLY_ERROR) return {};
  const std::string_view text = Text(reply);
  for (const auto& [prefix, code] : {std::pair{"OOM", ErrorCode::kExhausted},
                                     {"MISCONF", ErrorCode::kExhausted},
                                     {"LOADING", ErrorCode::kUnavailable},
                                     {"READONLY", ErrorCode::kUnavailable},
                                     {"MASTERDOWN", ErrorCode::kUnavailable},
                                     {"BUSY", ErrorCode::kUnavailable},
                                     {"NOAUTH", ErrorCode::kUsage},
                                     {"WRONGPASS", ErrorCode::kUsage},
                                     {"NOPERM", ErrorCode::kUsage}}) {
    if (text.starts_with(prefix)) return Fail(code, where(), "{}", Printable(text));
  }
  return Fail(ErrorCode::kInternal, where(), "{}", Printable(text));
}

tl::unexpected<Error> RedisConnection::Broken() {
  const std::string why = context_ == nullptr ? "out of memory" : context_->errstr;
  context_.reset();
  return Fail(ErrorCode::kUnavailable, where(), "{}", why);
}

Status RedisConnection::Connect() {
  IgnoreBrokenPipes();
  context_.reset(redisConnectWithTimeout(address_.host.c_str(), address_.port, kConnectTimeout));
  if (context_ == nullptr || context_->err != 0) return Broken();
  redisSetTimeout(context_.get(), kReplyTimeout);
  redisEnableKeepAlive(context_.get());
  std::vector<RedisCommand> hello;
  if (!address_.password.empty()) {
    hello.push_back({"AUTH"});
    if (!address_.user.empty()) hello.back().push_back(address_.user);
    hello.back().push_back(address_.password);
  }
  hello.push_back({"SELECT", std::to_string(address_.db)});
  std::vector<RedisReply> replies;
  Status status = Exchange(hello, replies);
  for (const RedisReply& reply : replies) {
    if (status) status = Check(*reply);
  }
  if (status && greeting_ && !greeting_now_) {
    greeting_now_ = true;
    status = greeting_(*this);
    greeting_now_ = false;
  }
  if (!status) context_.reset();
  return status;
}

Status RedisConnection::Exchange(std::span<const RedisCommand> commands,
                                 std::vector<RedisReply>& replies) {
  replies.clear();
  std::vector<const char*> words;
  std::vector<size_t> sizes;
  for (const RedisCommand& command : commands) {
    words.clear();
    sizes.clear();
    for (const std::string& word : command) {
      words.push_back(word.data());
      sizes.push_back(word.size());
    }
    redisAppendCommandArgv(context_.get(), static_cast<int>(words.size()), words.data(),
                           sizes.data());
  }
  replies.reserve(commands.size());
  for (size_t i = 0; i < commands.size(); ++i) {
    void* reply = nullptr;
    if (redisGetReply(context_.get(), &reply) != REDIS_OK) return Broken();
    replies.emplace_back(static_cast<redisReply*>(reply));
  }
  return {};
}

Result<std::vector<RedisReply>> RedisConnection::Pipeline(std::span<const RedisCommand> commands) {
  std::vector<RedisReply> replies;
  Status status;
  // A connection that was there before may have gone since; a new one gets no second chance.
  for (bool fresh = false; !fresh;) {
    fresh = context_ == nullptr;
    status = fresh ? Connect() : Status();
    if (status) status = Exchange(commands, replies);
    if (status) {
      if (fresh) health_->Back(where());
      return replies;
    }
  }
  if (status.error().code == ErrorCode::kUnavailable) health_->Lost();
  return Forward(std::move(status));
}

Result<RedisReply> RedisConnection::Run(const RedisCommand& command) {
  FOGLINE_TRY(auto replies, Pipeline({&command, 1}));
  FOGLINE_CHECK(Check(*replies[0]));
  return std::move(replies[0]);
}

}  // namespace fogline
