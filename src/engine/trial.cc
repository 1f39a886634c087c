#include "engine/trial.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <utility>

#include "base/descriptor.h"
#include "base/file.h"
#include "base/log.h"
#include "base/paths.h"
#include "base/process.h"
#include "base/text.h"
#include "engine/session.h"
#include "engine/verdicts.h"
#include "graph/model_name.h"

namespace fogline {
namespace {

constexpr int kMostDeaths = 2;

struct Trials {
  explicit Trials(TrialOptions given)
      : options(std::move(given)), verdicts(options.program.empty() ? "" : options.memory) {}
  const TrialOptions options;
  Verdicts verdicts;
};

std::mutex trials_mutex;
std::shared_ptr<Trials> trials;  // under trials_mutex; null: none

std::vector<std::byte> AsBytes(const std::string& text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

/// The question's words for the child, behind level and source.
std::vector<std::string> Question(const Tried& tried) {
  std::vector<std::string> words{tried.run ? "run" : "open"};
  if (!tried.provider.name.empty()) {
    words.insert(words.end(), {kOnProvider, tried.provider.ToString(), tried.provider.cache});
  }
  for (const auto& [name, input] : tried.inputs) {
    words.push_back(fmt::format("{}={}{}{}", name, input.shape.ToString(),
                                input.values.empty() ? "" : ":", fmt::join(input.values, ",")));
  }
  return words;
}

Sha256 ContentOf(const Tried& tried) {
  if (tried.path.empty()) return HashSha256(tried.bytes);
  const auto file = MappedFile::Open(tried.path);
  if (!file) return {};
  const auto name = NameModel(file->bytes(), tried.path.parent_path(), tried.path.string());
  return name ? name->hash : HashSha256(file->bytes());
}

/// All that a verdict depends on.
Sha256 KeyOf(const Tried& tried, Level fastest) {
  std::string text = ToHex(ContentOf(tried)) + "\n" + EngineName() + "\n";
  text += LevelName(fastest);
  for (const std::string& word : Question(tried)) text += "\n" + word;
  return HashSha256(AsBytes(text));
}

/// The network's bytes as a file without a name, for the child's stdin; -1 for one in a file.
class BytesAsFile {
 public:
  static Result<BytesAsFile> Make(const Tried& tried) {
    BytesAsFile file;
    if (!tried.path.empty()) return file;
    file.file_ = Descriptor(memfd_create("fogline-trial", MFD_CLOEXEC));
    if (!file.file_) return Fail(ErrorCode::kExhausted, tried.where, "no file to try it");
    for (size_t done = 0; done < tried.bytes.size();) {
      const ssize_t n = write(file.fd(), tried.bytes.data() + done, tried.bytes.size() - done);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return Fail(ErrorCode::kExhausted, tried.where, "no memory to try it");
      done += static_cast<size_t>(n);
    }
    return file;
  }
  int fd() const { return file_.get(); }

 private:
  BytesAsFile() = default;
  Descriptor file_;
};

/// What became of a child.
struct Outcome {
  enum { kSurvived, kExhausted, kDied } kind = kDied;
  std::string why;  // of a death
};

/// The last line that is not one of ours: what the engine said before it died.
std::string LastWords(const std::string& said) {
  std::string last;
  size_t at = 0;
  while (at < said.size()) {
    const size_t end = std::min(said.find('\n', at), said.size());
    std::string line = said.substr(at, end - at);
    if (!line.empty() && line != "trying") last = std::move(line);
    at = end + 1;
  }
  constexpr size_t kMost = 300;
  if (last.size() > kMost) last.resize(kMost);
  return last.empty() ? "" : ": " + Printable(last);
}

Result<Outcome> RunChild(const TrialOptions& options, const Tried& tried, int bytes, Level level) {
  Process::Options start{
      .command = options.program, .capture_stdout = true, .stderr_to = {}, .stdin_fd = bytes};
  start.command.emplace_back(LevelName(level));
  start.command.push_back(tried.path.empty() ? "-" : Absolute(tried.path).string());
  for (std::string& word : Question(tried)) start.command.push_back(std::move(word));
  FOGLINE_TRY(Process child, Process::Start(start));
  // Providers that compile a network take minutes over it the first time.
  const auto at_most = tried.provider.name.empty() ? options.at_most : 5 * options.at_most;
  const auto said = child.ReadStdout(at_most);
  if (!said) {
    child.Signal(SIGKILL);
    child.Wait();
    if (said.error().code == ErrorCode::kCancelled) return tl::unexpected<Error>(said.error());
    return Outcome{Outcome::kDied, fmt::format("does not end within {} s", at_most.count() / 1000)};
  }
  const int status = child.Wait();
  if (said->find("survived\n") != said->npos && status == 0) return Outcome{Outcome::kSurvived, {}};
  const int signal = status > 128 ? status - 128 : 0;
  // The kernel ends so what takes too much memory; the others are somebody's wish, not the
  // network's doing.
  if (signal == SIGKILL || said->find("exhausted\n") != said->npos) {
    return Outcome{Outcome::kExhausted, {}};
  }
  if (signal == SIGTERM || signal == SIGINT || signal == SIGHUP) {
    return Fail(ErrorCode::kCancelled, tried.where, "its trial was ended by signal {} ({})", signal,
                strsignal(signal));
  }
  if (!said->starts_with("trying\n")) {
    return Fail(ErrorCode::kUnavailable, tried.where, "cannot be tried: {} ended with status {}",
                options.program[0], status);
  }
  const std::string end = signal > 0
                              ? fmt::format("ends by signal {} ({})", signal, strsignal(signal))
                              : fmt::format("ends with status {}", status);
  return Outcome{Outcome::kDied, end + LastWords(*said)};
}

bool OnProvider(const Tried& tried) { return !tried.provider.name.empty(); }

std::string EngineOf(const Tried& tried) {
  return EngineName() + (OnProvider(tried) ? " with " + tried.provider.ToString() : "");
}

tl::unexpected<Error> Dead(const Tried& tried, int deaths, const std::string& why) {
  const char* again =
      deaths < kMostDeaths ? "" : "; it died twice, and is not tried again until the file changes";
  return Fail(ErrorCode::kUnavailable, tried.where, "{} dies of it{}{}", EngineOf(tried), why,
              again);
}

/// Should this network end the process in a run at this level.
Epitaph EpitaphOf(const Tried& tried, const Sha256& key, Level level) {
  const char* next = OnProvider(tried)       ? "the CPU runs it from the next start on"
                     : level == Level::kNone ? "it is not run again until the file changes"
                                             : "it is run unoptimised from the next start on";
  return {Verdicts::LineOfFall(key, level),
          fmt::format("fogline: {}: {} died while it ran this network, at its optimisation level "
                      "'{}'; {}\n",
                      tried.where, EngineOf(tried), LevelName(level), next)};
}

}  // namespace

std::string_view LevelName(Level level) {
  static constexpr std::array<std::string_view, 4> kNames{"all", "extended", "basic", "none"};
  return kNames[static_cast<size_t>(level)];
}

void SetTrials(TrialOptions options) {
  if (!options.program.empty()) TellLastWords(options.memory);
  auto made = options.program.empty() ? nullptr : std::make_shared<Trials>(std::move(options));
  const std::lock_guard lock(trials_mutex);
  trials = std::move(made);
}

std::filesystem::path TrialMemory() {
  const auto in = [](const char* variable) {
    const char* value = std::getenv(variable);
    return std::filesystem::path(value == nullptr ? "" : value);
  };
  if (const auto folder = in("CACHE_DIRECTORY"); folder.is_absolute()) return folder / "trials";
  if (const auto folder = in("XDG_CACHE_HOME"); folder.is_absolute())
    return folder / "fogline/trials";
  if (const auto home = in("HOME"); home.is_absolute()) return home / ".cache/fogline/trials";
  return {};
}

Result<Survived> SafeLevel(const Tried& tried, Level fastest) {
  std::shared_ptr<Trials> with;
  {
    const std::lock_guard lock(trials_mutex);
    with = trials;
  }
  if (with == nullptr) return Survived{fastest, {}};
  const Sha256 key = KeyOf(tried, fastest);
  const Verdicts::Verdict known = with->verdicts.Find(key);
  if (known.deaths >= kMostDeaths) return Dead(tried, known.deaths, "");
  // The processor does better than a provider that needs to be spared.
  if (known.fell && OnProvider(tried)) return Dead(tried, 0, ", as an earlier process did");
  if (known.level) return Survived{*known.level, EpitaphOf(tried, key, *known.level)};
  FOGLINE_TRY(const BytesAsFile bytes, BytesAsFile::Make(tried));
  std::string first;
  for (auto level = std::ranges::find(kLevels, fastest); level != kLevels.end(); ++level) {
    FOGLINE_TRY(const Outcome outcome, RunChild(with->options, tried, bytes.fd(), *level));
    if (outcome.kind == Outcome::kExhausted) {
      return Fail(ErrorCode::kExhausted, tried.where, "does not fit into memory");
    }
    if (outcome.kind == Outcome::kSurvived) {
      if (*level != fastest) {
        LogWarning("{}: {} {} at its optimisation level '{}'; it runs at '{}', slower", tried.where,
                   EngineOf(tried), first, LevelName(fastest), LevelName(*level));
      }
      with->verdicts.AddSurvived(key, *level);
      return Survived{*level, EpitaphOf(tried, key, *level)};
    }
    if (first.empty()) first = outcome.why;
    if (OnProvider(tried)) break;
  }
  return Dead(
      tried, with->verdicts.AddDeath(key),
      fmt::format("{}: it {}", OnProvider(tried) ? "" : " at every level of optimisation", first));
}

}  // namespace fogline
