// The commands that answer questions about a network, as processes: what they print is one JSON
// object whose parts agree with each other, and whatever is wrong is one line.
#include <fmt/format.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "base/npy.h"
#include "graph/test_model.h"
#include "store/store.h"
#include "tests/cli/command.h"

namespace fogline {
namespace {

using Json = nlohmann::json;

const std::string kModel = (kSource / "models/litter.onnx").string();

class Commands : public ::testing::Test {
 protected:
  Outcome Run(std::vector<std::string> words) { return RunCommand(std::move(words), dir_.path()); }
  Json Ask(std::vector<std::string> words) {
    words.push_back("--json");
    const Outcome outcome = Run(words);
    EXPECT_EQ(outcome.status, 0) << outcome.log;
    EXPECT_EQ(std::ranges::count(outcome.out, '\n'), 1);
    return Json::parse(outcome.out, nullptr, false);
  }
  static std::vector<std::string> Plan(std::vector<std::string> more = {}) {
    std::vector<std::string> words = {"plan",    kModel,     "--edge", "jetson-nano",
                                      "--cloud", "t2.micro", "--link", "4g"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  std::string Write(const std::string& name, const std::string& text) {
    EXPECT_TRUE(WriteFile(dir_.path() / name, text));
    return (dir_.path() / name).string();
  }
  /// A page that needs nothing from elsewhere.
  static void ExpectWholePage(const fs::path& file) {
    const std::string page = ReadTextFile(file).value_or("");
    EXPECT_THAT(page, HasSubstr("<svg"));
    EXPECT_THAT(page, Not(HasSubstr("src=\"http")));
    EXPECT_THAT(page, Not(HasSubstr("url(http")));
    EXPECT_THAT(page, Not(HasSubstr("<link")));
  }

  TempDir dir_;
};

TEST_F(Commands, EveryCutOfInspectSharesTheWorkOut) {
  const fs::path page = dir_.path() / "cuts.html";
  const Json answer = Ask({"inspect", kModel, "--html", page.string()});
  int64_t before = -1;
  for (const Json& cut : answer["cuts"]) {
    EXPECT_EQ(cut["edge_madds"].get<int64_t>() + cut["cloud_madds"].get<int64_t>(),
              answer["model"]["madds"].get<int64_t>());
    EXPECT_GE(cut["edge_madds"], before) << cut;
    before = cut["edge_madds"];
  }
  EXPECT_EQ(answer["cuts"].front()["name"], "input");
  EXPECT_EQ(answer["cuts"].back()["cloud_madds"], 0);
  ExpectWholePage(page);
}

TEST_F(Commands, AFileThatGitLfsDidNotFetchSaysSo) {
  const std::string pointer =
      Write("model.onnx", "version https://git-lfs.github.com/spec/v1\noid sha256:4665\nsize 10\n");
  ExpectOneLine(Run({"inspect", pointer}), "git lfs pull", 1);
}

TEST_F(Commands, ACutIsReadAlikeEverywhere) {
  const std::string out = (dir_.path() / "halves").string();
  for (const char* end : {"edge-only", "cloud-only", "0"}) {
    ExpectOneLine(Run({"split", kModel, "--cut", end, "--out", out}), "leaves one side empty", 2);
  }
  ExpectOneLine(Run(Plan({"--not-before", "4711"})), "has no cut 4711", 1);
  ExpectOneLine(Run({"split", kModel, "--cut", "tensor:4711", "--out", out}),
                "has no tensor 'tensor:4711'", 1);
}

TEST_F(Commands, AValueThatIsNoneIsRefusedWithTheFlag) {
  ExpectOneLine(Run({"inspect", kModel, "--value", "big"}), "--value big", 2);
  ExpectOneLine(Run({"inspect", kModel, "--value", "image=red"}), "--value image=red", 2);
  ExpectOneLine(Run({"inspect", kModel, "--value", "imago=1"}), "did you mean 'image'", 2);
}

TEST_F(Commands, CertificatesForALineInTheClearAreRefused) {
  for (const char* flag : {"--ca", "--cert", "--key"}) {
    ExpectOneLine(
        Run({"cloud", "--models", "/a", "--broker", "mqtt://127.0.0.1:1", flag, "/a/file.crt"}),
        "mqtt://127.0.0.1:1: goes in the clear, and --ca, --cert and --key are for TLS: "
        "write mqtts://",
        2);
  }
}

TEST_F(Commands, HalvesOfASplitGiveTheWholesOutput) {
  const fs::path halves = dir_.path() / "halves";
  const Json answer = Ask({"split", kModel, "--cut", "split6", "--out", halves.string()});
  EXPECT_TRUE(answer["bit_identical"]);
  const Json edge = Ask({"inspect", (halves / "edge.onnx").string()});
  const Json whole = Ask({"inspect", kModel, "--shape", "image=1x3x224x224"});
  const std::string suffix = (halves / "cloud.onnx").string();
  ExpectOneLine(Run({"inspect", suffix}), "give --shape block7/project=1x64x", 2);
  const Json cloud = Ask({"inspect", suffix, "--shape", "block7/project=1x64x14x14"});
  EXPECT_EQ(edge["model"]["outputs"], cloud["model"]["inputs"]);
  EXPECT_EQ(edge["model"]["madds"].get<int64_t>() + cloud["model"]["madds"].get<int64_t>(),
            whole["model"]["madds"].get<int64_t>());
}

TEST_F(Commands, APieceGoesOnFromWhatAnotherWrote) {
  Tensor image(DType::kF32, {1, 3, 160, 160});
  for (size_t i = 0; i < image.as<float>().size(); ++i) {
    image.as<float>()[i] = static_cast<float>(i % 255) / 255;
  }
  const fs::path in = dir_.path() / "image.npy";
  ASSERT_TRUE(WriteNpy(in, image.view()));
  const auto out = [&](const char* name) { return (dir_.path() / name).string(); };
  const auto only = [](const Json& answer) {
    EXPECT_EQ(answer["outputs"].size(), 1U);
    return answer["outputs"][0]["file"].get<std::string>();
  };
  const std::string whole = only(Ask({"run", kModel, "--input", in, "--out", out("whole")}));
  const Json half = Ask({"run", kModel, "--input", in, "--to", "split6", "--out", out("half")});
  EXPECT_EQ(half["outputs"][0]["name"], "block7/project");
  EXPECT_EQ(half["outputs"][0]["shape"], Json({1, 64, 10, 10}));
  const std::string rest =
      only(Ask({"run", kModel, "--from", "split6", "--input", only(half), "--out", out("rest")}));
  const Tensor wanted = ReadNpy(whole).value_or(Tensor()), got = ReadNpy(rest).value_or(Tensor());
  ASSERT_EQ(wanted.shape(), got.shape());
  for (size_t i = 0; i < wanted.as<float>().size(); ++i) {
    EXPECT_NEAR(got.as<float>()[i], wanted.as<float>()[i], 1e-4);
  }

  const std::string to = out("refused");
  ExpectOneLine(Run({"run", kModel, "--input", only(half), "--out", to}),
                "input 'image' is float32 ?x3x?x?, got float32 1x64x10x10");
  ExpectOneLine(Run({"run", kModel, "--from", "split6", "--input", "imago=" + whole, "--out", to}),
                "is no input of the model", 2);
  ExpectOneLine(
      Run({"run", kModel, "--from", "split6", "--to", "split5", "--input", whole, "--out", to}),
      "needs its input 'image' for 'block6'", 2);
  ExpectOneLine(Run({"run", kModel, "--from", "nowhere", "--input", whole, "--out", to}), "nowhere",
                1);
  ExpectOneLine(Run({"run", kModel, "--input", in, "--out", in}), in.string(), 1);
  EXPECT_FALSE(fs::exists(to));
}

/// Of a network that nothing can divide there is no number to choose.
TEST_F(Commands, ACutThatLeavesOneSideEmptySaysWhatToChoose) {
  const std::string out = (dir_.path() / "out").string();
  const size_t last = Ask({"inspect", kModel})["cuts"].size() - 1;
  for (const std::string& cut : {std::string("0"), std::to_string(last)}) {
    ExpectOneLine(Run({"split", kModel, "--cut", cut, "--out", out}),
                  fmt::format("choose 1 to {}", last - 1), 2);
  }
  fogline::test::TestModel m;
  m.Input("x", {"1", "3", "4", "4"}).Node("Relu", {"x"}, {"y"});
  m.Output("y");
  const std::string one = (dir_.path() / "one.onnx").string();
  ASSERT_TRUE(WriteFile(one, m.Bytes()));
  ExpectOneLine(Run({"split", one, "--cut", "0", "--out", out}),
                "no cut that leaves work on both sides");
}

TEST_F(Commands, ThePlanIsTheBestOfWhatItLists) {
  for (const std::string objective : {"latency", "cost", "energy"}) {
    const Json answer = Ask(Plan({"--all", "--strict", "--objective", objective}));
    double least = std::numeric_limits<double>::infinity();
    for (const Json& candidate : answer["candidates"]) {
      EXPECT_EQ(candidate["runnable"], candidate["not_runnable"].is_null());
      if (!candidate["runnable"] || !candidate["violates"].empty()) continue;
      least = std::min(least, candidate["objective"].get<double>());
    }
    EXPECT_DOUBLE_EQ(answer["best"]["objective"].get<double>(), least) << objective;
    std::set<std::string> routes;
    for (const Json& candidate : answer["candidates"]) {
      routes.insert(candidate["route"]);
      const std::string route = candidate["route"], codec = candidate["codec"];
      EXPECT_TRUE(route.starts_with("litter@160:")) << route;
      EXPECT_TRUE(route.ends_with(codec == "verdict" ? "/result" : "/" + codec)) << route;
    }
    EXPECT_EQ(routes.size(), answer["candidates"].size()) << "no two candidates go one way";
    EXPECT_LE(answer["certificate"]["lower_bound"].get<double>(), least * (1 + 1e-9));
  }
}

// A recording with a header row and without a round trip, from a file to what the plan says of it.
TEST_F(Commands, ARecordedLinkSaysWhatWasTaken) {
  const fs::path file = dir_.path() / "drive.csv";
  ASSERT_TRUE(WriteFile(file,
                        "Timestamp,DL_bitrate,UL_bitrate\n2018.01.18_16.31.51,9000,4000\n"
                        "2018.01.18_16.31.53,9000,1000\n2018.01.18_16.31.55,9000,0\n"));
  const auto ask = [&](const std::string& link) {
    return Ask({"plan", kModel, "--edge", "jetson-nano", "--cloud", "t2.micro", "--link", link});
  };
  const std::string unknown = ask(file.string())["notes"].dump();
  EXPECT_NE(unknown.find("column 'UL_bitrate' as kbit/s over 'Timestamp'"), std::string::npos);
  EXPECT_NE(unknown.find("round trip is not known"), std::string::npos);
  const std::string known = ask(file.string() + ",rtt=40ms")["notes"].dump();
  EXPECT_EQ(known.find("round trip"), std::string::npos);
}

TEST_F(Commands, AConstraintAndAShortListOfCodecsBind) {
  const Json answer = Ask(Plan({"--min-agreement", "0.97", "--objective", "cost"}));
  EXPECT_GE(answer["best"]["agreement"].get<double>(), 0.97);
  const Json plain = Ask(Plan({"--codec", "json", "--all"}));
  for (const Json& candidate : plain["candidates"]) {
    EXPECT_TRUE((std::set<std::string>{"json", "verdict"}).contains(candidate["codec"]))
        << candidate;
  }
  const fs::path page = dir_.path() / "plan.html";
  Ask(Plan({"--html", page.string()}));
  ExpectWholePage(page);
}

TEST_F(Commands, TheBillIsReckonedFromTheScenario) {
  const fs::path page = dir_.path() / "bill.html";
  const Json answer = Ask({"cost", (kSource / "scenarios/paper.toml").string(), "--html", page});
  for (const auto& [name, row] : answer["table4"].items()) {
    const double user = row["month_euro"].get<double>() / row["users_per_instance"].get<double>() /
                        row["instances"].get<double>();
    EXPECT_NEAR(user, row["user_month_euro"].get<double>(), user * 0.02) << name;
    EXPECT_EQ(row["instances"], answer["printed"]["table4"][name]["instances"]) << name;
  }
  ExpectWholePage(page);
}

TEST_F(Commands, WhatIsWrongIsNamedInOneLine) {
  auto wrong = Plan();
  wrong[5] = "t2.micor";
  ExpectOneLine(Run(wrong), "did you mean 't2.micro'");
  wrong = Plan();
  wrong[7] = "up=0Mbps";
  ExpectOneLine(Run(wrong), "--link: 'up=0Mbps'", 2);
  ExpectOneLine(Run(Plan({"--max-latency", "0.1"})), "--max-latency: cannot be met");
  ExpectOneLine(Run({"inspect", Write("a.onnx", "no model")}), "a.onnx");
  const std::string half = ReadTextFile(kModel).value().substr(0, 1 << 20);
  ExpectOneLine(Run({"inspect", Write("half.onnx", half)}), "cut off");
  ExpectOneLine(Run({"split", kModel, "--cut", "nosuch", "--out", dir_.path() / "x"}), "'nosuch'");
  EXPECT_FALSE(fs::exists(dir_.path() / "x"));
  const std::string scenario = ReadTextFile(kSource / "scenarios/paper.toml").value();
  ExpectOneLine(Run({"cost", Write("a.toml", "zzz = 1\n" + scenario)}), "'zzz'");
}

// A number that becomes a time is checked before it is cast: NaN passes a comparison, and what is
// too large for a duration is no duration.
TEST_F(Commands, NumbersThatAreNoTimesAreRefused) {
  for (const std::string value : {"inf", "nan", "-nan", "-1", "1e300", "1e10", "10s", ""}) {
    for (const std::string flag : {"--drain", "--fallback", "--deadline", "--rate"}) {
      // As one word, since "-1" alone would be read as a flag.
      ExpectOneLine(Run({"edge", "--model", kModel, "--source", "x", flag + "=" + value}), flag, 2);
    }
    ExpectOneLine(Run({"cloud", "--models", "x", "--device-rate=" + value}), "--device-rate", 2);
  }
  ExpectOneLine(Run({"edge", "--model", kModel, "--source", "x", "--rate", "1e-300"}), "--rate", 2);
}

TEST_F(Commands, AnAddressToServeAtThatIsNoneIsToldInOneLine) {
  const std::string store = "sqlite:" + (dir_.path() / "s.db").string();
  for (const std::string listen : {"8080", "::1:8080", "[::1]", "localhost:", "localhost:70000",
                                   "[localhost]:80", "http://localhost:80"}) {
    ExpectOneLine(Run({"map", "--store", store, "--http", listen}), "--http " + listen, 2);
  }
  ASSERT_TRUE(OpenStore(store));
  // A map's address and its base map are looked at before a store is opened.
  const std::string nowhere = "sqlite:" + (dir_.path() / "no.db").string();
  ExpectOneLine(Run({"map", "--store", nowhere, "--basemap", "no.pmtiles"}), "no.pmtiles");
  ExpectOneLine(Run({"map", "--store", store, "--http", "no.such.host.invalid:0"}),
                "no.such.host.invalid");
}

TEST_F(Commands, HowLongToKeepIsATimeWithItsUnit) {
  const std::string store = "sqlite:" + (dir_.path() / "s.db").string();
  for (const std::string age :
       {"90", "90m", "90days", "0d", "-1d", "nand", "infd", "d", "1e9y", "9 d"}) {
    ExpectOneLine(Run({"cloud", "--models", dir_.path(), "--store", store, "--keep=" + age}),
                  "--keep " + age, 2);
  }
  for (const std::string bytes : {"12", "-1", "lots", "1e30GB"}) {
    ExpectOneLine(
        Run({"cloud", "--models", dir_.path(), "--store", store, "--keep-bytes=" + bytes}),
        "--keep-bytes", 2);
  }
  ExpectOneLine(Run({"cloud", "--models", dir_.path(), "--store", store, "--keep-rows=0"}),
                "--keep-rows", 2);
  EXPECT_FALSE(fs::exists(dir_.path() / "s.db"));  // nothing was opened
}

TEST_F(Commands, ACommandOfTheSecondProgramIsTheSameOrSaysHowToGetIt) {
  const fs::path alone = dir_.path() / "fogline";
  fs::copy_file(FOGLINE_BINARY, alone);
  const Outcome without = RunCommand({"train", "--help"}, dir_.path(), alone);
  EXPECT_EQ(without.status, 1);
  EXPECT_THAT(without.log, HasSubstr("train is a command of fogline-lab"));
  EXPECT_THAT(without.log, HasSubstr("make build"));

  const Outcome with = Run({"train", "--help"});
  EXPECT_EQ(with.status, 0);
  EXPECT_THAT(with.out, HasSubstr("fogline train [OPTIONS]"));
  EXPECT_EQ(Run({"train"}).status, 2);
}

}  // namespace
}  // namespace fogline
