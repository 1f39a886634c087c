#include "edge/steering.h"

#include <algorithm>
#include <cmath>

namespace fogline {
namespace {

std::vector<PricedRoute> PricesOf(const SteeringRules& rules) {
  std::vector<PricedRoute> prices;
  for (const PolicyWay& way : rules.ways) prices.push_back(way.price);
  return prices;
}

}  // namespace

Steering::Steering(const SteeringRules& rules) : rules_(rules), last_(rules.usual) {
  if (!rules.ways.empty()) chooser_.emplace(PricesOf(rules));
}

Choice Steering::Choose(const Observed& seen) {
  const bool late = rules_.deadline > Nanos(0) && seen.age > rules_.deadline;
  if (rules_.latest && late) return {};
  const bool alone = rules_.local && seen.silence > rules_.fallback;
  Choice choice;
  choice.alone = alone;
  if (alone) {
    choice.route = rules_.local;
  } else if (chooser_) {
    const RouteChooser::Pick pick = chooser_->Next(Millis(seen.now));
    choice.route = rules_.ways[pick.route].route;
    choice.probe = pick.probe;
    choice.ticket = pick.ticket;
  } else {
    choice.route = rules_.usual;
  }
  choice.changed = *choice.route != last_;
  last_ = *choice.route;
  return choice;
}

void Steering::Worked(const Choice& choice, double edge_ms) {
  if (choice.ticket == 0) return;
  const auto way = std::ranges::find(rules_.ways, *choice.route, &PolicyWay::route);
  chooser_->Worked(static_cast<size_t>(way - rules_.ways.begin()), edge_ms);
}

void Steering::Sent(const Choice& choice, Nanos now, bool left) {
  if (choice.ticket != 0) chooser_->Sent(choice.ticket, Millis(now), left);
}

void Steering::Lost(const Choice& choice) {
  if (choice.ticket != 0) chooser_->Lost(choice.ticket);
}

void Steering::Heard(const Delivery& delivery) {
  if (!chooser_ || delivery.ticket == 0) return;
  RouteChooser::Answer answer;
  answer.ticket = delivery.ticket;
  answer.bytes = static_cast<double>(delivery.bytes);
  answer.sent_ms = Millis(delivery.sent);
  answer.answered_ms = Millis(delivery.answered);
  const float network = delivery.stages.network;
  if (!std::isnan(network)) answer.network_ms = static_cast<double>(network);
  answer.cloud_ms = delivery.cloud_ms;
  chooser_->Heard(answer);
}

}  // namespace fogline
