// Connections, the answers to their requests, and streams of events. One thread runs them all;
// another answers what may take its time.
#include "web/web_server.h"

#include <algorithm>
#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <exception>
#include <functional>
#include <list>
#include <thread>

#include "base/log.h"
#include "base/text.h"
#include "web/connection.h"
#include "web/feed.h"
#include "web/fleet_memory.h"
#include "web/http.h"
#include "web/listen.h"
#include "web/site.h"
#include "web/visitors.h"

namespace fogline {
namespace {

namespace net = boost::asio;
using tcp = net::ip::tcp;
using boost::system::error_code;
using std::chrono::seconds;

constexpr auto kPoll = seconds(1);  // for rows that other processes store, where Watch cannot tell
constexpr auto kBetweenParts = std::chrono::milliseconds(5);  // of a store that is being read
constexpr auto kQuiet = seconds(60);
// A stream is told no oftener what went for its age, and what was deleted.
constexpr auto kBetweenForgotten = seconds(60), kBetweenDeleted = seconds(10);
constexpr size_t kRemembered = 2000;       // frames from before the start, for the fleet's page
constexpr auto kWithoutRoom = seconds(1);  // between two tries of a stream that is far behind
constexpr size_t kSmallAnswer = 64 << 10;  // is answered whatever is under way

/// One client's part of what there is for all: 256 connections, 156 streams, 32 questions, 32 MiB.
WebLimits LimitsOf(const WebOptions& options) {
  const auto part = [](size_t all, size_t parts) {
    return WebLimit{all, std::max<size_t>(1, all / parts)};
  };
  return {part(options.max_connections, 16), part(options.max_streams, 16),
          part(options.max_waiting, 8), part(options.answer_bytes, 4)};
}

}  // namespace

class WebServer::Impl {
 public:
  Impl(const WebOptions& options, Store& store)
      : options_(options),
        store_(store),
        feed_(store, options.privacy()),
        visitors_(LimitsOf(options), counters_) {}
  ~Impl() { Stop(); }

  Status Listen() {
    FOGLINE_TRY(names_, ClientNames::Make(options_.proxies));
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
    // Without these nobody is answered any more: what ends them ends the process.
    const auto ended = [](const std::exception_ptr& thrown) {
      if (thrown) std::rethrow_exception(thrown);
    };
    for (WebAcceptor& acceptor : acceptors_) net::co_spawn(io_, Accept(acceptor), ended);
    net::co_spawn(io_, PollRegularly(), ended);
    net::co_spawn(io_, ReadAhead(), ended);
    watch_ = store_.Watch([this] { Notify(); });
    // An exception that leaves it, for want of memory, leaves coroutines half begun, which asio
    // cannot go on with: caught by nobody (base/uncaught.h).
    thread_ = std::jthread([this] { io_.run(); });
  }

  void Stop() {
    watch_.reset();
    io_.stop();
    if (thread_.joinable()) thread_.join();
    for (net::thread_pool* pool : {&work_, &probe_}) {
      pool->stop();
      pool->join();
    }
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
    WebAcceptor acceptor(io_);
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
    const uint64_t before = feed_.last_id(), deletions = feed_.deletions();
    const auto more = feed_.Poll();
    if (!more) {
      ++counters_.store_errors;
      // Once a loss: this comes round every second.
      if (!feed_failing_) LogWarning("web: {}", Printable(more.error().ToString()));
    } else if (*more) {
      Notify();  // in turns with requests
    }
    feed_failing_ = !more;
    if (feed_.last_id() == before && feed_.deletions() == deletions) return;
    for (WebTimer* waiting : waiting_) waiting->cancel();
  }

  WebTask<void> PollRegularly() {
    WebTimer timer(io_);
    for (;;) {
      timer.expires_after(kPoll);
      co_await timer.async_wait(kWebToken);
      PollFeed();
      for (bool more = true; more;) {  // a part each turn, too
        co_await Elsewhere(work_, [&] {
          const auto read = fleet_.CatchUp(store_);
          if (!read) ++counters_.store_errors;
          more = read && *read;
        });
      }
    }
  }

  /// A large store takes its time to be read into memory, a part each turn; visitors' questions are
  /// answered between two of them, from what has been read.
  WebTask<void> ReadAhead() {
    WebTimer timer(io_);
    for (bool more = true; more;) {
      Result<uint64_t> counted = 0, last = 0;
      co_await Elsewhere(work_, [&] {
        counted = store_.CountedId();
        last = store_.LastId();
      });
      more = !counted || !last || *counted < *last;
      timer.expires_after(counted && last ? kBetweenParts : kPoll);
      co_await timer.async_wait(kWebToken);
    }
  }

  WebTask<void> Accept(WebAcceptor& acceptor) {
    for (;;) {
      auto [error, socket] = co_await acceptor.async_accept(kWebToken);
      if (error) {  // out of descriptors, mostly: let some connections end first
        WebTimer pause(io_, std::chrono::milliseconds(100));
        co_await pause.async_wait(kWebToken);
        continue;
      }
      error_code left;
      auto place = visitors_.Enter(Limited::kConnections,
                                   names_.OfPeer(socket.remote_endpoint(left).address()));
      if (!place) continue;  // closes it
      net::co_spawn(io_, Converse(std::move(socket), std::move(place)), net::detached);
    }
  }

  /// One connection, request by request.
  WebTask<void> Converse(WebSocket socket, Visitors::Held /*place*/) {
    try {
      const auto client = std::make_shared<Connection>(std::move(socket));
      const auto events = co_await AnswerRequests(*client);
      if (events) co_await StreamEvents(*client, *events);
    } catch (const std::exception& e) {
      LogError("web: {}", e.what());
    }
  }

  /// A stream that a client has been given a place for.
  struct Stream {
    HttpResponse head;
    std::string name;  // the client's, see ClientNames
    Visitors::Held place;
  };

  /// Until the client leaves, or asks for events.
  WebTask<std::optional<Stream>> AnswerRequests(Connection& client) {
    for (auto patience = options_.patience.first_request;;
         patience = options_.patience.next_request) {
      const Asked asked = co_await client.Ask(patience);
      if (!asked.whole) {
        // One that began to ask and did not finish; an idle connection that ends is nothing.
        if (asked.cut_off) SlowRequest();
        if (asked.refused != 0) {
          ++counters_.responses[static_cast<size_t>(asked.refused)];
          const auto refusal = ErrorResponse(asked.refused, "that is no request this server takes");
          co_await Write(client, refusal, 11, false, true);
        }
        client.Close();
        co_return std::nullopt;
      }
      const std::string name = names_.Of(client.peer(), asked.request.forwarded);
      HttpResponse response = co_await Answer(asked.request, name);
      const bool head = asked.request.method == "HEAD";
      if (response.events_after && !head) {
        auto place = visitors_.Enter(Limited::kStreams, name);
        if (place) co_return Stream{std::move(response), name, std::move(place)};
        response = Busy("too many streams are open; try again later", 10);
      }
      const auto held = visitors_.Take(Limited::kBytes, name, response.body.capacity());
      if (!co_await Write(client, response, asked.version, head, !asked.keep) || !asked.keep) {
        client.Close();
        co_return std::nullopt;
      }
    }
  }

  /// What may take its time is answered by the other thread, so that it holds up neither the
  /// streams nor the health check; so much may wait for it.
  WebTask<HttpResponse> Answer(const HttpRequest& request, const std::string& name) {
    HttpResponse response;
    bool full = false;
    const Site::Pace pace = Site::PaceOf(request.target);
    if (pace == Site::Pace::kQuick) {
      response = site_->Handle(request);
    } else if (pace == Site::Pace::kProbe) {
      // Of its own: a question that takes long says nothing about the store.
      co_await Elsewhere(probe_, [&] { response = site_->Handle(request); });
    } else {
      const auto place = visitors_.Enter(Limited::kQuestions, name);
      if (!place) co_return Busy("too many questions wait; try again later", 2);
      try {
        co_await Elsewhere(work_, [&] {
          // While it waited for its turn others may have used up what there is.
          full = visitors_.Full(Limited::kBytes);
          if (!full) response = site_->Handle(request);
        });
      } catch (const std::bad_alloc&) {
        response = ErrorResponse(503, "that is too much to answer; narrow it");
      }
    }
    const bool small = response.body.size() < kSmallAnswer;
    if (!full && (small || visitors_.HasRoom(Limited::kBytes, name))) co_return response;
    co_return Busy("too many answers wait to be taken; try again later", 2);
  }

  /// Comes back after so many seconds.
  HttpResponse Busy(std::string_view why, int seconds) {
    ++counters_.turned_away;
    HttpResponse busy = ErrorResponse(503, why);
    busy.headers.emplace_back("Retry-After", std::to_string(seconds));
    return busy;
  }

  /// Runs a function on another thread; goes on here once it has returned, or with what it threw.
  WebTask<void> Elsewhere(net::thread_pool& thread, std::function<void()> work) {
    // Posted as the wait for it begins, not before: a wait that cannot begin would leave work that
    // reads what has gone.
    const auto begin = [&](auto done) {
      net::post(thread, [this, run = std::move(work), told = std::move(done)]() mutable {
        std::exception_ptr thrown;
        try {
          run();
        } catch (...) {
          thrown = std::current_exception();
        }
        net::post(io_, [tell = std::move(told), thrown]() mutable { std::move(tell)(thrown); });
      });
    };
    const auto [thrown] =
        co_await net::async_initiate<decltype(kWebToken), void(std::exception_ptr)>(begin,
                                                                                    kWebToken);
    if (thrown) std::rethrow_exception(thrown);
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

  /// False when the client did not take it.
  WebTask<bool> Write(Connection& client, const HttpResponse& response, unsigned version, bool head,
                      bool close) {
    const std::string header = HeaderOf(response, version, close);
    if (!co_await client.Send(header, options_.patience.writing)) co_return false;
    // In parts, each with its own time: a slow phone may take long, but not stop.
    for (std::string_view rest = head ? "" : response.content(); !rest.empty();) {
      const std::string_view part = rest.substr(0, 256 << 10);
      rest.remove_prefix(part.size());
      if (!co_await client.Send(part, options_.patience.writing)) co_return false;
    }
    co_return true;
  }

  WebTask<bool> WriteEvents(Connection& client, std::string_view text) {
    const bool taken = co_await client.Send(text, options_.patience.writing);
    if (taken) counters_.event_bytes += text.size();
    if (client.late()) ++counters_.streams_dropped;
    co_return taken;
  }

  /// Sends what is new until the client leaves or is too slow. Nothing is queued for it: what it
  /// has not taken yet is read again from where it is.
  WebTask<void> StreamEvents(Connection& client, const Stream& stream) {
    ++counters_.streams_opened;
    client.OnlySend();
    const FeedStart start = feed_.Resolve(*stream.head.events_after);
    uint64_t cursor = start.after;
    const std::string header = HeaderOf(stream.head, 11, true);
    if (!co_await client.Send(header, options_.patience.writing)) co_return;
    if (!co_await WriteEvents(client, feed_.Hello(start))) co_return;
    WebTimer wake(io_);
    uint64_t told = feed_.forgotten_id(), deletions = feed_.deletions();
    Nanos told_at = Clock::Real().Steady(), deleted_at = told_at - kBetweenDeleted;
    for (;;) {
      const Nanos now = Clock::Real().Steady();
      const bool forgotten = feed_.forgotten_id() > told && now - told_at >= kBetweenForgotten;
      const bool deleted = feed_.deletions() != deletions && now - deleted_at >= kBetweenDeleted;
      if (forgotten || deleted) {
        told = feed_.forgotten_id();
        deletions = feed_.deletions();
        told_at = deleted_at = now;
        if (!co_await WriteEvents(client, feed_.Forgotten())) co_return;
      }
      std::shared_ptr<const FeedChunk> chunk = feed_.Shared(cursor);
      Visitors::Held own;  // of what is read for this stream alone
      const bool behind = chunk == nullptr && cursor < feed_.last_id();
      const bool waits = behind && !visitors_.HasRoom(Limited::kBytes, stream.name);
      if (behind && !waits) {
        auto read = feed_.Next(cursor);
        if (!read) co_return;  // the store failed; the browser comes back by itself
        chunk = *std::move(read);
        if (chunk != nullptr)
          own = visitors_.Take(Limited::kBytes, stream.name, chunk->text.capacity());
      }
      if (chunk != nullptr) {
        if (!co_await WriteEvents(client, chunk->text)) co_return;
        cursor = chunk->last;
        continue;
      }
      wake.expires_after(waits ? kWithoutRoom : options_.patience.heartbeat);
      const auto at = waiting_.insert(waiting_.end(), &wake);
      const auto [error] = co_await wake.async_wait(kWebToken);
      waiting_.erase(at);
      if (!error && !co_await WriteEvents(client, ":\n\n")) co_return;
    }
  }

  using Limited = WebCounters::Limited;

  const WebOptions options_;
  WebCounters counters_;
  Store& store_;
  Feed feed_;
  FleetMemory fleet_{Clock::Real()};
  std::unique_ptr<Site> site_;
  bool feed_failing_ = false;
  Nanos said_slow_at_{0};
  ClientNames names_;
  Visitors visitors_;
  std::list<WebTimer*> waiting_;  // streams that have seen everything
  std::atomic<bool> notified_ = false;
  uint16_t port_ = 0;
  // Last: what still waits in it is destroyed first, while the rest is there.
  net::io_context io_{1};
  std::vector<WebAcceptor> acceptors_;  // one an address
  net::thread_pool work_{1};            // answers what may take its time; has the fleet's memory
  net::thread_pool probe_{1};           // tries the store
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
