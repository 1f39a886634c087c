// The words behind `fogline`: its commands, their flags, and reading them. CLI11 stands behind it,
// and command_line.cc alone compiles that: the files of the commands only name their flags.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace fogline::cli {

/// One flag or argument, to say more of it. A handle: it lives no longer than the command line.
class Option {
 public:
  explicit Option(CLI::Option* option) : option_(option) {}

  Option Required();
  /// What stands for its value in --help, as FILE.
  Option Type(const std::string& name);
  /// The heading in --help that it stands under.
  Option Group(const std::string& heading);
  /// The variable of the environment that it is taken from where it is not given.
  Option Env(const std::string& variable);
  /// Shows in --help what its variable holds now, or `text`.
  Option ShowDefault();
  Option ShowDefault(const std::string& text);
  /// What parts the values of a list, beside spaces.
  Option Delimiter(char delimiter);

  // What is taken. All else is refused with a line that names the flag.
  Option OneOf(std::initializer_list<const char*> words);
  Option Range(int low, int high);
  Option Range(uint64_t low, uint64_t high);
  /// A number from `low` to `high`; unlike ranges of others, NaN is none.
  Option Within(double low, double high);
  Option NotNegative();
  /// So many pictures or frames a second, at most `high`; 0 stands for no limit. What is nearly 0
  /// would wait for centuries and is refused.
  Option RateUpTo(double high);
  /// A size, as 20GB or 64MiB, that becomes bytes.
  Option Size();

 private:
  CLI::Option* option_;
};

/// One command. A handle, as Option. A name with dashes is a flag, one without an argument. The
/// variables hold the defaults, and must live as long as the command line.
class Command {
 public:
  explicit Command(CLI::App* command) : command_(command) {}

  Option Add(const std::string& name, std::string& into, const std::string& help);
  Option Add(const std::string& name, std::filesystem::path& into, const std::string& help);
  Option Add(const std::string& name, int& into, const std::string& help);
  Option Add(const std::string& name, uint16_t& into, const std::string& help);
  Option Add(const std::string& name, uint64_t& into, const std::string& help);
  Option Add(const std::string& name, double& into, const std::string& help);
  Option Add(const std::string& name, std::optional<double>& into, const std::string& help);
  Option Add(const std::string& name, std::vector<std::string>& into, const std::string& help);
  Option Add(const std::string& name, std::vector<int>& into, const std::string& help);
  /// A flag without a value.
  Option AddFlag(const std::string& name, bool& into, const std::string& help);
  /// A number of `unit`s (std::chrono::seconds(1), …) that becomes a duration, from `low` to `high`
  /// units.
  Option AddDuration(const std::string& name, Nanos& into, Nanos unit, double low, double high,
                     const std::string& help);
  /// A word that stands for a value of an enumeration, or of a bool.
  template <typename E>
  Option AddChoice(const std::string& name, E& into,
                   const std::vector<std::pair<std::string, E>>& words, const std::string& help) {
    std::vector<std::pair<std::string, int>> numbers;
    for (const auto& [word, value] : words) numbers.emplace_back(word, static_cast<int>(value));
    return AddNumbered(
        name, [&into](int number) { into = static_cast<E>(number); }, numbers, help);
  }

  /// What people type, shown at the end of --help, and what that does; one after the other.
  Command& Example(const std::string& words, const std::string& about);

  /// A command below this one, which then stands for nothing alone.
  Command AddCommand(const std::string& name, const std::string& about);

  /// What happens once the command was chosen and its flags were read.
  void WhenChosen(std::function<void()> action);

 private:
  Option AddNumbered(const std::string& name, std::function<void(int)> into,
                     const std::vector<std::pair<std::string, int>>& words,
                     const std::string& help);

  CLI::App* command_;
};

/// The whole command line.
class CommandLine {
 public:
  CommandLine(const std::string& program, const std::string& about, const std::string& version);
  ~CommandLine();

  Command Add(const std::string& name, const std::string& about);

  /// What is printed where the program is called without a word.
  void Welcome(const std::string& text) { welcome_ = text; }

  /// Reads the program's words into the variables of the command that they choose; prints --help
  /// and --version, and then gives the status to exit with. Errors: kUsage, in one line that names
  /// the nearest word for one that is unknown, and all that is missing.
  Result<std::optional<int>> Parse(int argc, char** argv);

 private:
  std::unique_ptr<CLI::App> app_;
  std::string welcome_;
};

}  // namespace fogline::cli
