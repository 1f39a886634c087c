#include "vision/card_integers.h"

#include <fmt/format.h>

#include "vision/card.h"
#include "vision/card_reader.h"

namespace fogline {

void ReadIntegers(const Toml& root, const std::string& where, Status& status, ModelCard& card) {
  const Toml& table = root["integers"];
  if (table.is_none()) return;
  CardReader reader(table, "integers.", where, status);
  reader.Known({"of", "agreement", "pictures", "two_fold"});
  IntegersNote note;
  std::string of;
  reader.Text("of", of);
  if (const auto hash = ParseSha256(of)) {
    note.of = *hash;
  } else {
    reader.Wrong("of", "the SHA-256 of the float network's ONNX file, 64 digits of 0…9 and a…f");
  }
  note.agreement = -1;
  reader.Number("agreement", 0, 1, note.agreement);
  if (note.agreement < 0)
    reader.Wrong("agreement", "the share of pictures of which both say the same");
  double pictures = 0;
  reader.Number("pictures", 1, 1e9, pictures);
  if (pictures < 1) reader.Wrong("pictures", "how many it was measured on");
  note.pictures = static_cast<int64_t>(pictures);
  if (const Toml* node = reader.Find("two_fold")) {
    const auto value = node->yes();
    if (!value) reader.Wrong("two_fold", "true or false");
    note.two_fold = value.value_or(false);
  }
  card.integers = std::move(note);
}

std::string IntegersText(const IntegersNote& note) {
  return fmt::format("\n[integers]\nof = \"{}\"\nagreement = {}\npictures = {}\ntwo_fold = {}\n",
                     ToHex(note.of), note.agreement, note.pictures, note.two_fold);
}

}  // namespace fogline
