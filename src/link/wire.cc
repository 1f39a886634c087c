#include "link/wire.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "base/descriptor.h"
#include "link/tls.h"

namespace fogline {
namespace {

struct AddressesDelete {
  void operator()(addrinfo* all) const { freeaddrinfo(all); }
};

tl::unexpected<Error> Broken(const std::string& why) {
  return Fail(ErrorCode::kUnavailable, "", "{}", why);
}
tl::unexpected<Error> Broken() { return Broken(std::generic_category().message(errno)); }

bool Later() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

/// Tries the addresses of a name one after the other.
class TcpWire : public BrokerWire {
 public:
  Status Begin(const BrokerAddress& broker) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_ADDRCONFIG;
    addrinfo* all = nullptr;
    const std::string port = std::to_string(broker.port);
    const int rc = getaddrinfo(broker.host.c_str(), port.c_str(), &hints, &all);
    if (rc != 0) return Broken(gai_strerror(rc));
    addresses_.reset(all);
    next_ = all;
    return TryNext();
  }

  int fd() const override { return socket_.get(); }
  short events() const override { return up_ ? POLLIN : POLLOUT; }

  Result<bool> Connect() override {
    if (up_) return true;
    pollfd wait{fd(), POLLOUT, 0};
    if (poll(&wait, 1, 0) <= 0) return false;
    int error = 0;
    socklen_t size = sizeof(error);
    getsockopt(fd(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error == 0) return up_ = true;
    if (next_ == nullptr) return Broken(std::generic_category().message(error));
    FOGLINE_CHECK(TryNext());
    return false;
  }

  Result<size_t> Read(std::span<std::byte> into) override {
    const ssize_t count = recv(fd(), into.data(), into.size(), 0);
    if (count > 0) return static_cast<size_t>(count);
    if (count == 0) return Broken("ended the connection");
    if (Later()) return 0;
    return Broken();
  }

  Result<size_t> Write(std::span<const std::byte> bytes) override {
    const ssize_t count = send(fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count >= 0) return static_cast<size_t>(count);
    if (Later()) return 0;
    return Broken();
  }

  bool HasMore() const override { return false; }
  void EndWriting() override { shutdown(fd(), SHUT_WR); }

 private:
  Status TryNext() {
    while (next_ != nullptr) {
      const addrinfo& a = *std::exchange(next_, next_->ai_next);
      socket_ = Descriptor(socket(a.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      if (!socket_) continue;
      const int on = 1;
      setsockopt(fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
      if (connect(fd(), a.ai_addr, a.ai_addrlen) == 0 || errno == EINPROGRESS) return {};
    }
    return Broken();
  }

  std::unique_ptr<addrinfo, AddressesDelete> addresses_;
  addrinfo* next_ = nullptr;  // within addresses_
  Descriptor socket_;
  bool up_ = false;
};

/// OpenSSL on a socket of its own kind of BIO, since its own write() raises SIGPIPE.
BIO_METHOD* QuietBio() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* const m = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "wire");
    BIO_meth_set_read(m, [](BIO* bio, char* into, int size) {
      BIO_clear_retry_flags(bio);
      const auto count =
          static_cast<TcpWire*>(BIO_get_data(bio))
              ->Read(std::as_writable_bytes(std::span(into, static_cast<size_t>(size))));
      if (count && *count == 0) BIO_set_retry_read(bio);
      return count && *count > 0 ? static_cast<int>(*count) : -1;
    });
    BIO_meth_set_write(m, [](BIO* bio, const char* from, int size) {
      BIO_clear_retry_flags(bio);
      const auto count = static_cast<TcpWire*>(BIO_get_data(bio))
                             ->Write(std::as_bytes(std::span(from, static_cast<size_t>(size))));
      if (count && *count == 0) BIO_set_retry_write(bio);
      return count && *count > 0 ? static_cast<int>(*count) : -1;
    });
    BIO_meth_set_ctrl(m,
                      [](BIO*, int what, long, void*) { return what == BIO_CTRL_FLUSH ? 1L : 0L; });
    return m;
  }();
  return method;
}

class TlsWire final : public BrokerWire {
 public:
  Status Begin(const LinkOptions& options) {
    host_ = options.broker.host;
    FOGLINE_TRY(context_, NewTlsContext(options));
    tls_ = NewTls(*context_, host_);
    BIO* const bio = BIO_new(QuietBio());
    if (tls_ == nullptr || bio == nullptr) return Fail(ErrorCode::kExhausted, "TLS", "no memory");
    BIO_set_data(bio, &tcp_);
    BIO_set_init(bio, 1);
    SSL_set_bio(tls_.get(), bio, bio);
    return tcp_.Begin(options.broker);
  }

  int fd() const override { return tcp_.fd(); }
  short events() const override {
    if (!reached_) return tcp_.events();
    return static_cast<short>(POLLIN | (SSL_want_write(tls_.get()) ? POLLOUT : 0));
  }

  Result<bool> Connect() override {
    if (!reached_) {
      FOGLINE_TRY(reached_, tcp_.Connect());
      if (!reached_) return false;
    }
    ERR_clear_error();
    errno = 0;
    const int rc = SSL_do_handshake(tls_.get());
    if (rc == 1) return true;
    if (MustWait(rc)) return false;
    return Failed(rc);
  }

  Result<size_t> Read(std::span<std::byte> into) override {
    ERR_clear_error();
    errno = 0;
    const int size = static_cast<int>(std::min<size_t>(into.size(), 1 << 20));
    const int rc = SSL_read(tls_.get(), into.data(), size);
    if (rc > 0) return static_cast<size_t>(rc);
    if (MustWait(rc)) return 0;
    return Failed(rc);
  }

  Result<size_t> Write(std::span<const std::byte> bytes) override {
    size_t written = 0;
    while (written < bytes.size()) {
      ERR_clear_error();
      errno = 0;
      const int size = static_cast<int>(std::min<size_t>(bytes.size() - written, 1 << 20));
      const int rc = SSL_write(tls_.get(), bytes.data() + written, size);
      if (rc > 0) {
        written += static_cast<size_t>(rc);
      } else if (MustWait(rc)) {
        break;
      } else {
        return Failed(rc);
      }
    }
    return written;
  }

  bool HasMore() const override { return SSL_pending(tls_.get()) > 0; }
  void EndWriting() override {
    if (reached_) SSL_shutdown(tls_.get());
    tcp_.EndWriting();
  }

 private:
  bool MustWait(int rc) const {
    const int kind = SSL_get_error(tls_.get(), rc);
    return kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE;
  }
  tl::unexpected<Error> Failed(int rc) { return Broken(WhyTlsFailed(*tls_, rc, host_)); }

  TcpWire tcp_;
  std::string host_;
  TlsContext context_;
  Tls tls_;
  bool reached_ = false;
};

}  // namespace

Status BrokerWire::CheckFiles(const LinkOptions& options) {
  if (!options.broker.tls) return {};
  FOGLINE_TRY(const TlsContext context, NewTlsContext(options));
  return {};
}

Result<std::unique_ptr<BrokerWire>> BrokerWire::Open(const LinkOptions& options) {
  if (options.broker.tls) {
    auto wire = std::make_unique<TlsWire>();
    FOGLINE_CHECK(wire->Begin(options));
    return wire;
  }
  auto wire = std::make_unique<TcpWire>();
  FOGLINE_CHECK(wire->Begin(options.broker));
  return wire;
}

}  // namespace fogline
