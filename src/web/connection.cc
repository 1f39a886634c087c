#include "web/connection.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/status.hpp>
#include <iterator>
#include <optional>
#include <string>
#include <utility>

#include "base/format.h"

namespace fogline {
namespace {

namespace net = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using tcp = net::ip::tcp;

constexpr size_t kHeaderBytes = 16 << 10;
constexpr size_t kReadBytes = 4 << 10;
/// What may wait in the kernel for a client to take it: there it is memory of ours as well.
constexpr int kSendBuffer = 128 << 10;

HttpRequest Translate(const http::request<http::empty_body>& request) {
  const auto text = [&](http::field field) { return std::string(request[field]); };
  HttpRequest ours;
  ours.method = std::string(request.method_string());
  ours.target = std::string(request.target());
  ours.host = text(http::field::host);
  ours.if_none_match = text(http::field::if_none_match);
  ours.range = text(http::field::range);
  ours.last_event_id = std::string(request["Last-Event-ID"]);
  // The last one is the nearest proxy's.
  const auto [first, last] = request.equal_range("X-Forwarded-For");
  if (first != last) ours.forwarded = std::string(std::prev(last)->value());
  ours.accepts_gzip = text(http::field::accept_encoding).find("gzip") != std::string::npos;
  return ours;
}

/// Two Host headers are read one way here and another way by a proxy; HTTP/1.1 wants one.
bool HasItsHost(const http::request<http::empty_body>& request) {
  const size_t hosts = request.count(http::field::host);
  return hosts == 1 || (hosts == 0 && request.version() < 11);
}

/// The answer to a request that cannot be read; 0 for a client that merely left.
int StatusOf(const error_code& error) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow) return 431;
  if (error == http::error::body_limit || error == http::error::unexpected_body) return 413;
  if (error == http::error::end_of_stream || error == http::error::partial_message) return 0;
  return error.category() == http::make_error_code(http::error::bad_method).category() ? 400 : 0;
}

}  // namespace

/// Takes bytes as they come, gives a request once it is whole.
class Connection::Reader {
 public:
  void Begin() {
    parser_.emplace();
    parser_->header_limit(kHeaderBytes);
    parser_->eager(true);
  }

  /// True once the request is whole. An error where it cannot become one.
  bool Parse(error_code& error) {
    while (buffer_.size() > 0 && !parser_->is_done()) {
      buffer_.consume(parser_->put(buffer_.data(), error));
      if (error == http::error::need_more) {
        error = {};
        break;
      }
      if (error) return false;
    }
    return parser_->is_done();
  }

  /// Room for more of it; an error where it is too long.
  net::mutable_buffer Room(error_code& error) {
    const size_t left = buffer_.max_size() - buffer_.size();
    if (left == 0) error = http::error::buffer_overflow;
    return left == 0 ? net::mutable_buffer() : buffer_.prepare(std::min(kReadBytes, left));
  }
  void Got(size_t bytes) { buffer_.commit(bytes); }

  bool begun() const { return buffer_.size() > 0 || parser_->got_some(); }
  const http::request<http::empty_body>& request() { return parser_->get(); }

 private:
  boost::beast::flat_buffer buffer_{2 * kHeaderBytes};
  std::optional<http::request_parser<http::empty_body>> parser_;
};

Connection::Connection(WebSocket socket)
    : socket_(std::move(socket)),
      deadline_(socket_.get_executor()),
      reader_(std::make_unique<Reader>()) {
  error_code ignored;
  socket_.set_option(tcp::no_delay(true), ignored);
  socket_.set_option(net::socket_base::send_buffer_size(kSendBuffer), ignored);
}

Connection::~Connection() = default;

void Connection::Expect(std::chrono::nanoseconds patience) {
  late_ = false;
  deadline_.expires_after(patience);
  deadline_.async_wait([held = weak_from_this(), turn = ++turn_](const error_code& error) {
    const auto self = held.lock();
    if (error || self == nullptr || self->turn_ != turn) return;
    self->late_ = true;
    error_code ignored;
    self->socket_.cancel(ignored);
  });
}

WebTask<Asked> Connection::Ask(std::chrono::nanoseconds patience) {
  Asked asked;
  reader_->Begin();
  Expect(patience);
  for (error_code error; !error && !asked.whole;) {
    asked.whole = reader_->Parse(error);
    if (asked.whole) break;
    const net::mutable_buffer room = error ? net::mutable_buffer() : reader_->Room(error);
    if (!error) {
      const auto [failed, bytes] = co_await socket_.async_read_some(room, kWebToken);
      reader_->Got(bytes);
      error = failed;
    }
    if (!error) continue;
    asked.refused = StatusOf(error);
    asked.cut_off = late_ && reader_->begun();
  }
  ++turn_;
  if (!asked.whole) co_return asked;
  const auto& request = reader_->request();
  if (!HasItsHost(request)) {
    asked.whole = false;
    asked.refused = 400;
    co_return asked;
  }
  asked.request = Translate(request);
  asked.keep = request.keep_alive();
  asked.version = request.version();
  co_return asked;
}

WebTask<bool> Connection::Send(std::string_view text, std::chrono::nanoseconds patience) {
  Expect(patience);
  const auto [error, bytes] =
      co_await net::async_write(socket_, net::const_buffer(text.data(), text.size()), kWebToken);
  (void)bytes;
  ++turn_;
  co_return !error;
}

void Connection::OnlySend() { reader_.reset(); }

net::ip::address Connection::peer() const {
  error_code ignored;
  return socket_.remote_endpoint(ignored).address();
}

void Connection::Close() {
  error_code ignored;
  socket_.shutdown(tcp::socket::shutdown_send, ignored);
}

std::string HeaderOf(const HttpResponse& response, unsigned version, bool close) {
  const auto status = static_cast<unsigned>(response.status);
  const std::string_view reason = http::obsolete_reason(http::int_to_status(status));
  std::string header = fmt::format("HTTP/1.{} {} {}\r\n", version % 10, status, reason);
  const auto put = [&](std::string_view name, std::string_view value) {
    fmt::format_to(std::back_inserter(header), "{}: {}\r\n", name, value);
  };
  if (!response.type.empty()) put("Content-Type", response.type);
  for (const auto& [name, value] : response.headers) put(name, value);
  if (!response.events_after && response.status != 304) {
    put("Content-Length", std::to_string(response.content().size()));
  }
  if (close && version >= 11) put("Connection", "close");
  if (!close && version < 11) put("Connection", "keep-alive");
  return header + "\r\n";
}

}  // namespace fogline
