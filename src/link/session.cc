#include "link/session.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace fogline {
namespace {

constexpr size_t kLeastSpace = 16 << 10;
/// Buffers above this are rare, and their memory does not stay.
constexpr size_t kMostKeptBuffer = 1 << 20;

}  // namespace

MqttSession::MqttSession(const ConnectPacket& connect, SessionListener& listener, Nanos now)
    : listener_(listener),
      keepalive_(std::chrono::seconds(connect.keepalive_s)),
      most_incoming_(connect.most_packet),
      last_in_(now),
      last_out_(now) {
  AppendConnect(out_, connect);
}

std::span<std::byte> MqttSession::Space() {
  if (begin_ == end_) {
    begin_ = end_ = 0;
    if (in_.size() > kMostKeptBuffer) PacketBytes().swap(in_);
  }
  if (in_.size() - end_ < kLeastSpace && begin_ > 0) {
    std::memmove(in_.data(), in_.data() + begin_, end_ - begin_);
    end_ -= std::exchange(begin_, 0);
  }
  if (in_.size() - end_ < kLeastSpace) in_.resize(std::max(4 * kLeastSpace, 2 * in_.size()));
  return std::span(in_).subspan(end_);
}

Status MqttSession::Filled(size_t count, Nanos now) {
  end_ += count;
  last_in_ = now;
  pinged_ = Nanos(0);
  for (;;) {
    const auto bytes = std::span<const std::byte>(in_).subspan(begin_, end_ - begin_);
    FOGLINE_TRY(const auto length, PacketLength(bytes));
    if (!length) return {};
    if (most_incoming_ > 0 && *length > most_incoming_) {
      return Fail(ErrorCode::kInvalid, "", "sent a packet of {} bytes where {} are taken", *length,
                  most_incoming_);
    }
    if (*length > bytes.size()) return {};
    FOGLINE_CHECK(Handle(FirstPacket(bytes)));
    begin_ += *length;
  }
}

Status MqttSession::Handle(const PacketView& packet) {
  if (standing_ == (packet.kind == PacketKind::kConnack)) {
    return Fail(ErrorCode::kInvalid, "", "sent packet {} {} the connection stood",
                static_cast<int>(packet.kind), standing_ ? "though" : "before");
  }
  switch (packet.kind) {
    case PacketKind::kConnack:
      return Connack(packet);
    case PacketKind::kPublish:
      return Publish(packet);
    case PacketKind::kPuback:
    case PacketKind::kSuback:
    case PacketKind::kUnsuback:
      return Answer(packet);
    case PacketKind::kPong:
      if (packet.body.empty() && packet.flags == 0) return {};
      return Fail(ErrorCode::kInvalid, "", "sent a PINGRESP that is none");
    case PacketKind::kDisconnect: {
      FOGLINE_TRY(const uint8_t reason, ReadDisconnect(packet));
      return Fail(ErrorCode::kUnavailable, "", "ended the session: {}", ReasonText(reason));
    }
    default:
      return Fail(ErrorCode::kInvalid, "", "sent packet {}, which is not for clients",
                  static_cast<int>(packet.kind));
  }
}

Status MqttSession::Connack(const PacketView& packet) {
  FOGLINE_TRY(const ConnackPacket connack, ReadConnack(packet));
  if (connack.reason != 0) {
    return Fail(ErrorCode::kUnavailable, "", "refuses the connection: {}",
                ReasonText(connack.reason));
  }
  if (connack.most_qos == 0) {
    return Fail(ErrorCode::kUnavailable, "", "takes no messages of QoS 1, which frames need");
  }
  standing_ = true;
  quota_ = connack.receive_maximum;
  if (connack.keepalive_s) keepalive_ = std::chrono::seconds(*connack.keepalive_s);
  listener_.OnConnack(connack.most_packet);
  return {};
}

Status MqttSession::Publish(const PacketView& packet) {
  FOGLINE_TRY(const PublishPacket publish, ReadPublish(packet));
  if (publish.qos > 0) AppendPuback(out_, publish.id);
  listener_.OnPublish({publish.topic, publish.payload, publish.response_topic});
  return {};
}

Status MqttSession::Answer(const PacketView& packet) {
  FOGLINE_TRY(const AnswerPacket answer, ReadAnswer(packet));
  const bool puback = packet.kind == PacketKind::kPuback;
  if (!ids_[answer.id] || published_[answer.id] != puback) return {};  // an answer to nothing
  ids_[answer.id] = published_[answer.id] = false;
  if (packet.kind == PacketKind::kSuback) listener_.OnSuback(answer.reason);
  if (packet.kind == PacketKind::kUnsuback) listener_.OnUnsuback();
  if (!puback) return {};
  if (waiting_.empty()) {
    ++quota_;
  } else {
    out_.insert(out_.end(), waiting_.front().begin(), waiting_.front().end());
    waiting_bytes_ -= waiting_.front().size();
    waiting_.pop_front();
  }
  listener_.OnPuback(answer.reason);
  return {};
}

Result<uint16_t> MqttSession::TakeId() {
  for (int tries = 0; tries < 65536; ++tries) {
    if (++last_id_ != 0 && !ids_[last_id_]) {
      ids_[last_id_] = true;
      return last_id_;
    }
  }
  return Fail(ErrorCode::kUnavailable, "", "65,535 packets are unanswered");
}

Status MqttSession::Publish(std::string_view topic, std::span<const std::byte> payload, int qos,
                            std::string_view response_topic) {
  const size_t before = unsent_bytes();
  if (before > 0 && before + payload.size() > kMostWaiting) {
    return Fail(ErrorCode::kUnavailable, "", "{} MB wait to be sent", before >> 20);
  }
  if (qos == 0) {
    AppendPublish(out_, topic, response_topic, payload, 0, 0);
    return {};
  }
  FOGLINE_TRY(const uint16_t id, TakeId());
  published_[id] = true;
  if (quota_ > 0) {
    --quota_;
    AppendPublish(out_, topic, response_topic, payload, 1, id);
  } else {
    AppendPublish(waiting_.emplace_back(), topic, response_topic, payload, 1, id);
    waiting_bytes_ += waiting_.back().size();
  }
  return {};
}

Status MqttSession::Subscribe(std::string_view filter, int qos) {
  FOGLINE_TRY(const uint16_t id, TakeId());
  AppendSubscribe(out_, filter, qos, id);
  return {};
}

Status MqttSession::Unsubscribe(std::string_view filter) {
  FOGLINE_TRY(const uint16_t id, TakeId());
  AppendUnsubscribe(out_, filter, id);
  return {};
}

void MqttSession::Sent(size_t count, Nanos now) {
  sent_ += count;
  last_out_ = now;
  if (sent_ < out_.size()) {
    if (sent_ < kMostKeptBuffer || 2 * sent_ < out_.size()) return;
    out_.erase(out_.begin(), out_.begin() + static_cast<ptrdiff_t>(sent_));
  } else {
    out_.clear();
    if (out_.capacity() > kMostKeptBuffer) out_.shrink_to_fit();
  }
  sent_ = 0;
}

Status MqttSession::Tick(Nanos now) {
  if (!standing_ || keepalive_ == Nanos(0)) return {};
  if (pinged_ != Nanos(0)) {
    if (now - pinged_ < keepalive_) return {};
    return Fail(ErrorCode::kUnavailable, "", "is silent: keep-alive exceeded");
  }
  if (now - last_in_ < keepalive_ && now - last_out_ < keepalive_) return {};
  AppendPing(out_);
  pinged_ = now;
  return {};
}

}  // namespace fogline
