// The only file that knows Boost.Beast: sockets, timeouts and streams. One thread runs them all;
// another answers what may take its time.
#include "web/web_server.h"

#include <algorithm>
#include <atomic>
#include <boost/asio.hpp>
#include <boost/asio/experimental/as_tuple.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <list>
#include <thread>

#include "base/log.h"
#include "base/text.h"
#include "web/feed.h"
#include "web/fleet_memory.h"
#include "web/http.h"
#include "web/listen.h"
#include "web/site.h"

namespace fogline {
namespace {

namespace net = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = net::ip::tcp;
using boost::system::error_code;
using std::chrono::seconds;

constexpr size_t kHeaderBytes = 16 << 10;
constexpr auto kPoll = seconds(1);  // for rows that other processes store, where Watch cannot tell
constexpr auto kQuiet = seconds(60);
constexpr auto kBetweenForgotten = seconds(60);  // a stream is told no oftener
constexpr size_t kRemembered = 2000;  // frames from before the start, for the fleet's page
constexpr int kStreamSendBuffer = 128 << 10;

constexpr auto kToken = net::experimental::as_tuple(net::use_awaitable);

HttpRequest Translate(const http::request<http::empty_body>& request) {
  const auto text = [&](http::field field) { return std::string(request[field]); };
  HttpRequest ours;
  ours.method = std::string(request.method_string());
  ours.target = std::string(request.target());
  ours.host = text(http::field::host);
  ours.if_none_match = text(http::field::if_none_match);
  ours.range = text(http::field::range);
  ours.last_event_id = std::string(request["Last-Event-ID"]);
  ours.accepts_gzip = text(http::field::accept_encoding).find("gzip") != std::string::npos;
  return ours;
}

/// The answer to a request that Beast could not read; 0 for a client that merely left.
int StatusOf(const error_code& error) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow) return 431;
  if (error == http::error::body_limit || error == http::error::unexpected_body) return 413;
  if (error == http::error::end_of_stream || error == http::error::partial_message) return 0;
  return error.category() == http::make_error_code(http::error::bad_method).category() ? 400 : 0;
}

}  // namespace

class WebServer::Impl {
 public:
  Impl(const WebOptions& options, Store& store)
      : options_(options),
        store_(store),
        feed_(store, {options.round_decimals, options.thumbnails}) {}
  ~Impl() { Stop(); }

  Status Listen() {
    FOGLINE_CHECK(feed_.Start());
    FOGLINE_TRY(site_, Site::Make(options_, store_, fleet_, counters_));
    fleet_.Start(feed_.last_id() - std::min<uint64_t>(feed_.last_id(), kRemembered),
                 feed_.last_id());
    FOGLINE_TRY(const auto addresses, AddressesOf({options_.address, options_.port}));
    port_ = options_.port;
    error_code missing;
    for (tcp::endpoint at : addresses) {
      at.port(port_);  // where any would do, the same at every address
      const error_code error = ListenAt(at);
      // "localhost" has an IPv6 address on machines that have no IPv6.
      const bool absent = error == net::error::address_family_not_supported ||
                          error == error_code(EADDRNOTAVAIL, boost::system::system_category());
      if (error && !absent) return CannotListen(error);
      if (error) missing = error;
    }
    if (acceptors_.empty()) return CannotListen(missing);
    return {};
  }

  void Run() {
    for (tcp::acceptor& acceptor : acceptors_) {
      net::co_spawn(io_, Accept(acceptor), net::detached);
    }
    net::co_spawn(io_, PollRegularly(), net::detached);
    watch_ = store_.Watch([this] { Notify(); });
    thread_ = std::jthread([this] {
      for (;;) {
        try {
          io_.run();
          return;
        } catch (const std::exception& e) {  // out of memory in one connection ends that one only
          LogError("web: {}", e.what());
        }
      }
    });
  }

  void Stop() {
    watch_.reset();
    io_.stop();
    if (thread_.joinable()) thread_.join();
    work_.stop();
    work_.join();
  }

  void Notify() {
    if (notified_.exchange(true)) return;
    net::post(io_, [this] {
      notified_ = false;
      PollFeed();
    });
  }

  uint16_t port() const { return port_; }
  const WebOptions& options() const { return options_; }

 private:
  error_code ListenAt(const tcp::endpoint& at) {
    error_code error;
    tcp::acceptor acceptor(io_);
    acceptor.open(at.protocol(), error);
    if (!error) acceptor.set_option(net::socket_base::reuse_address(true), error);
    if (!error) acceptor.bind(at, error);
    if (!error) acceptor.listen(net::socket_base::max_listen_connections, error);
    if (error) return error;
    port_ = acceptor.local_endpoint().port();
    acceptors_.push_back(std::move(acceptor));
    return {};
  }
  Status CannotListen(const error_code& error) const {
    return Fail(ErrorCode::kUnavailable, HostPort{options_.address, options_.port}.ToString(),
                "cannot listen: {}", error.message());
  }

  void PollFeed() {
    const uint64_t before = feed_.last_id();
    const auto more = feed_.Poll();
    if (!more) {
      ++counters_.store_errors;
      // Once a loss: this comes round every second.
      if (!feed_failing_) LogWarning("web: {}", Printable(more.error().ToString()));
    } else if (*more) {
      Notify();  // in turns with requests
    }
    feed_failing_ = !more;
    if (feed_.last_id() == before) return;
    for (net::steady_timer* waiting : waiting_) waiting->cancel();
  }

  net::awaitable<void> PollRegularly() {
    net::steady_timer timer(io_);
    for (;;) {
      timer.expires_after(kPoll);
      co_await timer.async_wait(kToken);
      PollFeed();
      // A large store takes its time to count for the first time, a part each turn; the first
      // visitor need not wait for all of it.
      if (!counted_) {
        counted_ = co_await Working([this] { return store_.Timeline({}, 0, 1, 1).has_value(); });
      }
      for (bool more = true; more;) {  // a part each turn, too
        const auto read = co_await Working([this] { return fleet_.CatchUp(store_); });
        if (!read) ++counters_.store_errors;
        more = read && *read;
      }
    }
  }

  net::awaitable<void> Accept(tcp::acceptor& acceptor) {
    for (;;) {
      auto [error, socket] = co_await acceptor.async_accept(kToken);
      if (error) {  // out of descriptors, mostly: let some connections end first
        net::steady_timer pause(io_, std::chrono::milliseconds(100));
        co_await pause.async_wait(kToken);
        continue;
      }
      if (counters_.connections >= options_.max_connections) continue;  // closes it
      net::co_spawn(io_, Converse(std::move(socket)), net::detached);
    }
  }

  /// One connection, request by request.
  net::awaitable<void> Converse(tcp::socket socket) {
    ++counters_.connections;
    beast::tcp_stream stream(std::move(socket));
    try {
      error_code ignored;
      stream.socket().set_option(tcp::no_delay(true), ignored);
      const auto events = co_await AnswerRequests(stream);
      if (events) co_await StreamEvents(stream, *events);
    } catch (const std::exception& e) {
      LogError("web: {}", e.what());
    }
    --counters_.connections;
  }

  /// Until the client leaves, or asks for events: then the answer that begins the stream.
  net::awaitable<std::optional<HttpResponse>> AnswerRequests(beast::tcp_stream& stream) {
    beast::flat_buffer buffer(2 * kHeaderBytes);
    for (auto patience = options_.patience.first_request;;
         patience = options_.patience.next_request) {
      http::request_parser<http::empty_body> parser;
      parser.header_limit(kHeaderBytes);
      stream.expires_after(patience);
      const auto [error, bytes] = co_await http::async_read(stream, buffer, parser, kToken);
      (void)bytes;
      if (error) {
        // One that began to ask and did not finish; an idle connection that ends is nothing.
        if (error == beast::error::timeout && buffer.size() > 0) SlowRequest();
        if (const int status = StatusOf(error); status != 0) {
          ++counters_.responses[static_cast<size_t>(status)];
          co_await Write(stream, ErrorResponse(status, "that is no request this server takes"), 11,
                         false, true);
        }
        Close(stream);
        co_return std::nullopt;
      }
      const auto& request = parser.get();
      const HttpRequest ours = Translate(request);
      HttpResponse response = co_await Answer(ours);
      const bool head = request.method() == http::verb::head;
      if (response.events_after && !head) {
        if (counters_.streams < options_.max_streams) co_return response;
        response = ErrorResponse(503, "too many streams are open; try again later");
        response.headers.emplace_back("Retry-After", "10");
      }
      const bool keep = request.keep_alive();
      if (!co_await Write(stream, response, request.version(), head, !keep) || !keep) {
        Close(stream);
        co_return std::nullopt;
      }
    }
  }

  /// What may take its time is answered by the other thread, so that it holds up neither the
  /// streams nor the health check; so much may wait for it.
  net::awaitable<HttpResponse> Answer(const HttpRequest& request) {
    if (Site::IsQuick(request.target)) co_return site_->Handle(request);
    if (working_ >= options_.max_waiting) {
      ++counters_.turned_away;
      HttpResponse busy = ErrorResponse(503, "too many questions wait; try again later");
      busy.headers.emplace_back("Retry-After", "2");
      co_return busy;
    }
    ++working_;
    HttpResponse response;
    try {
      response = co_await Working([&] { return site_->Handle(request); });
    } catch (const std::bad_alloc&) {
      response = ErrorResponse(503, "that is too much to answer; narrow it");
    }
    --working_;
    co_return response;
  }

  /// Runs a function on the working thread; goes on here with its result.
  template <typename Function>
  net::awaitable<std::invoke_result_t<Function>> Working(Function function) {
    co_return co_await net::co_spawn(
        work_, [&]() -> net::awaitable<std::invoke_result_t<Function>> { co_return function(); },
        net::use_awaitable);
  }

  /// Counts it, and says so once a minute at most.
  void SlowRequest() {
    ++counters_.slow_requests;
    const Nanos now = Clock::Real().Steady();
    if (said_slow_at_ != Nanos(0) && now - said_slow_at_ < kQuiet) return;
    said_slow_at_ = now;
    LogWarning("web: {} connections were cut off before their request was whole",
               counters_.slow_requests.load());
  }

  /// The header of every answer, streams included: those have no length. False when the client did
  /// not take it.
  net::awaitable<bool> WriteHeader(beast::tcp_stream& stream, const HttpResponse& response,
                                   unsigned version, bool close) {
    http::response<http::empty_body> header;
    header.version(version);
    header.result(static_cast<unsigned>(response.status));
    if (!response.type.empty()) header.set(http::field::content_type, response.type);
    for (const auto& [name, value] : response.headers) header.insert(name, value);
    if (!response.events_after && response.status != 304) {
      header.content_length(response.content().size());
    }
    header.keep_alive(!close);
    stream.expires_after(options_.patience.writing);
    http::response_serializer<http::empty_body> serializer(header);
    auto [error, bytes] = co_await http::async_write_header(stream, serializer, kToken);
    (void)bytes;
    co_return !error;
  }

  /// False when the client did not take it.
  net::awaitable<bool> Write(beast::tcp_stream& stream, const HttpResponse& response,
                             unsigned version, bool head, bool close) {
    const std::string_view content = response.content();
    if (!co_await WriteHeader(stream, response, version, close)) co_return false;
    // In parts, each with its own time: a slow phone may take long, but not stop.
    for (std::string_view rest = head ? "" : content; !rest.empty();) {
      const std::string_view part = rest.substr(0, 256 << 10);
      rest.remove_prefix(part.size());
      stream.expires_after(options_.patience.writing);
      auto [failed, written] =
          co_await net::async_write(stream, net::buffer(part.data(), part.size()), kToken);
      (void)written;
      if (failed) co_return false;
    }
    co_return true;
  }

  void Close(beast::tcp_stream& stream) {
    error_code ignored;
    stream.socket().shutdown(tcp::socket::shutdown_send, ignored);
  }

  net::awaitable<bool> WriteEvents(beast::tcp_stream& stream, std::string_view text) {
    stream.expires_after(options_.patience.writing);
    auto [error, bytes] =
        co_await net::async_write(stream, net::buffer(text.data(), text.size()), kToken);
    counters_.event_bytes += bytes;
    if (error == beast::error::timeout) ++counters_.streams_dropped;
    co_return !error;
  }

  /// Sends what is new until the client leaves or is too slow. Nothing is queued for it: what it
  /// has not taken yet is read again from where it is.
  net::awaitable<void> StreamEvents(beast::tcp_stream& stream, const HttpResponse& head) {
    struct Open {
      WebCounters& counters;
      explicit Open(WebCounters& c) : counters(c) { ++counters.streams, ++counters.streams_opened; }
      ~Open() { --counters.streams; }
    } const open(counters_);
    error_code ignored;
    stream.socket().set_option(net::socket_base::send_buffer_size(kStreamSendBuffer), ignored);

    const FeedStart start = feed_.Resolve(*head.events_after);
    uint64_t cursor = start.after;
    if (!co_await WriteHeader(stream, head, 11, true)) co_return;
    if (!co_await WriteEvents(stream, feed_.Hello(start))) co_return;
    net::steady_timer wake(io_);
    uint64_t told = feed_.forgotten_id();
    Nanos told_at = Clock::Real().Steady();
    for (;;) {
      const Nanos now = Clock::Real().Steady();
      if (feed_.forgotten_id() > told && now - told_at >= kBetweenForgotten) {
        told = feed_.forgotten_id();
        told_at = now;
        if (!co_await WriteEvents(stream, feed_.Forgotten())) co_return;
      }
      const auto chunk = feed_.Next(cursor);
      if (!chunk) co_return;  // the store failed; the browser comes back by itself
      if (*chunk != nullptr) {
        if (!co_await WriteEvents(stream, (*chunk)->text)) co_return;
        cursor = (*chunk)->last;
        continue;
      }
      wake.expires_after(options_.patience.heartbeat);
      const auto at = waiting_.insert(waiting_.end(), &wake);
      const auto [error] = co_await wake.async_wait(kToken);
      waiting_.erase(at);
      if (!error && !co_await WriteEvents(stream, ":\n\n")) co_return;
    }
  }

  const WebOptions options_;
  WebCounters counters_;
  Store& store_;
  Feed feed_;
  FleetMemory fleet_{Clock::Real()};
  std::unique_ptr<Site> site_;
  bool feed_failing_ = false;
  Nanos said_slow_at_{0};
  bool counted_ = false;  // the store, for the first time
  size_t working_ = 0;    // questions that wait for the working thread, or that it answers
  std::list<net::steady_timer*> waiting_;  // streams that have seen everything
  std::atomic<bool> notified_ = false;
  uint16_t port_ = 0;
  // Last: what still waits in it is destroyed first, while the rest is there.
  net::io_context io_{1};
  std::vector<tcp::acceptor> acceptors_;  // one an address
  net::thread_pool work_{1};              // answers what may take its time; has the fleet's memory
  std::unique_ptr<StoreWatch> watch_;
  std::jthread thread_;
};

WebServer::WebServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
WebServer::~WebServer() = default;

Result<std::unique_ptr<WebServer>> WebServer::Start(const WebOptions& options, Store& store) {
  auto impl = std::make_unique<Impl>(options, store);
  FOGLINE_CHECK(impl->Listen());
  impl->Run();
  return std::unique_ptr<WebServer>(new WebServer(std::move(impl)));
}

uint16_t WebServer::port() const { return impl_->port(); }

std::string WebServer::url() const {
  return fmt::format("http://{}/", HostPort{impl_->options().address, port()}.ToString());
}

void WebServer::Notify() { impl_->Notify(); }
void WebServer::Stop() { impl_->Stop(); }

}  // namespace fogline
