// A redis-server of our own on a free loopback port: what tests and benchmarks talk to.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/process.h"
#include "base/result.h"

namespace fogline {

/// A running server with durable settings (appendonly yes, appendfsync always); it ends with this
/// object. Its files live in a temporary folder.
class LocalRedis {
 public:
  /// `settings` are further lines for redis.conf. Returns once the server answers.
  static Result<std::unique_ptr<LocalRedis>> Start(const std::string& settings = {});

  int port() const { return port_; }
  pid_t pid() const { return process_.pid(); }
  std::string url() const;
  /// kill -9.
  void Kill();
  /// A fresh start on the same port with the same files.
  Status Restart();
  /// What its data takes, as it counts itself.
  Result<uint64_t> UsedBytes() const;
  /// Removes what it kept on disk; only while it does not run.
  void Forget();

 private:
  explicit LocalRedis(int port) : process_(Process::None()), port_(port) {}
  Status Run();

  TempDir dir_;
  Process process_;
  int port_;
};

}  // namespace fogline
