// A connection to a broker, in the clear or in TLS, that never blocks. The only file that knows of
// sockets and of OpenSSL's connections.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "base/result.h"
#include "link/link.h"

namespace fogline {

/// Not thread-safe. Errors are kUnavailable, and their message is what is wrong with the broker or
/// with the certificates, in words.
class BrokerWire {
 public:
  /// kUsage when the TLS files of `options` cannot be used.
  static Status CheckFiles(const LinkOptions& options);
  /// Looks the name up, which may block, and begins to connect. kUsage as above.
  static Result<std::unique_ptr<BrokerWire>> Open(const LinkOptions& options);
  virtual ~BrokerWire() = default;

  /// What poll() is to wait for: the socket changes while addresses are tried one after the other.
  virtual int fd() const = 0;
  virtual short events() const = 0;
  /// Goes on with connecting; true once bytes can be sent.
  virtual Result<bool> Connect() = 0;
  /// Bytes taken; 0 when there are none now. An end of the connection is an error.
  virtual Result<size_t> Read(std::span<std::byte> into) = 0;
  /// Bytes that are on their way; fewer than given when the socket takes no more now.
  virtual Result<size_t> Write(std::span<const std::byte> bytes) = 0;
  /// Whether bytes are here already of which poll() would know nothing.
  virtual bool HasMore() const = 0;
  /// Nothing more will be sent.
  virtual void EndWriting() = 0;
};

}  // namespace fogline
