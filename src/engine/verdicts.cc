#include "engine/verdicts.h"

#include <array>
#include <fstream>

#include "base/file.h"
#include "base/log.h"
#include "base/paths.h"

namespace fogline {
namespace {

constexpr uint64_t kMostBytes = 1 << 20;  // some 14,000 lines; then it begins anew
constexpr std::string_view kDied = "died", kFell = "fell ";

}  // namespace

Verdicts::Verdicts(std::filesystem::path file) : file_(std::move(file)) {
  if (file_.empty() || BytesOf(file_) > kMostBytes) return;
  const auto text = ReadTextFile(file_);
  if (!text) return;
  std::string_view rest = *text;
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    if (end == rest.npos) return;  // the end of a line that is being written
    ReadLine(rest.substr(0, end));
    rest.remove_prefix(end + 1);
  }
}

/// "HASH LEVEL", "HASH died" or "HASH fell LEVEL"; another line is passed over.
void Verdicts::ReadLine(std::string_view line) {
  const size_t space = line.find(' ');
  if (space == line.npos || !ParseSha256(line.substr(0, space))) return;
  const std::string_view word = line.substr(space + 1);
  Verdict& verdict = verdicts_[std::string(line.substr(0, space))];
  if (word == kDied) ++verdict.deaths;
  if (word.starts_with(kFell)) {
    verdict.fell = true;
    if (word.substr(kFell.size()) == LevelName(Level::kNone)) verdict.deaths = 2;
  }
  for (const Level level : kLevels) {
    if (word == LevelName(level)) verdict.level = level;
  }
  // Whatever another process found before or after: it did not see the fall.
  if (verdict.fell) verdict.level = Level::kNone;
}

Verdicts::Verdict Verdicts::Find(const Sha256& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = verdicts_.find(ToHex(key));
  return found == verdicts_.end() ? Verdict{} : found->second;
}

void Verdicts::AddSurvived(const Sha256& key, Level level) {
  const std::lock_guard lock(mutex_);
  verdicts_[ToHex(key)].level = level;
  Append(ToHex(key) + " " + std::string(LevelName(level)));
}

int Verdicts::AddDeath(const Sha256& key) {
  const std::lock_guard lock(mutex_);
  Append(ToHex(key) + " " + std::string(kDied));
  return ++verdicts_[ToHex(key)].deaths;
}

std::string Verdicts::LineOfFall(const Sha256& key, Level level) {
  return ToHex(key) + " " + std::string(kFell) + std::string(LevelName(level)) + "\n";
}

void Verdicts::Append(const std::string& line) const {
  if (file_.empty() || !MakeFolders(file_.parent_path())) return;
  const bool full = BytesOf(file_) > kMostBytes;
  // One write to the end: lines of several processes do not mix.
  std::ofstream out(file_, full ? std::ios::trunc : std::ios::app);
  out << (line + "\n") << std::flush;
  if (!out) LogDebug("{}: cannot be written", file_.string());
}

}  // namespace fogline
