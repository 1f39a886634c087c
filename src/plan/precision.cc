#include "plan/precision.h"

#include <fmt/format.h>

#include <cmath>

#include "base/hash.h"
#include "plan/ties.h"
#include "plan/words.h"

namespace fogline {
namespace {

/// What the second costs less than the first, and how well that is known.
struct Gain {
  double saved = 0, uncertain = 0;
};

Gain GainOf(const Precision& now, const Precision& other) {
  const Candidate &a = now.best(), &b = other.best();
  return {(a.price - b.price).value(),
          UncertaintyAcross(*now.scenario, a, *other.scenario, b).value()};
}

/// Of verdicts that the network itself changes, more or fewer than the other.
bool ChangesMore(const Precision& a, const Precision& b) {
  return a.scenario->network_agreement < b.scenario->network_agreement;
}

std::string Costs(const Precision& one) {
  const Candidate& c = one.best();
  return fmt::format("{:.4g} {} with {} as {}", c.price.value(), one.scenario->objective.unit(),
                     CutTitle(*one.scenario, c), c.payload.codec);
}

std::string Share(double part, double whole) {
  return whole > 0 ? fmt::format("{:.0f} %", 100 * part / whole) : std::string("?");
}

}  // namespace

Result<double> AgreementOfIntegers(const Network& network, const Network& integers) {
  const auto& note = integers.card.integers;
  const std::string file = integers.path.string();
  if (!note) {
    return Fail(
        ErrorCode::kConflict, file,
        "its card has no [integers]: make it with 'fogline quantize {}', which measures how "
        "well both agree",
        network.path.string());
  }
  if (note->of != network.model.hash()) {
    return Fail(ErrorCode::kConflict, file, "was made from network {}, and {} is {}",
                ToHex(note->of).substr(0, 12), network.path.string(),
                ToHex(network.model.hash()).substr(0, 12));
  }
  return note->agreement;
}

Result<size_t> ChoosePrecision(const std::vector<Precision>& all) {
  std::optional<size_t> chosen;
  for (size_t i = 0; i < all.size(); ++i) {
    if (!all[i].plan) continue;
    if (!chosen) {
      chosen = i;
      continue;
    }
    const Gain gain = GainOf(all[*chosen], all[i]);
    const bool certain = all[i].scenario->strict || !ChangesMore(all[i], all[*chosen]);
    if (gain.saved > (certain ? 0 : gain.uncertain)) chosen = i;
  }
  if (!chosen) return tl::unexpected<Error>(all.front().plan.error());
  return *chosen;
}

std::vector<std::string> PrecisionTexts(const std::vector<Precision>& all, size_t chosen) {
  std::vector<std::string> texts;
  for (size_t i = 1; i < all.size(); ++i) {
    const Precision& one = all[i];
    const std::string head = fmt::format("In integers ({}): ", one.file);
    if (!one.plan) {
      texts.push_back(head + fmt::format("no plan, {}.", one.plan.error().ToString()));
      continue;
    }
    const std::string agrees =
        fmt::format("{:.4g} % of verdicts stay as in float", 100 * one.scenario->network_agreement);
    if (!all.front().plan) {
      texts.push_back(
          head + fmt::format("{}, {}; in float nothing keeps to the limits.", Costs(one), agrees));
      continue;
    }
    const Gain gain = GainOf(all.front(), one);
    const std::string difference =
        fmt::format("{}, {} {} than in float ({})", Costs(one),
                    Share(std::abs(gain.saved), all.front().best().price.value()),
                    gain.saved > 0 ? "less" : "more", Costs(all.front()));
    const char* verdict = chosen == i       ? "taken"
                          : gain.saved <= 0 ? "left"
                          : gain.saved <= gain.uncertain && !one.scenario->strict
                              ? "left: the times are not known that well (--strict takes it)"
                              : "left for one that costs less";
    texts.push_back(head + fmt::format("{}; {}: {}.", difference, agrees, verdict));
  }
  return texts;
}

Json PrecisionJson(const std::vector<Precision>& all, size_t chosen) {
  const std::vector<std::string> texts = PrecisionTexts(all, chosen);
  Json list = Json::array();
  for (size_t i = 0; i < all.size(); ++i) {
    const Precision& one = all[i];
    Json entry{{"file", one.file},
               {"integers", i > 0},
               {"agreement", one.scenario->network_agreement},
               {"chosen", i == chosen}};
    entry["objective"] = one.plan ? Json(one.best().price.value()) : Json();
    entry["text"] = i > 0 ? Json(texts[i - 1]) : Json();
    entry["conflict"] = one.plan ? Json() : Json(one.plan.error().ToString());
    list.push_back(std::move(entry));
  }
  return list;
}

}  // namespace fogline
