#include "learn/card_text.h"

#include <fmt/format.h>

#include <array>

#include "base/text.h"
#include "vision/card_exits.h"

namespace fogline {
namespace {

/// JSON's escapes are TOML's too; DEL, which TOML wants escaped, JSON leaves alone.
std::string Quote(const std::string& text) {
  std::string quoted = JsonQuote(text);
  for (size_t at = 0; (at = quoted.find('\x7f', at)) != std::string::npos;) {
    quoted.replace(at, 1, "\\u007F");
  }
  return quoted;
}

std::string Numbers(const std::array<float, 4>& v, int channels) {
  // TOML's numbers keep a point, so that they stay floating-point for every reader.
  std::string text;
  for (size_t c = 0; c < static_cast<size_t>(channels); ++c) {
    text += fmt::format("{}{:#}", c == 0 ? "[" : ", ", v[c]);
  }
  return text + "]";
}

std::string ExitText(const EarlyExit& exit) {
  return "\n[[exit]]\nat = " + Quote(exit.at) + "\nhead = " + Quote(exit.head) +
         "\nnetwork = " + Quote(exit.network) + "\nmeasured_on = " + Quote(exit.measured_on) +
         "\n" + CountedText(exit);
}

const char* ColorWord(ModelCard::Color color) {
  static constexpr const char* kWords[] = {"rgb", "bgr", "grey", "grey709"};
  return kWords[static_cast<size_t>(color)];
}

const char* CropWord(ModelCard::Crop crop) {
  static constexpr std::array kWords = {"squash", "center", "letterbox"};
  return kWords[static_cast<size_t>(crop)];
}

}  // namespace

std::string CardText(const ModelCard& card, const std::vector<std::string>& notes) {
  std::string text;
  for (const std::string& note : notes) text += "# " + Printable(note) + "\n";
  text += "\nname = " + Quote(card.name) + "\ndescription = " + Quote(card.description) + "\n";
  text += "\n[input]\ntensor = " + Quote(card.input) + "\n";
  text += card.width == card.height ? fmt::format("size = {}\n", card.width)
                                    : fmt::format("size = [{}, {}]\n", card.height, card.width);
  text += fmt::format("color = \"{}\"\n", ColorWord(card.color));
  text += "mean = " + Numbers(card.mean, card.channels) +
          "\nstd = " + Numbers(card.std, card.channels) + "\n";
  text += fmt::format("crop = \"{}\"\n", CropWord(card.crop));
  if (card.crop == ModelCard::Crop::kLetterbox) {
    text += fmt::format("pad = {}\nanchor = \"{}\"\n", card.pad,
                        card.anchor == ModelCard::Anchor::kCenter ? "center" : "corner");
  }
  text += fmt::format("crop_fraction = {:#}\n", card.crop_fraction);
  text += "\n[output]\ntensor = " + Quote(card.output) + "\n";
  text += fmt::format("kind = \"{}\"\n", card.kind == ModelCard::Kind::kLogits ? "logits"
                                         : card.kind == ModelCard::Kind::kProbabilities
                                             ? "probabilities"
                                             : "raw");
  if (!card.labels.empty()) {
    text += "labels = [";
    for (size_t i = 0; i < card.labels.size(); ++i) {
      text += (i == 0 ? "" : ", ") + Quote(card.labels[i]);
    }
    text += "]\n";
  }
  if (card.positive >= 0) {
    text += "positive = " + Quote(card.LabelOf(card.positive)) + "\n";
    text += fmt::format("threshold = {:#}\n", card.threshold);
  }
  if (card.top > 0) text += fmt::format("top = {}\n", card.top);
  for (const EarlyExit& exit : card.exits) text += ExitText(exit);
  return text;
}

}  // namespace fogline
