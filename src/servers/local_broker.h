// A mosquitto of our own on a free loopback port: what the demo, the lab and the tests talk to.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/file.h"
#include "base/process.h"
#include "base/result.h"

namespace fogline {

/// A running broker; it ends with this object. Its files live in a temporary folder.
class LocalBroker {
 public:
  /// `port` 0 takes a free one. `extra` are further lines for mosquitto.conf. Returns once the port
  /// answers.
  static Result<std::unique_ptr<LocalBroker>> Start(int port = 0, const std::string& extra = {});

  int port() const { return port_; }
  std::string url() const;
  pid_t pid() const { return process_.pid(); }
  /// kill -9 and a fresh start on the same port with the same files, for tests of what is lost.
  Status Restart();

 private:
  LocalBroker(Process process, int port) : process_(std::move(process)), port_(port) {}

  TempDir dir_;
  Process process_;
  int port_;
};

}  // namespace fogline
