#include "web/visitors.h"

#include <algorithm>
#include <boost/asio/ip/address_v6.hpp>
#include <utility>

#include "base/format.h"

namespace fogline {
namespace {

using boost::asio::ip::address;
using boost::asio::ip::address_v6;

/// An IPv4 address that came through an IPv6 socket is one.
address Plain(const address& any) {
  if (any.is_v6() && any.to_v6().is_v4_mapped()) {
    return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, any.to_v6());
  }
  return any;
}

std::string NameOf(const address& plain) {
  if (plain.is_loopback()) return {};
  if (plain.is_v4()) return plain.to_string();
  auto bytes = plain.to_v6().to_bytes();
  std::fill(bytes.begin() + 8, bytes.end(), 0);
  return address_v6(bytes).to_string() + "/64";
}

/// "203.0.113.7", "203.0.113.7:4711", "[2001:db8::1]:4711", with blanks around.
address AddressIn(std::string_view text, boost::system::error_code& error) {
  const size_t first = text.find_first_not_of(" \t");
  text.remove_prefix(std::min(first, text.size()));
  text = text.substr(0, text.find_last_not_of(" \t") + 1);
  if (text.starts_with('[')) {
    text = text.substr(1, text.find(']') - 1);
  } else if (std::ranges::count(text, ':') == 1) {
    text = text.substr(0, text.find(':'));
  }
  return Plain(boost::asio::ip::make_address(text, error));
}

}  // namespace

Result<ClientNames> ClientNames::Make(const std::vector<std::string>& proxies) {
  ClientNames names;
  for (const std::string& proxy : proxies) {
    boost::system::error_code error;
    names.proxies_.push_back(AddressIn(proxy, error));
    if (error) {
      return Fail(ErrorCode::kUsage, proxy, "is no IP address of a proxy, e.g. 127.0.0.1 or ::1");
    }
  }
  return names;
}

bool ClientNames::IsProxy(const address& plain) const {
  return std::ranges::find(proxies_, plain) != proxies_.end();
}

std::string ClientNames::OfPeer(const address& peer) const {
  const address plain = Plain(peer);
  return IsProxy(plain) ? std::string() : NameOf(plain);
}

std::string ClientNames::Of(const address& peer, std::string_view forwarded) const {
  address plain = Plain(peer);
  // Each proxy adds who asked it at the end: what stands before the first that is no proxy of ours
  // is what that one claims, which may be anything.
  while (IsProxy(plain) && !forwarded.empty()) {
    const size_t comma = forwarded.rfind(',');
    boost::system::error_code error;
    const address before =
        AddressIn(forwarded.substr(comma == forwarded.npos ? 0 : comma + 1), error);
    if (error) break;
    plain = before;
    forwarded = forwarded.substr(0, comma == forwarded.npos ? 0 : comma);
  }
  return NameOf(plain);
}

Visitors::Held::Held(Held&& other) noexcept
    : visitors_(std::exchange(other.visitors_, nullptr)),
      kind_(other.kind_),
      client_(std::move(other.client_)),
      amount_(other.amount_) {}

Visitors::Held& Visitors::Held::operator=(Held&& other) noexcept {
  if (this == &other) return *this;
  Release();
  visitors_ = std::exchange(other.visitors_, nullptr);
  kind_ = other.kind_;
  client_ = std::move(other.client_);
  amount_ = other.amount_;
  return *this;
}

void Visitors::Held::Release() {
  if (visitors_ != nullptr) std::exchange(visitors_, nullptr)->Give(kind_, client_, amount_);
}

bool Visitors::HasRoom(Kind kind, const std::string& client) {
  const WebLimit& limit = limits_[At(kind)];
  const auto own = by_client_.find(client);
  const bool room =
      all_[At(kind)] < limit.all && (own == by_client_.end() || own->second[At(kind)] < limit.each);
  if (!room) ++counters_.limited[At(kind)];
  return room;
}

bool Visitors::Full(Kind kind) const {
  const bool full = counters_.held[At(kind)] >= limits_[At(kind)].all;
  if (full) ++counters_.limited[At(kind)];
  return full;
}

Visitors::Held Visitors::Enter(Kind kind, const std::string& client) {
  return HasRoom(kind, client) ? Take(kind, client, 1) : Held();
}

Visitors::Held Visitors::Take(Kind kind, const std::string& client, size_t amount) {
  all_[At(kind)] += amount;
  counters_.held[At(kind)] = all_[At(kind)];
  if (!client.empty()) by_client_[client][At(kind)] += amount;
  return {*this, kind, client, amount};
}

void Visitors::Give(Kind kind, const std::string& client, size_t amount) {
  all_[At(kind)] -= amount;
  counters_.held[At(kind)] = all_[At(kind)];
  const auto own = by_client_.find(client);
  if (own == by_client_.end()) return;
  own->second[At(kind)] -= amount;
  if (own->second == Amounts{}) by_client_.erase(own);
}

}  // namespace fogline
