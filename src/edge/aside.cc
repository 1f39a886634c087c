#include "edge/aside.h"

#include <algorithm>

namespace fogline {

Nanos Aside::Patience(int times) const {
  return std::min(most_, patience_ * (int64_t{1} << std::clamp(times - 1, 0, 20)));
}

bool Aside::Waits(const FrameNeeds& needs) const {
  const auto group = groups_.find(needs);
  return group != groups_.end() && group->second.waits;
}

void Aside::Add(const FrameNeeds& needs, SpoolPlace place) {
  groups_[needs].fresh.push_back(place);
  ++count_;
}

bool Aside::NotNow(const FrameNeeds& needs, SpoolPlace place, int times, Nanos now) {
  Group& group = groups_[needs];
  // The first time it speaks for all, later only for itself.
  const bool news = !group.waits && times == 1;
  if (news) group.waits = true;
  if (news || group.asker == place) {
    group.asker.reset();
    group.ask_at = now + Patience(++group.refusals);
  }
  group.told.push_back({needs, place, times, now + Patience(times)});
  ++count_;
  return news;
}

bool Aside::Taken(const FrameNeeds& needs) {
  const auto found = groups_.find(needs);
  if (found == groups_.end()) return false;
  Group& group = found->second;
  const bool news = group.waits;
  if (news) {
    for (Asked& asked : group.told) asked.due = Nanos(0);
  }
  group.waits = false;
  group.refusals = 0;
  group.asker.reset();
  if (group.empty()) groups_.erase(found);
  return news;
}

std::optional<Aside::Asked> Aside::NextOf(const FrameNeeds& needs, Group& group, Nanos now) {
  if (group.waits && (group.asker || now < group.ask_at)) return std::nullopt;
  std::optional<Asked> next;
  if (!group.fresh.empty()) {
    next = Asked{needs, group.fresh.front(), 0, Nanos(0)};
    group.fresh.pop_front();
  } else {
    // Who asks for all need not be due by itself.
    const auto due = std::ranges::find_if(
        group.told, [&](const Asked& asked) { return group.waits || asked.due <= now; });
    if (due == group.told.end()) return std::nullopt;
    next = *due;
    group.told.erase(due);
  }
  if (group.waits) group.asker = next->place;
  --count_;
  return next;
}

std::optional<Aside::Asked> Aside::Next(Nanos now) {
  for (auto group = groups_.begin(); group != groups_.end(); ++group) {
    auto next = NextOf(group->first, group->second, now);
    if (!next) continue;
    if (group->second.empty() && !group->second.waits) groups_.erase(group);
    return next;
  }
  return std::nullopt;
}

void Aside::Gone(const FrameNeeds& needs, SpoolPlace place, Nanos now) {
  const auto group = groups_.find(needs);
  if (group == groups_.end() || group->second.asker != place) return;
  group->second.asker.reset();
  group->second.ask_at = now;
}

void Aside::PutBack(Asked asked, Nanos now) {
  Group& group = groups_[asked.needs];
  if (group.asker == asked.place) {
    group.asker.reset();
    group.ask_at = now + patience_;
  }
  asked.due = now + patience_;
  group.told.push_back(asked);
  ++count_;
}

std::optional<Nanos> Aside::Deadline() const {
  std::optional<Nanos> earliest;
  const auto consider = [&](Nanos due) { earliest = std::min(earliest.value_or(due), due); };
  for (const auto& [needs, group] : groups_) {
    if (group.empty() || group.asker) continue;
    if (group.waits) {
      consider(group.ask_at);
    } else if (!group.fresh.empty()) {
      consider(Nanos(0));
    } else {
      for (const Asked& asked : group.told) consider(asked.due);
    }
  }
  return earliest;
}

void Aside::AskSoon(Nanos now) {
  for (auto& [needs, group] : groups_) {
    group.ask_at = std::min(group.ask_at, now);
    for (Asked& asked : group.told) asked.due = std::min(asked.due, now);
  }
}

}  // namespace fogline
