// One client's connection: whole requests in, answers out, nothing waited for longer than was
// said. The only door to Boost.Beast, which reads the requests.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <memory>
#include <string_view>

#include "web/http.h"

namespace fogline {

/// All that waits is on the one io_context, and its types say so: with executors of any kind each
/// operation would be compiled around one more layer.
using WebExecutor = boost::asio::io_context::executor_type;
template <typename T>
using WebTask = boost::asio::awaitable<T, WebExecutor>;
using WebSocket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, WebExecutor>;
using WebAcceptor = boost::asio::basic_socket_acceptor<boost::asio::ip::tcp, WebExecutor>;
using WebTimer = boost::asio::basic_waitable_timer<
    std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>, WebExecutor>;
/// Errors are values: every wait gives a tuple that begins with its error_code.
inline constexpr boost::asio::as_tuple_t<boost::asio::use_awaitable_t<WebExecutor>> kWebToken{};

/// A request, or why there is none.
struct Asked {
  HttpRequest request;
  bool whole = false;
  int refused = 0;        // not whole: the status to refuse it with; 0 where the client left
  bool cut_off = false;   // not whole: it began in time and did not end in time
  bool keep = false;      // the client would go on
  unsigned version = 11;  // 10 or 11
};

/// Used by one coroutine at a time, on the io_context's thread; held by shared_ptr, because a
/// deadline may come when it has gone.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  explicit Connection(WebSocket socket);
  ~Connection();

  /// The next request; what came after it stays for the one after it.
  WebTask<Asked> Ask(std::chrono::nanoseconds patience);
  /// Sends all of the text. False when the client did not take it; late() says whether for
  /// slowness.
  WebTask<bool> Send(std::string_view text, std::chrono::nanoseconds patience);
  bool late() const { return late_; }

  /// Nothing more is asked: a stream of events follows. What reading took is given back.
  void OnlySend();
  /// Nothing more will be sent.
  void Close();
  /// Whose it is; unspecified where the client has left already.
  boost::asio::ip::address peer() const;

 private:
  class Reader;

  /// What is under way fails once this has passed.
  void Expect(std::chrono::nanoseconds patience);

  WebSocket socket_;
  WebTimer deadline_;
  uint64_t turn_ = 0;  // of the deadline: one that is over says nothing
  bool late_ = false;
  std::unique_ptr<Reader> reader_;
};

/// The status line and header of an answer. A stream of events and "not modified" have no length.
std::string HeaderOf(const HttpResponse& response, unsigned version, bool close);

}  // namespace fogline
