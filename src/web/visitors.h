// Who is being served, and whether there is room for more: what everybody may take together, and
// what one client may.
#pragma once

#include <array>
#include <boost/asio/ip/address.hpp>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "web/counters.h"

namespace fogline {

/// What all clients may take at once, and what one of them may.
struct WebLimit {
  size_t all = 0;
  size_t each = 0;
};
/// By WebCounters::Limited.
using WebLimits = std::array<WebLimit, WebCounters::kLimits>;

/// Whose a request is. An IPv6 client is its /64, since a household has that many addresses.
class ClientNames {
 public:
  /// kUsage for a proxy that is no IP address.
  static Result<ClientNames> Make(const std::vector<std::string>& proxies);

  /// The name of whoever asks from `peer` with that X-Forwarded-For header: the peer, or, behind a
  /// proxy that was named, whoever that proxy says it has been asked by. Empty for one who has no
  /// limits of their own: this machine's loopback, where a tunnel or a proxy that nobody named may
  /// stand for any number of people.
  std::string Of(const boost::asio::ip::address& peer, std::string_view forwarded) const;
  /// The name of the peer, for what is counted before it has asked anything; empty for a proxy.
  std::string OfPeer(const boost::asio::ip::address& peer) const;

 private:
  bool IsProxy(const boost::asio::ip::address& address) const;

  std::vector<boost::asio::ip::address> proxies_;
};

/// Counts places and bytes by client, and who was turned away. Not thread-safe, but for Full.
class Visitors {
 public:
  using Kind = WebCounters::Limited;

  /// The counters must outlive it.
  Visitors(const WebLimits& limits, WebCounters& counters) : limits_(limits), counters_(counters) {}

  /// What somebody holds until this ends. It must not outlive the visitors.
  class Held {
   public:
    Held() = default;
    Held(Held&& other) noexcept;
    Held& operator=(Held&& other) noexcept;
    ~Held() { Release(); }
    explicit operator bool() const { return visitors_ != nullptr; }

   private:
    friend class Visitors;
    Held(Visitors& visitors, Kind kind, std::string client, size_t amount)
        : visitors_(&visitors), kind_(kind), client_(std::move(client)), amount_(amount) {}
    void Release();

    Visitors* visitors_ = nullptr;
    Kind kind_ = Kind::kConnections;
    std::string client_;
    size_t amount_ = 0;
  };

  /// One place; nothing, and counted, where there is none. `client` as ClientNames gives it.
  Held Enter(Kind kind, const std::string& client);
  /// Whether a client may have any more; counts where not.
  bool HasRoom(Kind kind, const std::string& client);
  /// Whether all there is has been taken; counts then. From any thread.
  bool Full(Kind kind) const;
  /// So many more, whether or not they fit: of what is there already.
  Held Take(Kind kind, const std::string& client, size_t amount);

 private:
  using Amounts = std::array<size_t, WebCounters::kLimits>;
  static size_t At(Kind kind) { return static_cast<size_t>(kind); }
  void Give(Kind kind, const std::string& client, size_t amount);

  const WebLimits limits_;
  WebCounters& counters_;
  Amounts all_{};
  std::unordered_map<std::string, Amounts> by_client_;  // of those who hold something
};

}  // namespace fogline
