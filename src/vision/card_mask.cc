#include "vision/card_mask.h"

#include <fmt/format.h>

#include "vision/findings.h"
#include "vision/mask_head.h"

namespace fogline {

void ReadMaskRules(CardReader& output, std::span<const Port> outputs, ModelCard& card) {
  const Port& port = outputs[card.output_index];
  MaskRules& rules = card.mask;
  const bool may_guess = !card.kind_said && card.kind == ModelCard::Kind::kOther &&
                         (outputs.size() == 1 || output.Find("tensor") != nullptr);
  output.OneOf<std::optional<bool>>("channels", {{"first", false}, {"last", true}},
                                    rules.channels_last);
  if (card.kind != ModelCard::Kind::kMask) {
    if (output.Find("channels") != nullptr) {
      return output.Wrong("kind", "\"mask\" where 'channels' is said");
    }
    if (!may_guess || !LooksLikeMask(port, card)) return;
    card.kind = ModelCard::Kind::kMask;
    rules.guessed = true;
  }
  output.OneOf<std::optional<bool>>("scores", {{"logits", true}, {"probabilities", false}},
                                    rules.logits);
  output.Number("least_score", 0, 1, rules.least_score);
  if (port.shape.rank() == 0 || !port.shape.IsStatic()) return;  // nobody knows yet
  const auto head = FindMaskHead(port, card);
  if (!head) {
    return output.Set(fmt::format("'output.kind' is \"mask\", and '{}' is {} {}: masks are {}",
                                  port.name, DTypeName(port.dtype), port.shape.ToString(),
                                  ShapesOfMasks()));
  }
  if (head->classes == 0 || card.labels.empty() || head->classes == card.labels.size()) return;
  output.Set(fmt::format("'output.labels' are {}, and the mask '{}' {} tells {} classes apart",
                         card.labels.size(), port.name, port.shape.ToString(), head->classes));
}

void ReadNumberRules(CardReader& output, std::span<const Port> outputs, ModelCard& card) {
  const Toml* node = output.Find("units");
  if (node != nullptr) {
    if (card.kind != ModelCard::Kind::kNumbers) {
      return output.Wrong("kind", "\"numbers\" where 'units' are said");
    }
    const size_t count = node->is_list() ? node->list().size() : 1;
    for (size_t i = 0; i < count; ++i) {
      const auto unit = (node->is_list() ? node->list()[i] : *node).text();
      if (!unit) return output.Wrong("units", "a text, or a list of one for each of 'labels'");
      card.units.push_back(*unit);
    }
    if (count != 1 && count != card.labels.size()) {
      return output.Wrong("units", "a text, or a list of one for each of 'labels'");
    }
  }
  if (card.kind != ModelCard::Kind::kNumbers) return;
  const Port& port = outputs[card.output_index];
  size_t texts = 0;
  for (size_t i = 0; i < card.labels.size(); ++i) {
    texts += FoundText(card.labels[i]).size();
    if (!card.units.empty()) texts += FoundText(card.units[card.units.size() == 1 ? 0 : i]).size();
  }
  const auto elements = port.shape.Elements().value_or(0);
  const auto count = static_cast<size_t>(port.shape.rank() > 1 ? elements / card.batch : elements);
  if (count > kMaxNumbers || card.labels.size() > kMaxNumbers || texts > kMaxNumberTexts) {
    return output.Set(fmt::format(
        "'{}' {} has more numbers (or longer names) than the {} that are told: say kind = \"raw\"",
        port.name, port.shape.ToString(), kMaxNumbers));
  }
  const bool known = port.shape.rank() > 0 && port.shape.IsStatic();
  if (known && !card.labels.empty() && card.labels.size() != count) {
    output.Set(fmt::format("'output.labels' are {}, and '{}' {} has {} numbers", card.labels.size(),
                           port.name, port.shape.ToString(), count));
  }
}

}  // namespace fogline
