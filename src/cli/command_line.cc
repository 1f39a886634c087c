#include "cli/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <limits>
#include <map>
#include <sstream>

#include "base/text.h"
#include "report/table.h"

namespace fogline::cli {
namespace {

constexpr const char* kSize = "SIZE";

constexpr double kSlowest = 1e-6;  // pictures a second: one in eleven days

/// NaN for what is no number.
double Read(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole ? value : std::numeric_limits<double>::quiet_NaN();
}

std::string Refusal(const std::string& text, double low, double high) {
  return fmt::format("{} is no number from {} to {}", text, low, high);
}

/// Limits from here on are none for people.
constexpr auto kNoLimit = 1'000'000'000;

/// What stands in --help for a number with limits; in ASCII, since columns are counted in bytes.
template <typename Number>
std::string LimitsText(Number low, Number high) {
  return high >= static_cast<Number>(kNoLimit) ? fmt::format("{}..", low)
                                               : fmt::format("{}..{}", low, high);
}

/// Words to choose from, as --help shows them.
std::string ChoiceText(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, "|"));
}

/// "A", "A and B", "A, B and C".
std::string Listed(const std::vector<std::string>& names) {
  std::string text;
  for (size_t i = 0; i < names.size(); ++i) {
    text += i == 0 ? "" : i + 1 == names.size() ? " and " : ", ";
    text += names[i];
  }
  return text;
}

/// All that the chosen command needs and was not given.
std::string Missing(const CLI::App& app) {
  const CLI::App* command = &app;
  std::string path = "fogline";
  for (auto below = command->get_subcommands(); !below.empty();
       below = command->get_subcommands()) {
    command = below.front();
    path += " " + command->get_name();
  }
  std::vector<std::string> missing;
  for (const CLI::Option* option : command->get_options()) {
    if (option->get_required() && option->count() == 0) {
      missing.push_back(option->get_positional() ? option->get_name(true)
                                                 : "--" + option->get_lnames().front());
    }
  }
  if (missing.empty()) return {};
  return fmt::format("{} {} required; '{} --help' has examples", Listed(missing),
                     missing.size() == 1 ? "is" : "are", path);
}

/// CLI11 answers an unknown word with "the following argument was not expected"; name the nearest
/// one instead.
std::string Suggest(const CLI::App& app, int argc, char** argv) {
  const CLI::App* command = &app;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    std::vector<std::string> names;
    if (word.starts_with("--")) {
      for (const CLI::Option* option : command->get_options()) {
        for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
      }
      const std::string flag = word.substr(0, word.find('='));
      if (std::find(names.begin(), names.end(), flag) == names.end()) {
        return "unknown flag " + flag + DidYouMean(flag, names);
      }
    } else if (const auto subs = command->get_subcommands({}); !subs.empty()) {
      for (const CLI::App* sub : subs) names.push_back(sub->get_name());
      const auto named = std::find(names.begin(), names.end(), word);
      if (named == names.end()) return "unknown command '" + word + "'" + DidYouMean(word, names);
      command = subs[static_cast<size_t>(named - names.begin())];
    }
  }
  return {};
}

}  // namespace

Option Option::Required() { return Option(option_->required()); }
Option Option::Type(const std::string& name) { return Option(option_->type_name(name)); }
Option Option::Group(const std::string& heading) { return Option(option_->group(heading)); }
Option Option::Env(const std::string& variable) { return Option(option_->envname(variable)); }
Option Option::ShowDefault() { return Option(option_->capture_default_str()); }
Option Option::ShowDefault(const std::string& text) { return Option(option_->default_str(text)); }
Option Option::Delimiter(char delimiter) { return Option(option_->delimiter(delimiter)); }

Option Option::OneOf(std::initializer_list<const char*> words) {
  const std::vector<std::string> known(words.begin(), words.end());
  return Option(option_->check(CLI::IsMember(known).description(""))).Type(ChoiceText(known));
}

Option Option::Range(int low, int high) {
  return Option(option_->check(CLI::Range(low, high).description(""))).Type(LimitsText(low, high));
}

Option Option::Range(uint64_t low, uint64_t high) {
  option_->check(CLI::Range(low, high).description(""));
  const bool size = option_->get_type_name() == kSize;
  return size ? *this : Type(LimitsText(low, high));
}

Option Option::Within(double low, double high) {
  return Option(option_->check(CLI::Validator(
                    [low, high](std::string& text) {
                      const double value = Read(text);  // written so that NaN fails
                      return value >= low && value <= high ? std::string()
                                                           : Refusal(text, low, high);
                    },
                    "", "WITHIN")))
      .Type(LimitsText(low, high));
}

Option Option::NotNegative() {
  return Option(option_->check(CLI::Validator(CLI::NonNegativeNumber).description("")));
}

Option Option::RateUpTo(double high) {
  return Option(option_->check(CLI::Validator(
                    [high](std::string& text) {
                      const double value = Read(text);
                      return value == 0 || (value >= kSlowest && value <= high)
                                 ? std::string()
                                 : Refusal(text, kSlowest, high);
                    },
                    "", "RATE")))
      .Type(LimitsText(0, static_cast<int>(high)));
}

Option Option::Size() {
  return Option(option_->transform(CLI::AsSizeValue(true).description(""))).Type(kSize);
}

Option Command::Add(const std::string& name, std::string& into, const std::string& help) {
  return Option(command_->add_option(name, into, help));
}
Option Command::Add(const std::string& name, std::filesystem::path& into, const std::string& help) {
  return Option(command_->add_option(name, into, help));
}
Option Command::Add(const std::string& name, int& into, const std::string& help) {
  return Option(command_->add_option(name, into, help));
}
Option Command::Add(const std::string& name, uint16_t& into, const std::string& help) {
  return Option(command_->add_option(name, into, help));
}
Option Command::Add(const std::string& name, uint64_t& into, const std::string& help) {
  return Option(command_->add_option(name, into, help));
}
Option Command::Add(const std::string& name, double& into, const std::string& help) {
  return Option(command_->add_option(name, into, help));
}
Option Command::Add(const std::string& name, std::optional<double>& into, const std::string& help) {
  return Option(command_->add_option(name, into, help));
}
Option Command::Add(const std::string& name, std::vector<std::string>& into,
                    const std::string& help) {
  return Option(command_->add_option(name, into, help));
}
Option Command::Add(const std::string& name, std::vector<int>& into, const std::string& help) {
  return Option(command_->add_option(name, into, help));
}

Option Command::AddFlag(const std::string& name, bool& into, const std::string& help) {
  return Option(command_->add_flag(name, into, help));
}

Option Command::AddDuration(const std::string& name, Nanos& into, Nanos unit, double low,
                            double high, const std::string& help) {
  const auto read = [&into, unit](double units) {
    into = Nanos(static_cast<int64_t>(units * static_cast<double>(unit.count())));
  };
  return Option(command_->add_option_function<double>(name, read, help))
      .Within(low, high)
      .Type("NUMBER");
}

Option Command::AddNumbered(const std::string& name, std::function<void(int)> into,
                            const std::vector<std::pair<std::string, int>>& words,
                            const std::string& help) {
  const auto read = [name, into = std::move(into), words](int number) {
    if (std::ranges::find(words, number, &std::pair<std::string, int>::second) == words.end()) {
      throw CLI::ConversionError(name, std::vector<std::string>{std::to_string(number)});
    }
    into(number);
  };
  const std::map<std::string, int> numbers(words.begin(), words.end());
  std::vector<std::string> names;
  for (const auto& [word, number] : words) names.push_back(word);
  return Option(command_->add_option_function<int>(name, read, help)
                    ->transform(CLI::Transformer(numbers).description(""))
                    ->type_name(ChoiceText(names)));
}

Command& Command::Example(const std::string& words, const std::string& about) {
  const std::string before = command_->get_footer();
  command_->footer((before.empty() ? "Examples:" : before) + "\n  " + words + "\n      " + about);
  return *this;
}

Command Command::AddCommand(const std::string& name, const std::string& about) {
  command_->require_subcommand(1);
  return Command(command_->add_subcommand(name, about));
}

void Command::WhenChosen(std::function<void()> action) { command_->callback(std::move(action)); }

CommandLine::CommandLine(const std::string& program, const std::string& about,
                         const std::string& version)
    : app_(std::make_unique<CLI::App>(about)) {
  app_->name(program);
  app_->set_version_flag("--version", version);
  app_->require_subcommand(1);
  const size_t columns = StdoutStyle().width;
  app_->get_formatter()->column_width(columns > 0 && columns < 100 ? 28 : 34);
}

CommandLine::~CommandLine() = default;

Command CommandLine::Add(const std::string& name, const std::string& about) {
  return Command(app_->add_subcommand(name, about));
}

Result<std::optional<int>> CommandLine::Parse(int argc, char** argv) {
  const size_t columns = StdoutStyle().width;
  if (argc == 1 && !welcome_.empty()) {
    fmt::print("{}", FitLines(welcome_, columns));
    return 0;
  }
  try {
    app_->parse(argc, argv);
  } catch (const CLI::Success& e) {
    std::ostringstream help;  // of --help and --version
    const int status = app_->exit(e, help);
    fmt::print("{}", FitLines(help.str(), columns));
    return status;
  } catch (const CLI::ParseError& e) {
    std::string better;
    const bool required = dynamic_cast<const CLI::RequiredError*>(&e) != nullptr;
    if (required || dynamic_cast<const CLI::ExtrasError*>(&e) != nullptr) {
      better = Suggest(*app_, argc, argv);
    }
    if (required && better.empty()) better = Missing(*app_);
    return Fail(ErrorCode::kUsage, "", "{}", better.empty() ? e.what() : better.c_str());
  }
  return std::nullopt;
}

}  // namespace fogline::cli
