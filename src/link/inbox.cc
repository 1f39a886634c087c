#include "link/inbox.h"

#include <utility>

namespace fogline {

LinkEvent& Inbox::Next(LinkEvent::Kind kind) {
  if (count_ == events_.size()) events_.emplace_back();
  events_[count_].kind = kind;
  return events_[count_++];
}

void Inbox::Keep(const Message& message) {
  LinkEvent& event = Next(LinkEvent::Kind::kMessage);
  event.topic = message.topic;
  event.response_topic = message.response_topic;
  event.payload.assign(message.payload.begin(), message.payload.end());
  bytes_ += event.payload.size();
}

void Inbox::Swap(Inbox& told) {
  events_.swap(told.events_);
  told.count_ = std::exchange(count_, 0);
}

void Inbox::Tell(LinkHandler& handler, bool losses_wanted) {
  for (size_t i = 0; i < count_; ++i) {
    LinkEvent& event = events_[i];
    switch (event.kind) {
      case LinkEvent::Kind::kConnected:
        handler.OnConnected();
        break;
      case LinkEvent::Kind::kDisconnected:
        if (losses_wanted) handler.OnDisconnected();
        break;
      case LinkEvent::Kind::kTaken:
        handler.OnAnswered(true);
        break;
      case LinkEvent::Kind::kRefused:
        handler.OnAnswered(false);
        break;
      case LinkEvent::Kind::kNobodyListens:
        handler.OnNobodyListens();
        break;
      case LinkEvent::Kind::kUnsubscribed:
        handler.OnUnsubscribed();
        break;
      case LinkEvent::Kind::kMessage:
        handler.OnMessage({event.topic, event.payload, event.response_topic});
        if (event.payload.capacity() > kMostKept) std::vector<std::byte>().swap(event.payload);
        break;
    }
  }
  count_ = 0;
}

}  // namespace fogline
