// What people see: commands in a pseudo-terminal of a given width, against the screens that are
// kept in tests/cli/screens/. FOGLINE_WRITE_SCREENS=1 writes them anew; look at the difference
// then.
#include <fmt/format.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <regex>
#include <sstream>

#include "report/table.h"
#include "tests/cli/command.h"

namespace fogline {
namespace {

struct Screen {
  int status = -1;
  std::string raw;   // with the escapes that colour it
  std::string text;  // without
};

std::string WithoutColours(const std::string& raw) {
  static const std::regex colour("\x1b\\[[0-9;]*m");
  return std::regex_replace(raw, colour, "");
}

/// Runs `fogline WORDS…` from the source's folder in a terminal of `columns`.
Screen Show(const std::vector<std::string>& words, unsigned short columns) {
  const winsize size{50, columns, 0, 0};
  int master = -1;
  const pid_t pid = forkpty(&master, nullptr, nullptr, &size);
  if (pid == 0) {
    setenv("TERM", "xterm-256color", 1);
    unsetenv("NO_COLOR");
    std::vector<char*> argv{const_cast<char*>(FOGLINE_BINARY)};
    for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    if (chdir(kSource.c_str()) == 0) execv(FOGLINE_BINARY, argv.data());
    _exit(127);
  }
  Screen screen;
  char buffer[4096];
  // A terminal whose last program ended is an error to read from.
  for (ssize_t n = 0; (n = read(master, buffer, sizeof(buffer))) > 0;) {
    screen.raw.append(buffer, static_cast<size_t>(n));
  }
  close(master);
  int status = 0;
  waitpid(pid, &status, 0);
  screen.status = WEXITSTATUS(status);
  std::erase(screen.raw, '\r');
  screen.text = WithoutColours(screen.raw);
  return screen;
}

struct Shown {
  const char* name;
  std::vector<std::string> words;
};
const std::vector<Shown>& Screens() {
  static const std::vector<Shown> screens{
      {"welcome", {}},
      {"plan-help", {"plan", "--help"}},
      {"machines", {"machines", "pi"}},
      {"links", {"links"}},
      {"inspect", {"inspect", "models/litter.onnx"}},
      {"plan",
       {"plan", "models/litter.onnx", "--edge", "raspberry-pi-3b-plus", "--cloud", "t2.micro",
        "--link", "4g"}},
  };
  return screens;
}

/// A command that is there to be copied is not parted.
bool IsCommand(const std::string& line) {
  return line.starts_with("  fogline ") || line.starts_with("  FOGLINE_") ||
         line.starts_with("Usage: ");
}

TEST(Screens, AreAsTheyAreKept) {
  const bool write = std::getenv("FOGLINE_WRITE_SCREENS") != nullptr;
  for (const Shown& shown : Screens()) {
    for (const unsigned short columns : {60, 80, 140}) {
      const Screen screen = Show(shown.words, columns);
      EXPECT_EQ(screen.status, 0) << screen.text;
      const auto kept =
          kSource / "tests/cli/screens" / fmt::format("{}.{}.txt", shown.name, columns);
      if (write) {
        ASSERT_TRUE(WriteFile(kept, screen.text));
      }
      EXPECT_EQ(screen.text, ReadTextFile(kept).value_or("")) << kept;
    }
  }
}

TEST(Screens, NoLineIsWiderThanTheTerminalAndNoEscapeIsShown) {
  for (const Shown& shown : Screens()) {
    for (const unsigned short columns : {60, 70, 80, 100, 140, 200}) {
      const Screen screen = Show(shown.words, columns);
      EXPECT_EQ(screen.text.find('\x1b'), std::string::npos);
      EXPECT_EQ(screen.text.find("\\x1b"), std::string::npos) << screen.text;
      std::istringstream lines(screen.text);
      for (std::string line; std::getline(lines, line);) {
        if (IsCommand(line)) continue;
        EXPECT_LE(Columns(line), columns) << shown.name << ": " << line;
      }
    }
  }
}

TEST(Screens, ThePlansBarsAreColoured) {
  const Shown& plan = Screens()[5];
  const Screen screen = Show(plan.words, 140);
  for (const char* colour : {"\x1b[33m█", "\x1b[34m░", "\x1b[32m▒"}) {
    EXPECT_NE(screen.raw.find(colour), std::string::npos);
  }
  EXPECT_NE(screen.text.find("★"), std::string::npos);
}

// Whoever follows an example meets flags that exist.
TEST(Screens, EveryCommandHasExamplesWithFlagsThatItKnows) {
  const TempDir dir;
  const std::string all = RunCommand({"--help"}, dir.path()).out;
  std::istringstream lines(all.substr(all.find("Subcommands:")));
  std::string line;
  std::getline(lines, line);
  size_t commands = 0;
  const auto check = [&](const std::vector<std::string>& path) {
    auto words = path;
    words.emplace_back("--help");
    const std::string help = RunCommand(words, dir.path()).out;
    const size_t examples = help.find("\nExamples:\n");
    ASSERT_NE(examples, std::string::npos) << help;
    static const std::regex flag("\n  fogline [^\n]*");
    const std::string tail = help.substr(examples);
    for (std::sregex_iterator at(tail.begin(), tail.end(), flag), end; at != end; ++at) {
      std::istringstream example(at->str());
      for (std::string word; example >> word;) {
        if (!word.starts_with("--")) continue;
        EXPECT_NE(help.find("\n  " + word), std::string::npos) << word << " in " << at->str();
      }
    }
    ++commands;
  };
  while (std::getline(lines, line) && line.starts_with("  ")) {
    const std::string name = line.substr(2, line.find(' ', 2) - 2);
    if (name == "store") {
      check({"store", "copy"});
      check({"store", "delete"});
    } else {
      check({name});
    }
  }
  EXPECT_GE(commands, 20U);
}

class WrongWords : public ::testing::Test {
 protected:
  Outcome Run(std::vector<std::string> words) { return RunCommand(std::move(words), dir_.path()); }
  const TempDir dir_;
};

TEST_F(WrongWords, AllThatIsMissingIsToldAtOnce) {
  ExpectOneLine(Run({"plan"}), "MODEL, --edge, --cloud and --link are required", 2);
  ExpectOneLine(Run({"plan", "m.onnx", "--link", "4g"}), "--edge and --cloud are required", 2);
  ExpectOneLine(Run({"inspect"}), "MODEL is required; 'fogline inspect --help' has examples", 2);
  ExpectOneLine(Run({"store", "copy"}), "'fogline store copy --help'", 2);
}

TEST_F(WrongWords, NearNamesOfFilesAreTold) {
  ASSERT_TRUE(WriteFile(dir_.path() / "litter.onnx", "x"));
  ExpectOneLine(Run({"inspect", (dir_.path() / "liter.onnx").string()}),
                "(did you mean 'litter.onnx'?)");
  std::filesystem::create_directory(dir_.path() / "photographs");
  ExpectOneLine(Run({"calibrate", (kSource / "models/litter.onnx").string(), "--images",
                     (dir_.path() / "photograps").string()}),
                "(did you mean 'photographs'?)");
}

TEST_F(WrongWords, MachinesAndLinksAreListed) {
  ExpectOneLine(Run({"machines", "raspbery-pi-4"}), "did you mean");
  const Outcome pis = Run({"machines", "pi 4"});
  EXPECT_THAT(pis.out, HasSubstr("raspberry-pi-4 "));
  EXPECT_THAT(pis.out, Not(HasSubstr("t2.micro")));
  EXPECT_THAT(Run({"links", "LTE"}).out, HasSubstr("4g"));
  ExpectOneLine(Run({"plan", (kSource / "models/litter.onnx").string(), "--edge", "pi", "--cloud",
                     "t2.micro", "--link", "4g"}),
                "'fogline machines' lists them");
}

}  // namespace
}  // namespace fogline
