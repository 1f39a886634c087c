#include "servers/local_redis.h"

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <string_view>

#include "base/file.h"
#include "base/paths.h"
#include "servers/serve.h"

namespace fogline {
namespace {

/// What the server answers, until `end` is in it; less where it says no more.
std::string Ask(int port, std::string_view question, std::string_view end) {
  const Descriptor server = ConnectHere(port);
  std::string answer;
  if (!server || write(server.get(), question.data(), question.size()) < 0) return answer;
  while (answer.find(end) == std::string::npos) {
    char more[1024];
    const ssize_t n = read(server.get(), more, sizeof(more));
    if (n <= 0) break;
    answer.append(more, static_cast<size_t>(n));
  }
  return answer;
}

bool Answers(int port) {
  const std::string answer = Ask(port, "PING\r\n", "\r\n");
  // NOAUTH is an answer too; LOADING is none yet.
  return !answer.empty() && !answer.starts_with("-LOADING");
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
  FOGLINE_TRY(process_, StartServer({"redis-server", (dir_.path() / "redis.conf").string()},
                                    dir_.path() / "stderr.log", dir_.path() / "redis.log",
                                    [port = port_] { return Answers(port); }));
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
  constexpr std::string_view kField = "\nused_memory_dataset:";
  const std::string answer = Ask(port_, "INFO memory\r\n", "used_memory_dataset_perc");
  const size_t at = answer.find(kField);
  uint64_t bytes = 0;
  if (at != std::string::npos) {
    const char* digits = answer.data() + at + kField.size();
    std::from_chars(digits, answer.data() + answer.size(), bytes);
  }
  if (bytes == 0) return Fail(ErrorCode::kInternal, url(), "does not count its memory");
  return bytes;
}

void LocalRedis::Forget() { RemoveAll(dir_.path() / "appendonlydir"); }

}  // namespace fogline
